//! A bucket, over the `object_store` crate.
//!
//! What is small goes in one call; what is larger goes in parts, one at a time, so that one part is all that is held of
//! it. Nothing lies under a key before its last byte is there. Parts without an end can be seen in no list of what the
//! bucket holds, though they are paid for: [`FileStorage::delete`] asks for those of its key and ends them.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use intake::{FileReader, FileStorage, FileStorageError, FileWriter};
use object_store::path::Path;
use object_store::{
    BackoffConfig, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayloadMut,
    RetryConfig,
};

use super::wire::{Unfinished, UnfinishedUpload, told};
use super::{Api, OpenError, Settings, azure, bucket_of, google, is_key, s3};

/// The least that S3 and Google take as a part, but for the last one.
const PART_BYTES: usize = 5 * 1_024 * 1_024;
/// A part is collected in pieces of this size, none of which is ever moved.
const BLOCK_BYTES: usize = 256 * 1_024;
/// How long a reader waits for the next bytes.
const READ_PATIENCE: Duration = Duration::from_secs(30);
/// How long anything else may take, with what is tried again.
const PATIENCE: Duration = Duration::from_secs(90);
/// A key has one unfinished upload, or two after a crash; a storage that goes on naming some is not believed for ever.
const LISTS_MAX: usize = 10;

/// Uploads in parts, as far as the storages tell of them in ways of their own.
#[async_trait]
pub(super) trait Uploads: Send + Sync {
    /// Those that have come to no end, of all keys that begin with `path`.
    async fn unfinished(&self, path: &Path) -> Result<Unfinished, FileStorageError>;

    /// Ends one of `path`, so that nothing stays of its parts. A whole object under that path may be lost with it.
    async fn end(&self, path: &Path, upload: &UnfinishedUpload) -> object_store::Result<()>;
}

/// A storage of which nothing was asked yet.
pub(super) struct Opened {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) uploads: Box<dyn Uploads>,
}

/// A bucket, or what lies below a prefix of one.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    api: Api,
    store: Arc<dyn ObjectStore>,
    uploads: Box<dyn Uploads>,
    prefix: String,
}

impl Bucket {
    /// The bucket of these settings. Nothing is asked of it yet. Blocks.
    ///
    /// # Errors
    /// [`OpenError`], when the address is none, or there is no key.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let place = bucket_of(&settings.url).ok_or_else(|| OpenError::Unknown(settings.url.clone()))?;
        let Opened { store, uploads } = match place.api {
            Api::S3 => s3::open(settings, place.bucket)?,
            Api::Google => google::open(settings, place.bucket)?,
            Api::Azure => azure::open(settings, place.bucket)?,
        };
        Ok(Self(Arc::new(Inner { api: place.api, store, uploads, prefix: place.prefix.to_owned() })))
    }

    fn told(&self, key: &str, error: &object_store::Error) -> FileStorageError {
        told(self.0.api, key, error)
    }

    fn path(&self, key: &str) -> Result<Path, FileStorageError> {
        match (is_key(key), self.0.prefix.as_str()) {
            (false, _) => Err(FileStorageError::Failed(format!("{key:?} is no key"))),
            (true, "") => Ok(Path::from(key)),
            (true, prefix) => Ok(Path::from(format!("{prefix}/{key}"))),
        }
    }

    /// Ends what was begun under this path and came to no end.
    async fn end_unfinished(&self, path: &Path) -> Result<(), FileStorageError> {
        for _ in 0..LISTS_MAX {
            let found = self.0.uploads.unfinished(path).await?;
            // The storage is asked for a prefix, and one key may begin another.
            let of_path = found.uploads.iter().filter(|upload| upload.key == path.as_ref());
            let mut ended = 0;
            for upload in of_path {
                match self.0.uploads.end(path, upload).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => ended += 1,
                    Err(error) => return Err(self.told(path.as_ref(), &error)),
                }
            }
            if !found.is_truncated || ended == 0 {
                return Ok(());
            }
        }
        Err(FileStorageError::Failed("unfinished uploads come back".to_owned()))
    }

    async fn remove(&self, path: &Path) -> Result<(), FileStorageError> {
        self.end_unfinished(path).await?;
        match self.0.store.delete(path).await.map_err(|error| self.told(path.as_ref(), &error)) {
            Ok(()) | Err(FileStorageError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// How often and how long a request is made again.
pub(super) fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() },
        max_retries: 3,
        retry_timeout: Duration::from_secs(15),
    }
}

async fn within<T>(work: impl Future<Output = Result<T, FileStorageError>>) -> Result<T, FileStorageError> {
    let silent = |_| FileStorageError::Away(format!("no answer within {} seconds", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.map_err(silent)?
}

#[async_trait]
impl FileStorage for Bucket {
    async fn create(&self, key: &str) -> Result<Box<dyn FileWriter>, FileStorageError> {
        let path = self.path(key)?;
        Ok(Box::new(Sending { bucket: self.clone(), path, part: empty(), upload: None, is_known: false }))
    }

    async fn open(&self, key: &str, range: Range<u64>) -> Result<Box<dyn FileReader>, FileStorageError> {
        let path = self.path(key)?;
        let range = match (range.start, range.end) {
            // Nobody asks for that much; it means "to the end".
            (0, 0x7fff_ffff_ffff_ffff..) => None,
            (start, 0x7fff_ffff_ffff_ffff..) => Some(GetRange::Offset(start)),
            (start, end) if start >= end => return Ok(Box::new(Coming { api: self.0.api, bytes: None })),
            (start, end) => Some(GetRange::Bounded(start..end)),
        };
        let options = GetOptions { range, ..GetOptions::default() };
        let found = within(async {
            match self.0.store.get_opts(&path, options).await {
                Ok(found) => Ok(Some(found.into_stream())),
                // Nothing of the bytes is in that range.
                Err(error) if error.to_string().contains("status code: 416") => Ok(None),
                Err(error) => Err(self.told(key, &error)),
            }
        });
        Ok(Box::new(Coming { api: self.0.api, bytes: found.await? }))
    }

    async fn delete(&self, key: &str) -> Result<(), FileStorageError> {
        let path = self.path(key)?;
        within(self.remove(&path)).await
    }

    async fn keys(&self) -> Result<Vec<String>, FileStorageError> {
        let prefix = (!self.0.prefix.is_empty()).then(|| Path::from(self.0.prefix.as_str()));
        let (mut objects, mut keys) = (self.0.store.list(prefix.as_ref()), Vec::new());
        // Page after page: it is the silence that is limited, not the number.
        while let Some(object) = within(async { Ok(objects.next().await) }).await? {
            let location = object.map_err(|error| self.told("", &error))?.location;
            let below = match &prefix {
                Some(prefix) => {
                    location.as_ref().strip_prefix(prefix.as_ref()).and_then(|it| it.strip_prefix('/'))
                }
                None => Some(location.as_ref()),
            };
            keys.extend(below.filter(|key| is_key(key)).map(str::to_owned));
        }
        Ok(keys)
    }
}

struct Coming {
    api: Api,
    bytes: Option<BoxStream<'static, object_store::Result<Bytes>>>,
}

#[async_trait]
impl FileReader for Coming {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, FileStorageError> {
        let Some(bytes) = &mut self.bytes else { return Ok(None) };
        let silent = |_| FileStorageError::Away(format!("silent for {} seconds", READ_PATIENCE.as_secs()));
        let next = tokio::time::timeout(READ_PATIENCE, bytes.next()).await.map_err(silent)?;
        next.transpose().map(|piece| piece.map(Vec::from)).map_err(|error| told(self.api, "", &error))
    }
}

struct Sending {
    bucket: Bucket,
    path: Path,
    part: PutPayloadMut,
    upload: Option<Box<dyn MultipartUpload>>,
    // Whether the storage has been told of it, and there may be something to take back.
    is_known: bool,
}

fn empty() -> PutPayloadMut {
    PutPayloadMut::new().with_block_size(BLOCK_BYTES)
}

impl Sending {
    async fn send_part(&mut self) -> object_store::Result<()> {
        self.is_known = true;
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.bucket.0.store.put_multipart(&self.path).await?),
        };
        upload.put_part(std::mem::replace(&mut self.part, empty()).freeze()).await
    }

    // Where an object is written to, only its bucket can be what is not there.
    fn unwritten(&self, error: &object_store::Error) -> FileStorageError {
        let told = self.bucket.told("", error);
        if matches!(told, FileStorageError::Missing(_)) {
            return FileStorageError::Failed("it went away while it was written".to_owned());
        }
        told
    }

    async fn end(&mut self) -> object_store::Result<()> {
        self.is_known = true;
        if self.upload.is_some() && !self.part.is_empty() {
            self.send_part().await?;
        }
        match &mut self.upload {
            Some(upload) => upload.complete().await?,
            None => {
                let all = std::mem::replace(&mut self.part, empty()).freeze();
                self.bucket.0.store.put(&self.path, all).await?
            }
        };
        Ok(())
    }
}

#[async_trait]
impl FileWriter for Sending {
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), FileStorageError> {
        while !bytes.is_empty() {
            if self.part.content_length() == PART_BYTES {
                let sent = async { self.send_part().await.map_err(|error| self.unwritten(&error)) };
                within(sent).await?;
            }
            let room = PART_BYTES - self.part.content_length();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.part.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), FileStorageError> {
        within(async { self.end().await.map_err(|error| self.unwritten(&error)) }).await?;
        self.is_known = false;
        Ok(())
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_known {
            return;
        }
        // Without a runtime the process is at its end; what stays is known by its announcement.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (bucket, path) = (self.bucket.clone(), self.path.clone());
        drop(runtime.spawn(async move {
            if let Err(error) = within(bucket.remove(&path)).await {
                // Whoever wrote it has been told why, and the sweep comes back to it.
                tracing::debug!(%error, "an unfinished upload stays in the bucket for now");
            }
        }));
    }
}
