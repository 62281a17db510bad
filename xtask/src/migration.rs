//! A new migration, under the same name for both databases.

use std::fs;
use std::process::Command;

use crate::run::{Outcome, output, root};

/// The folders of the two dialects.
pub(crate) const FOLDERS: [&str; 2] = ["migrations/postgres", "migrations/sqlite"];

/// Adds `<now>_<name>/up.sql` to both folders.
///
/// # Errors
/// The name is not snake_case, or a folder can't be written.
pub(crate) fn create(name: &str) -> Outcome {
    let snake = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !snake {
        return Err(format!("`{name}` is not a name in snake_case"));
    }
    let now = output(Command::new("date").args(["-u", "+%Y-%m-%d-%H%M%S"]))?;
    for parent in FOLDERS {
        let folder = root().join(parent).join(format!("{}_{name}", now.trim()));
        let file = folder.join("up.sql");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&file, format!("-- {}.\n", name.replace('_', " "))))
            .map_err(|error| format!("{} can't be written: {error}", file.display()))?;
        println!("{}", file.strip_prefix(root()).unwrap_or(&file).display());
    }
    Ok(())
}
