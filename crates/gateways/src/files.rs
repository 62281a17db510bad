//! Where uploads lie: a folder, or a bucket of whatever speaks S3.
//!
//! | module | holds |
//! |---|---|
//! | `folder` | the folder |
//! | `bucket` | the bucket, over the `object_store` crate |
//! | `http` | how the bucket's requests go out |
//! | `wire` | what S3 answers, read without a network |

mod bucket;
mod folder;
mod http;
mod wire;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use intake::{FileStorage, FileStorageError};

pub use bucket::Bucket;
pub use folder::FileFolder;

/// How long a storage may take to prove that it works.
const PROBE_PATIENCE: Duration = Duration::from_secs(20);

/// Where uploads lie, and what opens it. Whatever is not `url` is for buckets alone.
#[derive(Clone, Default)]
pub struct Settings {
    /// `file://FOLDER` or `s3://BUCKET`, with `/PREFIX` behind the bucket where it is shared.
    pub url: String,
    /// The origin of the storage's API, without a slash at the end; Amazon's in `region` when empty.
    pub endpoint: String,
    /// The bucket's region; `us-east-1` when empty, which storages elsewhere take.
    pub region: String,
    /// The name of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
    /// What a key of limited life needs besides; empty for one that lasts.
    pub session_token: String,
}

/// Why uploads can't be kept at the configured place.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a place that this version knows.
    #[error("files.url: {0:?} can't be used; write file://FOLDER or s3://BUCKET")]
    Unknown(String),
    /// The folder can't be made or used.
    #[error("files.url: the folder {folder} can't be used: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        reason: String,
    },
    /// There is a place, and it does not do what it has to.
    #[error("files.url: {url} can't be used: {reason}")]
    Unusable {
        /// The place.
        url: String,
        /// What it says, or what was wrong with it.
        reason: FileStorageError,
    },
}

/// The storage of these settings; a folder is made when it is not there. Nothing is asked of a bucket yet. Blocks.
///
/// # Errors
/// [`OpenError`], with what would be right.
pub fn open(settings: &Settings) -> Result<Arc<dyn FileStorage>, OpenError> {
    match settings.url.strip_prefix("file://") {
        Some(folder) if !folder.is_empty() => Ok(Arc::new(FileFolder::open(Path::new(folder))?)),
        Some(_) => Err(OpenError::Unknown(settings.url.clone())),
        None => Ok(Arc::new(Bucket::open(settings)?)),
    }
}

/// The bucket and the prefix of an `s3://` address, if it is one that can be.
pub fn bucket_of(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let of = |text: &str, others: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
    let is_bucket = (3..=63).contains(&bucket.len()) && of(bucket, ".-_") && !bucket.starts_with(['.', '-']);
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && of(part, ".-_");
    let is_prefix = prefix.is_empty() || (prefix.len() <= 200 && prefix.split('/').all(is_part));
    (is_bucket && is_prefix).then_some((bucket, prefix))
}

/// Stores, reads and deletes a few bytes under a key of their own, so that whatever would keep an upload from its end
/// shows now.
///
/// # Errors
/// What would.
pub async fn probe(storage: &dyn FileStorage) -> Result<(), FileStorageError> {
    // Other nodes may do the same at the same time, and one that breaks off leaves no more than this behind.
    static KEY: LazyLock<String> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("probe-{}-{}", std::process::id(), since.as_nanos())
    });
    let proven = tokio::time::timeout(PROBE_PATIENCE, prove(storage, &KEY)).await;
    proven.unwrap_or_else(|_| {
        Err(FileStorageError::Away(format!("no answer within {} seconds", PROBE_PATIENCE.as_secs())))
    })
}

async fn prove(storage: &dyn FileStorage, key: &str) -> Result<(), FileStorageError> {
    let mut writer = storage.create(key).await?;
    writer.write(key.as_bytes()).await?;
    writer.finish().await?;
    let (mut reader, mut read) = (storage.open(key, 0..u64::MAX).await?, Vec::new());
    while let Some(piece) = reader.next().await? {
        read.extend(piece);
    }
    storage.delete(key).await?;
    if read != key.as_bytes() {
        return Err(FileStorageError::Failed("what was read is not what was written".to_owned()));
    }
    // A small picture that was never made must be known by its absence.
    match storage.open(key, 0..u64::MAX).await.map(drop) {
        Err(FileStorageError::Missing(_)) => Ok(()),
        Err(FileStorageError::Failed(reason)) => Err(FileStorageError::Failed(format!(
            "it does not say that something is not there, for which a key needs s3:ListBucket: {reason}"
        ))),
        Err(other) => Err(other),
        Ok(()) => Err(FileStorageError::Failed("what was deleted can still be read".to_owned())),
    }
}

/// Keys are made by this program. Nothing else is one, so that no key leads out of its place.
pub fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_place_is_refused() {
        for url in
            ["data/files", "file://", "", "gs://bucket", "s3://", "s3:///prefix", "s3://no", "s3://a b c"]
        {
            let settings = Settings { url: url.to_owned(), ..Settings::default() };
            assert!(matches!(open(&settings), Err(OpenError::Unknown(_))), "{url}");
        }
    }

    #[test]
    fn a_bucket_may_have_a_prefix_that_leads_nowhere_else() {
        assert_eq!(bucket_of("s3://pitlane"), Some(("pitlane", "")));
        assert_eq!(bucket_of("s3://pitlane/"), Some(("pitlane", "")));
        assert_eq!(bucket_of("s3://pit.lane-1/a/b_c/"), Some(("pit.lane-1", "a/b_c")));
        for url in [
            "s3://pitlane//a",
            "s3://pitlane/../b",
            "s3://pitlane/a?b",
            "s3://key:secret@pitlane",
            "s4://pitlane",
        ] {
            assert_eq!(bucket_of(url), None, "{url}");
        }
    }
}
