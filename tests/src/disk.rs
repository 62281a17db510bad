//! A disk that is small, full or read-only, for one test alone.
//!
//! Mounting needs rights that not every machine gives. `cargo xtask test` finds out and says in `PITLANE_TEST_UNSHARE`
//! how a program gets mounts of its own; where it can't, it lists these tests among what could not run.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const UNSHARE: &str = "PITLANE_TEST_UNSHARE";
const INSIDE: &str = "PITLANE_TEST_INSIDE";

/// Runs a test's body in a process that has mounts of its own, which end with it: this test program once more, with
/// this test alone. `test` is its whole name.
///
/// # Panics
/// The body fails, or, in CI, mounts of one's own can't be had.
pub fn with_own_mounts(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let Ok(unshare) = std::env::var(UNSHARE) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{UNSHARE} is not set");
        eprintln!("skipped: no disk of its own; `cargo xtask test` finds out whether it may mount one");
        return;
    };
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("unshare")
        .args(unshare.split_whitespace())
        .arg(program)
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .env("PITLANE_TEST_BINARY", crate::server::binary())
        .output()
        .expect("unshare runs");
    let told = crate::server::printed(&output);
    assert!(output.status.success() && told.contains("1 passed"), "{test}:\n{told}");
}

/// A file system in memory.
pub struct Disk {
    at: PathBuf,
}

impl Disk {
    /// An empty one, over a folder.
    ///
    /// # Panics
    /// It can't be mounted.
    pub fn mount(at: &Path, kibibytes: u32) -> Self {
        let disk = Self { at: at.to_owned() };
        disk.run(&["-t", "tmpfs", "-o", &format!("size={kibibytes}k"), "tmpfs"]);
        disk
    }

    /// Takes what is left of it, but for some bytes.
    ///
    /// # Panics
    /// It fails for another reason than that the disk is full.
    pub fn fill(&self, but: u64) {
        let mut file = File::options().append(true).create(true).open(self.filler()).expect("a file");
        for size in [65_536, 4_096, 1] {
            let block = vec![b'x'; size];
            loop {
                match file.write(&block) {
                    Ok(written) => assert!(written > 0, "the disk takes no more and does not say so"),
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        let taken = file.metadata().expect("the file is there").len();
        file.set_len(taken.saturating_sub(but)).expect("less of it");
    }

    /// Gives back what [`Self::fill`] took.
    ///
    /// # Panics
    /// It was not filled.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("the disk was filled");
    }

    /// Forbids writing on it, or allows it again.
    ///
    /// # Panics
    /// It can't be.
    pub fn set_writable(&self, writable: bool) {
        self.run(&["-o", if writable { "remount,rw" } else { "remount,ro" }]);
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    fn run(&self, arguments: &[&str]) {
        mount(arguments, &self.at);
    }
}

/// Forbids writing to one file, whoever asks.
///
/// # Panics
/// It can't be forbidden.
pub fn make_read_only(file: &Path) {
    let name = file.to_str().expect("a path of plain text");
    mount(&["--bind", name], file);
    mount(&["-o", "remount,bind,ro"], file);
}

/// Takes back [`make_read_only`].
///
/// # Panics
/// The file was not read-only.
pub fn make_writable(file: &Path) {
    let done = Command::new("umount").arg(file).status();
    assert!(done.is_ok_and(|status| status.success()), "umount {}", file.display());
}

fn mount(arguments: &[&str], at: &Path) {
    let done = Command::new("mount").args(arguments).arg(at).status();
    assert!(done.is_ok_and(|status| status.success()), "mount {arguments:?} {}", at.display());
}
