//! Files that are made from code, and kept in the tree for their readers.

use std::fs;

use crate::run::{Outcome, built, output, root};

const OPENAPI: &str = "docs/openapi.json";

/// Compares each with what the code makes now.
///
/// # Errors
/// A file is out of date, or can't be made.
pub(super) fn check() -> Outcome {
    let Ok(kept) = fs::read_to_string(root().join(OPENAPI)) else {
        println!("{OPENAPI} is not kept in this tree");
        return Ok(());
    };
    let made = openapi()?;
    if made == kept { Ok(()) } else { Err(format!("{OPENAPI} is out of date: run `cargo xtask openapi`")) }
}

/// Writes them anew.
///
/// # Errors
/// A file can't be made or written.
pub(crate) fn write() -> Outcome {
    fs::write(root().join(OPENAPI), openapi()?)
        .map_err(|error| format!("{OPENAPI} can't be written: {error}"))
}

fn openapi() -> Outcome<String> {
    output(built()?.arg("openapi"))
}
