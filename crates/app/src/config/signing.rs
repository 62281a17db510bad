//! The signing secret that development makes for itself, once, so that links still work after a restart.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::{Secret, Settings};

const LENGTH: usize = 64;

impl Settings {
    /// Where development keeps what belongs to its database: the folder of the SQLite file, or `data/`.
    pub fn data_folder(&self) -> PathBuf {
        let folder = self.database.store.sqlite_path().and_then(Path::parent);
        folder.unwrap_or_else(|| Path::new("data")).to_owned()
    }

    /// In development without `auth.secret`, takes the one made earlier or makes one from `fresh`.
    ///
    /// # Errors
    /// The file can't be read or written; the message names it.
    pub fn with_signing_secret(mut self, fresh: [u8; LENGTH / 2]) -> Result<Self, String> {
        if self.is_development() && self.auth.secret.is_empty() {
            let file = self.data_folder().join("auth.secret");
            let kept =
                keep(&file, fresh).map_err(|error| format!("{} can't be kept: {error}", file.display()))?;
            self.auth.secret = Secret::new(kept);
        }
        Ok(self)
    }
}

fn keep(file: &Path, fresh: [u8; LENGTH / 2]) -> std::io::Result<String> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().len() == LENGTH => return Ok(text.trim().to_owned()),
        // A start that was cut off left a part of it; nothing was signed with that.
        Ok(_) => std::fs::remove_file(file)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut created) => {
            created.write_all(text.as_bytes())?;
            created.sync_all()?;
            Ok(text)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mut other = String::new();
            std::fs::File::open(file)?.read_to_string(&mut other)?;
            Ok(other.trim().to_owned())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_half_a_file_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("data/auth.secret");
        let first = keep(&file, [7; 32]).expect("made");
        assert_eq!(first, "07".repeat(32));
        assert_eq!(keep(&file, [8; 32]).expect("kept"), first);
        std::fs::write(&file, "070707").expect("written");
        assert_eq!(keep(&file, [9; 32]).expect("made again"), "09".repeat(32));
    }
}
