//! A side of a session goes on camera.

use kernel::id::{SessionId, UserId};
use sessions::{Guest, Pass};

use crate::state::Pitlane;
use crate::usecases::Error;

/// A pass into the session's room, for this person alone and for a while.
///
/// # Errors
/// Those of [`sessions::enter_video`]; [`Error::Room`]; the storage's.
pub async fn enter_video(
    pitlane: &Pitlane,
    session: SessionId,
    user: UserId,
    name: String,
) -> Result<Pass, Error> {
    pitlane.db.read(move |tx| Ok::<_, Error>(sessions::enter_video(tx, session, user)?)).await?;
    pitlane.video.open(session).await?;
    Ok(pitlane.video.pass(&Guest { session, user, name }, pitlane.clock.now()))
}
