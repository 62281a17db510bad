//! Writing a large file beside a server whose commits wait for the same disk.
//!
//! Left to itself the system gathers gigabytes and writes them at once, and a commit that asks for its own few pages
//! waits for all of them. So what is written goes to the disk in small pieces.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What may gather before it goes to the disk, in bytes.
const PIECE: usize = 2 * 1_024 * 1_024;
/// How often a file that somebody else writes goes to the disk.
const EVERY: Duration = Duration::from_millis(10);

/// Gives way to the server on the processor too.
pub(super) fn give_way() {
    // A system that refuses lets the backup run as it is.
    let _ = rustix::process::nice(10);
}

/// A file that goes to the disk piece by piece.
pub(super) struct Gentle {
    file: File,
    gathered: usize,
}

impl Gentle {
    /// Writes to this file.
    pub(super) const fn new(file: File) -> Self {
        Self { file, gathered: 0 }
    }

    /// The file, with everything on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn finish(self) -> std::io::Result<File> {
        self.file.sync_all()?;
        Ok(self.file)
    }
}

impl Write for Gentle {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(&buffer[..buffer.len().min(PIECE)])?;
        self.gathered += count;
        if self.gathered >= PIECE {
            self.gathered = 0;
            self.file.sync_data()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Does `work`, which writes the file at `path` by means of its own, and sends what it has written to the disk
/// meanwhile.
pub(super) fn while_written<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                thread::sleep(EVERY);
                // It is not there at first; and whether all of it has arrived is for the writer to find out.
                if let Ok(file) = File::open(path) {
                    let _ = file.sync_data();
                }
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_its_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large");
        let bytes: Vec<u8> =
            (0..3 * PIECE + 17).map(|place| u8::try_from(place % 251).unwrap_or(0)).collect();
        let mut gentle = Gentle::new(File::create(&path).expect("a file"));
        gentle.write_all(&bytes).expect("it is written");
        gentle.finish().expect("it is on the disk");
        assert!(std::fs::read(&path).expect("the file") == bytes);
        let seen = while_written(&path, || std::fs::read(&path).expect("the file").len());
        assert_eq!(seen, bytes.len());
    }
}
