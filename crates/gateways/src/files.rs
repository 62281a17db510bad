//! The folder in which uploads lie, one file a key.
//!
//! A folder of one's own instead of the `object_store` crate: its local store does not make a file durable before it
//! answers, and a row that points at bytes which a power cut has taken away would be a lie. Object storages come in
//! behind the same port.

use std::io::{ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use intake::{FileReader, FileStorage, FileStorageError, FileWriter};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

// Ends the names of files that are being written.
const PART: &str = "part";
// What is older was left behind by a process that was killed.
// How much is read at a time.
const PIECE_BYTES: usize = 64 * 1_024;
const PART_LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// Why uploads can't be kept at the configured place.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a place that this version knows.
    #[error("files.url: {0:?} can't be used; write file://FOLDER")]
    Unknown(String),
    /// The folder can't be made or used.
    #[error("files.url: the folder {folder} can't be used: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        reason: String,
    },
}

/// A folder.
#[derive(Debug, Clone)]
pub struct FileFolder {
    folder: PathBuf,
}

/// The storage at that address, its folder made when it is not there. Blocks.
///
/// # Errors
/// [`OpenError`], with what would be right.
pub fn open(url: &str) -> Result<Arc<dyn FileStorage>, OpenError> {
    match url.strip_prefix("file://") {
        Some(folder) if !folder.is_empty() => Ok(Arc::new(FileFolder::open(Path::new(folder))?)),
        Some(_) | None => Err(OpenError::Unknown(url.to_owned())),
    }
}

impl FileFolder {
    /// Uses that folder, making it when it is not there, and removes what killed processes left half written. Blocks.
    ///
    /// # Errors
    /// [`OpenError::Folder`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let refused = |error: std::io::Error| OpenError::Folder {
            folder: folder.display().to_string(),
            reason: error.to_string(),
        };
        std::fs::create_dir_all(folder).map_err(refused)?;
        for entry in std::fs::read_dir(folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let left_behind = entry.path().extension().is_some_and(|extension| extension == PART)
                && entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(is_old);
            if left_behind {
                std::fs::remove_file(entry.path()).map_err(refused)?;
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, key: &str) -> Result<PathBuf, FileStorageError> {
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if plain {
            Ok(self.folder.join(key))
        } else {
            Err(FileStorageError::Failed(format!("{key:?} is no key")))
        }
    }
}

fn is_old(modified: SystemTime) -> bool {
    modified.elapsed().is_ok_and(|age| age > PART_LIFETIME)
}

#[async_trait]
impl FileStorage for FileFolder {
    async fn create(&self, key: &str) -> Result<Box<dyn FileWriter>, FileStorageError> {
        let path = self.path(key)?;
        let part = path.with_extension(PART);
        let file = fs::File::create(&part).await.map_err(|error| told(key, &error))?;
        Ok(Box::new(Part { file, part, path, folder: self.folder.clone(), finished: false }))
    }

    async fn open(&self, key: &str, range: Range<u64>) -> Result<Box<dyn FileReader>, FileStorageError> {
        let opened = async {
            let mut file = fs::File::open(self.path(key)?).await.map_err(|error| told(key, &error))?;
            if range.start > 0 {
                file.seek(SeekFrom::Start(range.start)).await.map_err(|error| told(key, &error))?;
            }
            Ok(file)
        };
        Ok(Box::new(Rest { file: opened.await?, left: range.end.saturating_sub(range.start) }))
    }

    async fn delete(&self, key: &str) -> Result<(), FileStorageError> {
        let path = self.path(key)?;
        for path in [path.with_extension(PART), path] {
            match fs::remove_file(path).await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(told(key, &error)),
            }
        }
        Ok(())
    }
}

struct Rest {
    file: fs::File,
    left: u64,
}

#[async_trait]
impl FileReader for Rest {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, FileStorageError> {
        let wanted = usize::try_from(self.left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let mut piece = vec![0; wanted];
        let read = self.file.read(&mut piece).await.map_err(|error| told("", &error))?;
        piece.truncate(read);
        self.left -= u64::try_from(read).unwrap_or(self.left);
        Ok((read > 0).then_some(piece))
    }
}

struct Part {
    file: fs::File,
    part: PathBuf,
    path: PathBuf,
    folder: PathBuf,
    finished: bool,
}

#[async_trait]
impl FileWriter for Part {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileStorageError> {
        self.file.write_all(bytes).await.map_err(|error| told("", &error))
    }

    async fn finish(mut self: Box<Self>) -> Result<(), FileStorageError> {
        let moved = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            fs::rename(&self.part, &self.path).await?;
            // The new name is durable only once its folder is.
            fs::File::open(&self.folder).await?.sync_all().await
        };
        moved.await.map_err(|error| told("", &error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            // Whatever stays here is removed by a later start.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

fn told(key: &str, error: &std::io::Error) -> FileStorageError {
    if error.kind() == ErrorKind::NotFound {
        FileStorageError::Missing(key.to_owned())
    } else if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        FileStorageError::Full
    } else {
        FileStorageError::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(
        storage: &dyn FileStorage,
        key: &str,
        range: Range<u64>,
    ) -> Result<Vec<u8>, FileStorageError> {
        let (mut reader, mut whole) = (storage.open(key, range).await?, Vec::new());
        while let Some(piece) = reader.next().await? {
            whole.extend(piece);
        }
        Ok(whole)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[tokio::test]
    async fn bytes_are_there_once_they_are_finished_and_gone_once_they_are_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("file://{}", folder.path().join("data/files").display());
        let storage = open(&url).expect("opens");
        let mut writer = storage.create("a-1").await.expect("creates");
        writer.write(b"one ").await.expect("writes");
        assert!(
            matches!(read(&*storage, "a-1", 0..9).await, Err(FileStorageError::Missing(_))),
            "not before it is finished"
        );
        writer.write(b"two").await.expect("writes");
        writer.finish().await.expect("finishes");
        for (range, bytes) in
            [(0..u64::MAX, "one two"), (0..3, "one"), (4..7, "two"), (5..99, "wo"), (7..9, "")]
        {
            let found = read(&*storage, "a-1", range.clone()).await.expect("reads");
            assert_eq!(found, bytes.as_bytes(), "{range:?}");
        }
        storage.delete("a-1").await.expect("deletes");
        storage.delete("a-1").await.expect("nothing there is fine");
        assert!(matches!(read(&*storage, "a-1", 0..9).await, Err(FileStorageError::Missing(_))));
    }

    #[tokio::test]
    async fn what_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FileFolder::open(folder.path()).expect("opens");
        let mut writer = storage.create("a").await.expect("creates");
        writer.write(b"half").await.expect("writes");
        drop(writer);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_key_never_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FileFolder::open(folder.path()).expect("opens");
        for key in ["", "..", "../a", "/etc/passwd", "a/b", "a.part", "a\0"] {
            let opened = storage.open(key, 0..9).await.map(drop);
            assert!(matches!(opened, Err(FileStorageError::Failed(_))), "{key:?}");
            assert!(storage.create(key).await.is_err(), "{key:?}");
        }
    }

    #[tokio::test]
    async fn deleting_takes_what_a_killed_process_left_half_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FileFolder::open(folder.path()).expect("opens");
        std::fs::write(folder.path().join("a.part"), b"half").expect("writes");
        storage.delete("a").await.expect("deletes");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_half_written_file_of_a_killed_process_is_removed_when_it_is_old() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = std::fs::File::create(folder.path().join("old.part")).expect("creates");
        old.set_modified(SystemTime::now() - 2 * PART_LIFETIME).expect("sets the time");
        std::fs::File::create(folder.path().join("new.part")).expect("creates");
        std::fs::File::create(folder.path().join("kept")).expect("creates");
        FileFolder::open(folder.path()).expect("opens");
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["kept", "new.part"]);
    }

    #[test]
    fn an_unknown_place_is_refused() {
        for url in ["s3://bucket", "data/files", "file://", ""] {
            assert!(matches!(open(url), Err(OpenError::Unknown(_))), "{url}");
        }
    }
}
