//! Deletes uploads that nobody used in time.

use intake::Store;
use jobs::Failure;

use super::later;
use crate::state::Pitlane;
use crate::usecases::Error;

/// Uploads deleted in one run; the rest follow in the next.
const BATCH: u32 = 200;

/// Deletes expired uploads: first the bytes, then the row, so that a run that is cut off leaves a row to go on from. An
/// expired upload can't be used any more, so nobody misses the bytes in between.
///
/// # Errors
/// When the files or the storage can't be changed.
pub async fn run(pitlane: &Pitlane) -> Result<(), Failure> {
    let now = pitlane.clock.now();
    let expired = pitlane
        .db
        .read(move |tx| tx.uploads_expired(now, BATCH).map_err(Error::from))
        .await
        .map_err(later)?;
    for (file, key) in expired {
        pitlane.files.delete(&key).await.map_err(|error| Failure::Later(error.to_string()))?;
        pitlane
            .db
            .write(move |tx| tx.upload_delete_expired(file, now).map_err(Error::from))
            .await
            .map_err(later)?;
    }
    Ok(())
}
