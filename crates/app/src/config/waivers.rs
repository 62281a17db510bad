//! The versions of the waiver: one file each under `config/waiver`, named by its version.

use std::path::Path;

use intake::{Waiver, Waivers};

use super::Settings;
use super::reader::{Problem, Problems};

const FOLDER: &str = "config/waiver";
const BUILT_IN: [(&str, &str); 1] = [("2025-10", include_str!("../../../../config/waiver/2025-10.md"))];

impl Settings {
    /// Reads the versions of the waiver. Where the folder is missing, those that came with this version of Pitlane
    /// are used.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn waivers() -> Result<Waivers, Problems> {
        let files = match std::fs::read_dir(FOLDER) {
            Ok(entries) => read(entries)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                BUILT_IN.map(|(version, text)| (version.to_owned(), text.to_owned())).into()
            }
            Err(error) => return Err(refused(FOLDER, format!("the folder can't be read: {error}"))),
        };
        let mut versions = Vec::new();
        let mut problems = Vec::new();
        for (version, text) in files {
            match Waiver::parse(&version, &text) {
                Ok(waiver) => versions.push(waiver),
                Err(right) => problems.extend(refused(&format!("{FOLDER}/{version}.md"), right.to_owned()).0),
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Waivers::new(versions).ok_or_else(|| {
            refused(FOLDER, "put a version of the waiver here, for example 2025-10.md".to_owned())
        })
    }
}

fn read(entries: std::fs::ReadDir) -> Result<Vec<(String, String)>, Problems> {
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| refused(FOLDER, error.to_string()))?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push((version(&path), text(&path)?));
        }
    }
    Ok(files)
}

fn version(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(path: &Path) -> Result<String, Problems> {
    std::fs::read_to_string(path)
        .map_err(|error| refused(&path.display().to_string(), format!("the file can't be read: {error}")))
}

fn refused(key: &str, right: String) -> Problems {
    Problems(vec![Problem { key: key.to_owned(), value: None, right }])
}
