//! Deletes uploads that nobody used in time, and what was left behind by uploads that never came to their end.

use intake::Store;
use intake::upload::{LEFT_BEHIND_SECONDS, storage_key, thumbnail_key};
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
        for key in [&key, &thumbnail_key(&key)] {
            pitlane.files.delete(key).await.map_err(|error| Failure::Later(error.to_string()))?;
        }
        pitlane
            .db
            .write(move |tx| tx.upload_delete_expired(file, now).map_err(Error::from))
            .await
            .map_err(later)?;
    }
    left_behind(pitlane).await
}

/// Deletes the bytes of files that were announced and never written down: their connection broke off, or their process
/// was killed. First the bytes, then the announcement.
async fn left_behind(pitlane: &Pitlane) -> Result<(), Failure> {
    let before = pitlane.clock.now().plus_seconds(-LEFT_BEHIND_SECONDS);
    let left = pitlane
        .db
        .read(move |tx| tx.arrivals_expired(before, BATCH).map_err(Error::from))
        .await
        .map_err(later)?;
    for file in left {
        let deleted = pitlane.files.delete(&storage_key(file)).await;
        deleted.map_err(|error| Failure::Later(error.to_string()))?;
        pitlane.db.write(move |tx| tx.arrival_delete(file).map_err(Error::from)).await.map_err(later)?;
    }
    Ok(())
}
