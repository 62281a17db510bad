//! The terms and the privacy text: one Markdown file each.

use web::legal::{LegalText, LegalTexts};

use super::Settings;
use super::reader::{Problem, Problems};

const TERMS: (&str, &str) = ("config/terms.md", include_str!("../../../../config/terms.md"));
const PRIVACY: (&str, &str) = ("config/privacy.md", include_str!("../../../../config/privacy.md"));

impl Settings {
    /// Reads both texts. Where a file is missing, the one that came with this version of Pitlane is used.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn legal() -> Result<LegalTexts, Problems> {
        match (text(TERMS), text(PRIVACY)) {
            (Ok(terms), Ok(privacy)) => Ok(LegalTexts { terms, privacy }),
            (terms, privacy) => Err(Problems([terms.err(), privacy.err()].into_iter().flatten().collect())),
        }
    }
}

fn text((file, built_in): (&str, &str)) -> Result<LegalText, Problem> {
    let refused = |right: String| Problem { key: file.to_owned(), value: None, right };
    let markdown = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => built_in.to_owned(),
        Err(error) => return Err(refused(format!("the file can't be read: {error}"))),
    };
    LegalText::parse(&markdown).map_err(|right| refused(right.to_owned()))
}
