//! A provider of video tells what happened in a session's room.

use sessions::{RoomNews, hear_room};

use crate::state::Pitlane;
use crate::usecases::Error;

/// Notes who came and who went. Telling it again, late or in another order leads to the same.
///
/// # Errors
/// The storage's.
pub async fn heard(pitlane: &Pitlane, news: RoomNews) -> Result<(), Error> {
    let now = pitlane.clock.now();
    let session = news.session;
    let noted = pitlane.db.write(move |tx| Ok::<_, Error>(hear_room(tx, &news, now)?)).await?;
    if !noted {
        tracing::debug!(%session, "what the provider of video told was known or of no use");
    }
    Ok(())
}
