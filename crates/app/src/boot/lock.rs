//! One server for one SQLite file.
//!
//! SQLite itself would let two processes write in turns, but sockets, the clock and the leases of jobs are known to one
//! process only. The lock is the operating system's, so it ends with the process however that ends; the file stays.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use store::OpenError;

use super::BootError;

/// Held as long as the server lives.
#[derive(Debug)]
pub struct DatabaseLock {
    _file: File,
}

impl DatabaseLock {
    /// Takes the lock beside the SQLite file; `None` for PostgreSQL, which many nodes may share.
    ///
    /// # Errors
    /// [`BootError::InUse`] when another process holds it, or a folder that can't be written.
    pub fn take(settings: &store::Settings) -> Result<Option<Self>, BootError> {
        let Some(path) = settings.sqlite_path() else { return Ok(None) };
        let place = settings.place();
        let failed = |error: &std::io::Error| OpenError::Open {
            place: place.clone(),
            reason: format!("its folder can't be written: {error}"),
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        // By another name for the same file the lock must be the same.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut name = path.into_os_string();
        name.push(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(PathBuf::from(name));
        let file = file.map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(BootError::InUse(place)),
            Err(TryLockError::Error(error)) => Err(failed(&error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_locked_once_at_a_time_by_whatever_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = |path: &str| {
            store::Settings::new(&format!("sqlite://{}", folder.path().join(path).display()))
                .expect("a database")
        };
        std::fs::create_dir(folder.path().join("data")).expect("a folder");
        std::fs::write(folder.path().join("data/a.db"), "").expect("a file");
        let held = DatabaseLock::take(&settings("data/a.db")).expect("free").expect("a file");
        for name in ["data/a.db", "data/../data/a.db"] {
            assert!(matches!(DatabaseLock::take(&settings(name)), Err(BootError::InUse(_))), "{name}");
        }
        assert!(DatabaseLock::take(&settings("data/b.db")).is_ok());
        drop(held);
        assert!(DatabaseLock::take(&settings("data/a.db")).is_ok());
    }
}
