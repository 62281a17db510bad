//! A side tells that it sees and hears the other, or no more.

use kernel::id::{SessionId, UserId};
use sessions::VideoProvider;
use sessions::media::{MediaState, note_media};

use crate::state::Pitlane;
use crate::usecases::Error;

/// Notes what somebody's browser tells of its connection.
///
/// # Errors
/// Those of [`sessions::media::note_media`]; the storage's.
pub async fn told(
    pitlane: &Pitlane,
    session: SessionId,
    user: UserId,
    state: MediaState,
    connection: Option<String>,
) -> Result<(), Error> {
    let now = pitlane.clock.now();
    pitlane
        .db
        .write(move |tx| {
            let who = (session, user);
            Ok(note_media(tx, state, connection.as_deref(), who, VideoProvider::P2p, now)?)
        })
        .await
}
