//! What tests use from registries of other languages, each in a folder of its own beside the build, so that nothing of the
//! machine itself changes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, debug_binary, root};

/// Where it goes, wherever cargo builds.
pub(crate) fn place(name: &str) -> PathBuf {
    let debug = debug_binary();
    let target = debug.ancestors().nth(2).unwrap_or(root());
    target.join("installed").join(name)
}

/// Whether exactly what is `wanted` was installed into the folder, to the end.
pub(crate) fn is_current(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == wanted)
}

/// An empty folder, whatever was there.
///
/// # Errors
/// The file system's.
pub(crate) fn fresh(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Notes that the folder holds what is `wanted`; called last, so that what broke off is made again.
///
/// # Errors
/// The file system's.
pub(crate) fn note(folder: &Path, wanted: &str) -> Outcome {
    fs::write(folder.join("installed"), wanted).map_err(|error| format!("{}: {error}", folder.display()))
}
