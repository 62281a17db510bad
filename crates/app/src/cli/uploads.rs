//! The place of the uploads for commands, which wait for it.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use intake::{FileReader, FileStorage, FileStorageError};
use tokio::runtime::Runtime;

use super::one_line;
use crate::config::Settings;

/// How much of a file is handed over at a time.
const PIECE_BYTES: usize = 64 * 1_024;

/// The storage, and what runs its requests.
pub(super) struct Uploads {
    storage: Arc<dyn FileStorage>,
    runtime: Runtime,
    url: String,
}

impl Uploads {
    /// The storage of this configuration.
    ///
    /// # Errors
    /// It can't be used.
    pub(super) fn open(settings: &Settings) -> Result<Self, String> {
        settings.check_uploads().map_err(|problems| one_line(&problems))?;
        let files = &settings.files;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            storage: gateways::files::open(&files.storage()).map_err(|error| one_line(&error))?,
            runtime: runtime.map_err(|error| format!("the system gives no threads: {error}"))?,
            url: files.url.clone(),
        })
    }

    /// Whether everything can be done that [`keep`](Self::keep) and [`forget`](Self::forget) need, tried now.
    ///
    /// # Errors
    /// What can't.
    pub(super) fn probe(&self) -> Result<(), String> {
        let proven = self.runtime.block_on(gateways::files::probe(&*self.storage));
        proven.map_err(|error| self.told("", &error))
    }

    /// The bytes under a key; `None` when there are none.
    ///
    /// # Errors
    /// The storage can't be read.
    pub(super) fn read(&self, key: &str) -> Result<Option<Reading<'_>>, String> {
        match self.runtime.block_on(self.storage.open(key, 0..u64::MAX)) {
            Ok(reader) => Ok(Some(Reading { uploads: self, reader, piece: Vec::new(), taken: 0 })),
            Err(FileStorageError::Missing(_)) => Ok(None),
            Err(error) => Err(self.told(key, &error)),
        }
    }

    /// Keeps the bytes of a file under a key.
    ///
    /// # Errors
    /// The file can't be read, or the storage not written.
    pub(super) fn keep(&self, key: &str, from: &Path) -> Result<(), String> {
        let read = |error: std::io::Error| format!("{}: {error}", from.display());
        let mut file = std::fs::File::open(from).map_err(read)?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut writer =
            self.runtime.block_on(self.storage.create(key)).map_err(|error| self.told(key, &error))?;
        loop {
            let count = file.read(&mut piece).map_err(read)?;
            if count == 0 {
                break;
            }
            let written = self.runtime.block_on(writer.write(&piece[..count]));
            written.map_err(|error| self.told(key, &error))?;
        }
        self.runtime.block_on(writer.finish()).map_err(|error| self.told(key, &error))
    }

    /// Every key.
    ///
    /// # Errors
    /// The storage can't be read.
    pub(super) fn keys(&self) -> Result<HashSet<String>, String> {
        let keys = self.runtime.block_on(self.storage.keys()).map_err(|error| self.told("", &error))?;
        Ok(keys.into_iter().collect())
    }

    /// Deletes what lies under a key.
    ///
    /// # Errors
    /// The storage can't be written.
    pub(super) fn forget(&self, key: &str) -> Result<(), String> {
        self.runtime.block_on(self.storage.delete(key)).map_err(|error| self.told(key, &error))
    }

    /// A key in its place, for people.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.url.trim_end_matches('/'))
    }

    fn told(&self, key: &str, error: &FileStorageError) -> String {
        let place = if key.is_empty() { self.url.clone() } else { self.name(key) };
        format!("{place}: {}", one_line(error))
    }
}

/// The bytes under a key, as they come.
pub(super) struct Reading<'u> {
    uploads: &'u Uploads,
    reader: Box<dyn FileReader>,
    piece: Vec<u8>,
    taken: usize,
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.taken == self.piece.len() {
            let next = self.uploads.runtime.block_on(self.reader.next()).map_err(std::io::Error::other)?;
            let Some(piece) = next else { return Ok(0) };
            (self.piece, self.taken) = (piece, 0);
        }
        let count = (&self.piece[self.taken..]).read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}
