//! The small picture of an uploaded one: made when somebody first looks at it, then kept beside it.
//!
//! One is made at a time, so that the memory it takes is taken once, however many people look at however many pictures.

use intake::FileStorageError;
use intake::upload::thumbnail_key;
use kernel::id::FileId;
use store::views::file::{self, StoredFile};
use tokio::sync::Semaphore;

use crate::state::Pitlane;
use crate::usecases::{Error, read_file};

/// A larger file has none: it would have to be held in memory.
const SOURCE_MAX_BYTES: u64 = 32 * 1_024 * 1_024;

static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// The small picture of a file, a JPEG; `None` for what is no picture, or none that can be made small here.
///
/// # Errors
/// A failure of a storage.
pub async fn thumbnail(pitlane: &Pitlane, id: FileId, file: &StoredFile) -> Result<Option<Vec<u8>>, Error> {
    if !gateways::pictures::can_be_small(&file.content_type) || file.size_bytes > SOURCE_MAX_BYTES {
        return Ok(None);
    }
    let key = thumbnail_key(&file.storage_key);
    if let Some(made) = kept(pitlane, &key).await? {
        return Ok(filled(made));
    }
    let _turn = ONE_AT_A_TIME.acquire().await;
    // Whoever waited may find it made.
    if let Some(made) = kept(pitlane, &key).await? {
        return Ok(filled(made));
    }
    let bytes = read_file::whole(pitlane, &file.storage_key).await?;
    let content_type = file.content_type.clone();
    let made =
        tokio::task::spawn_blocking(move || gateways::pictures::thumbnail(&content_type, &bytes)).await;
    let made = made.unwrap_or_else(|error| {
        tracing::warn!(file = %id, %error, "a picture could not be made small");
        None
    });
    keep(pitlane, id, &key, made.as_deref().unwrap_or_default()).await?;
    Ok(made)
}

/// What is kept under the key of a small picture. Nothing in it says that there can be none.
async fn kept(pitlane: &Pitlane, key: &str) -> Result<Option<Vec<u8>>, Error> {
    match read_file::whole(pitlane, key).await {
        Ok(made) => Ok(Some(made)),
        Err(Error::Files(FileStorageError::Missing(_))) => Ok(None),
        Err(other) => Err(other),
    }
}

fn filled(made: Vec<u8>) -> Option<Vec<u8>> {
    (!made.is_empty()).then_some(made)
}

async fn keep(pitlane: &Pitlane, id: FileId, key: &str, made: &[u8]) -> Result<(), Error> {
    let mut writer = pitlane.files.create(key).await?;
    writer.write(made).await?;
    writer.finish().await?;
    // The file may have been deleted meanwhile, and its small picture with it, before this one was there.
    let now = pitlane.clock.now();
    let is_there = pitlane.db.read(move |tx| Ok::<_, Error>(file::by_id(tx, id, now)?.is_some())).await?;
    if !is_there {
        pitlane.files.delete(key).await?;
    }
    Ok(())
}
