//! A folder, one file a key.
//!
//! A folder of one's own instead of the local store of the `object_store` crate: that one does not make a file durable
//! before it answers, and a row that points at bytes which a power cut has taken away would be a lie.

use std::fs::DirBuilder;
use std::io::{ErrorKind, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use intake::{FileReader, FileStorage, FileStorageError, FileWriter};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::{OpenError, is_key};

// Ends the names of files that are being written.
const PART: &str = "part";
// How much is read at a time.
const PIECE_BYTES: usize = 64 * 1_024;
// What is older was left behind by a process that was killed.
const PART_LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// A folder.
#[derive(Debug, Clone)]
pub struct FileFolder {
    folder: PathBuf,
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
        if let Some(above) = folder.parent() {
            std::fs::create_dir_all(above).map_err(refused)?;
        }
        if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
            && !folder.is_dir()
        {
            return Err(refused(error));
        }
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
        if is_key(key) {
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
        // What people send is nobody else's on this machine.
        let mut private = fs::OpenOptions::new();
        private.create(true).truncate(true).write(true).mode(0o600);
        let file = private.open(&part).await.map_err(|error| told(key, &error))?;
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

    async fn keys(&self) -> Result<Vec<String>, FileStorageError> {
        let failed = |error: std::io::Error| told("", &error);
        let (mut entries, mut keys) = (fs::read_dir(&self.folder).await.map_err(failed)?, Vec::new());
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            let is_file = entry.file_type().await.map_err(failed)?.is_file();
            keys.extend(entry.file_name().into_string().ok().filter(|name| is_file && is_key(name)));
        }
        Ok(keys)
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[tokio::test]
    async fn a_half_written_file_has_another_name_until_it_is_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FileFolder::open(folder.path()).expect("opens");
        let mut writer = storage.create("a").await.expect("creates");
        writer.write(b"half").await.expect("writes");
        assert_eq!(names(folder.path()), ["a.part"]);
        drop(writer);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn files_are_for_their_owner_alone() {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("data/files");
        let storage = FileFolder::open(&folder).expect("opens");
        let mut writer = storage.create("a").await.expect("creates");
        writer.write(b"whole").await.expect("writes");
        writer.finish().await.expect("finishes");
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("a"))), (0o700, 0o600));
        FileFolder::open(&folder).expect("opens again");
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
}
