//! Where the bytes of files lie. A port to the outside: a folder, or an object storage.

use std::ops::Range;

use async_trait::async_trait;

/// Why bytes could not be stored, read or deleted.
#[derive(Debug, thiserror::Error)]
pub enum FileStorageError {
    /// The storage holds no more.
    #[error("the file storage is full")]
    Full,
    /// The storage did not answer, or said that it can't now. Later it may.
    #[error("the file storage can't be reached: {0}")]
    Away(String),
    /// There is nothing under this key.
    #[error("the file storage holds nothing under {0}")]
    Missing(String),
    /// Anything else.
    #[error("the file storage failed: {0}")]
    Failed(String),
}

/// Bytes by key. Keys are made by this program and consist of letters, digits and hyphens.
#[async_trait]
pub trait FileStorage: Send + Sync {
    /// Begins to store bytes under `key`. Nothing is there until [`FileWriter::finish`].
    ///
    /// # Errors
    /// The storage can't be written.
    async fn create(&self, key: &str) -> Result<Box<dyn FileWriter>, FileStorageError>;

    /// Begins to read those of the bytes under `key` whose places are in `range`, as far as there are any.
    ///
    /// # Errors
    /// [`FileStorageError::Missing`], or the storage can't be read.
    async fn open(&self, key: &str, range: Range<u64>) -> Result<Box<dyn FileReader>, FileStorageError>;

    /// Deletes what lies under `key`, and what a process that was killed left half written; nothing there is fine.
    ///
    /// # Errors
    /// The storage can't be written.
    async fn delete(&self, key: &str) -> Result<(), FileStorageError>;

    /// Every key under which bytes lie.
    ///
    /// # Errors
    /// The storage can't be read.
    async fn keys(&self) -> Result<Vec<String>, FileStorageError>;
}

/// Bytes on their way out of the storage.
#[async_trait]
pub trait FileReader: Send {
    /// The next bytes, a hundred thousand at most; `None` at the end.
    ///
    /// # Errors
    /// The storage can't be read.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, FileStorageError>;
}

/// Bytes on their way into the storage. Dropped before [`finish`](FileWriter::finish), or failing in it, it leaves nothing
/// behind; what a storage that is away keeps all the same goes with [`delete`](FileStorage::delete).
#[async_trait]
pub trait FileWriter: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// The storage can't be written.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileStorageError>;

    /// Makes the bytes readable under their key, all at once and so that they survive a power cut.
    ///
    /// # Errors
    /// The storage can't be written.
    async fn finish(self: Box<Self>) -> Result<(), FileStorageError>;
}
