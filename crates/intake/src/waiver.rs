//! The waiver: its versions, and who has accepted which (decision G-09).

use kernel::id::{IntakeId, UserId, WaiverAcceptanceId};
use kernel::{StoreError, Timestamp};

use crate::error::Fault;

/// One version of the text. A version's text never changes once somebody could have read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    version: String,
    title: String,
    paragraphs: Vec<String>,
}

impl Waiver {
    /// Reads a version from its file: a heading line that begins with `# `, then paragraphs with blank lines between.
    ///
    /// # Errors
    /// What the file lacks.
    pub fn parse(version: &str, text: &str) -> Result<Self, &'static str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if version.is_empty() || version.len() > 40 || !version.chars().all(plain) {
            return Err("a version has 1 to 40 letters, digits, - or .");
        }
        let text = text.replace("\r\n", "\n");
        let (heading, body) =
            text.trim_start().split_once('\n').ok_or("a waiver has a heading and a text")?;
        let title = heading.strip_prefix("# ").map(str::trim).unwrap_or_default();
        if title.is_empty() {
            return Err("a waiver begins with a heading, `# ` and its title");
        }
        let paragraphs: Vec<String> = body
            .split("\n\n")
            .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|paragraph| !paragraph.is_empty())
            .collect();
        if paragraphs.is_empty() {
            return Err("a waiver has at least one paragraph");
        }
        Ok(Self { version: version.to_owned(), title: title.to_owned(), paragraphs })
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its heading.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its text, one entry a paragraph.
    pub fn paragraphs(&self) -> &[String] {
        &self.paragraphs
    }
}

/// Every version, and the one in force: the newest, by the order of the versions' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waivers {
    current: Waiver,
    earlier: Vec<Waiver>,
}

impl Waivers {
    /// All versions together; `None` when there is none, or when two have the same name.
    pub fn new(mut versions: Vec<Waiver>) -> Option<Self> {
        versions.sort_by(|a, b| a.version.cmp(&b.version));
        let twice = versions.windows(2).any(|pair| matches!(pair, [a, b] if a.version == b.version));
        let current = versions.pop()?;
        (!twice).then_some(Self { current, earlier: versions })
    }

    /// The version in force.
    pub const fn current(&self) -> &Waiver {
        &self.current
    }

    /// A version, to show what somebody accepted.
    pub fn version(&self, version: &str) -> Option<&Waiver> {
        std::iter::once(&self.current).chain(&self.earlier).find(|waiver| waiver.version == version)
    }

    /// The version that an answer accepts. `shown` is the version that the person had in front of them, when it is
    /// known: somebody who read an older text has not accepted the new one.
    ///
    /// # Errors
    /// `waiver_not_accepted`, or `waiver_changed` when a newer text is in force.
    pub fn accepted(&self, accept: bool, shown: Option<&str>) -> Result<&Waiver, Fault> {
        if !accept {
            return Err(Fault::new("accept_waiver", "waiver_not_accepted", "Accept the waiver to go on."));
        }
        if shown.is_some_and(|shown| shown != self.current.version) {
            return Err(Fault::new(
                "accept_waiver",
                "waiver_changed",
                "The waiver has changed since this page was opened. Please read and accept it again.",
            ));
        }
        Ok(&self.current)
    }
}

/// Somebody accepted a version of the waiver for one intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverAcceptance {
    /// The acceptance.
    pub id: WaiverAcceptanceId,
    /// Who accepted.
    pub customer: UserId,
    /// For which intake; one acceptance each.
    pub intake: IntakeId,
    /// The version they accepted.
    pub version: String,
    /// The address they came from, 64 characters at most.
    pub address: String,
    /// When.
    pub accepted_at: Timestamp,
}

impl WaiverAcceptance {
    /// Checks a stored acceptance.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] without a version.
    pub fn restored(self) -> Result<Self, StoreError> {
        if self.version.is_empty() {
            return Err(StoreError::corrupt("waiver_acceptance", "it has no version"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(version: &str) -> Waiver {
        Waiver::parse(version, "# Title\n\nOne\nparagraph.\n\nAnother.\n").expect("a waiver")
    }

    #[test]
    fn a_file_is_a_heading_and_paragraphs() {
        let waiver = waiver("2025-10");
        assert_eq!(waiver.title(), "Title");
        assert_eq!(waiver.paragraphs(), ["One paragraph.", "Another."]);
        for text in ["", "# Title", "Title\n\ntext", "# \n\ntext", "# Title\n\n \n"] {
            assert!(Waiver::parse("2025-10", text).is_err(), "{text:?}");
        }
        assert!(Waiver::parse("../etc", "# T\n\ntext").is_err());
    }

    #[test]
    fn the_newest_version_is_in_force_and_the_earlier_ones_can_be_read() {
        let waivers = Waivers::new(vec![waiver("2026-01"), waiver("2025-10")]).expect("two versions");
        assert_eq!(waivers.current().version(), "2026-01");
        assert!(waivers.version("2025-10").is_some());
        assert!(waivers.version("2024-01").is_none());
        assert!(Waivers::new(vec![]).is_none());
        assert!(Waivers::new(vec![waiver("2025-10"), waiver("2025-10")]).is_none());
    }

    #[test]
    fn only_the_text_in_force_can_be_accepted() {
        let waivers = Waivers::new(vec![waiver("2026-01"), waiver("2025-10")]).expect("two versions");
        let cases = [
            (true, None, Ok("2026-01")),
            (true, Some("2026-01"), Ok("2026-01")),
            (true, Some("2025-10"), Err("waiver_changed")),
            (false, None, Err("waiver_not_accepted")),
            (false, Some("2026-01"), Err("waiver_not_accepted")),
        ];
        for (accept, shown, expected) in cases {
            let answer = waivers.accepted(accept, shown).map(Waiver::version).map_err(|fault| fault.code);
            assert_eq!(answer, expected, "{accept} {shown:?}");
        }
    }

    #[test]
    fn the_shipped_waiver_can_be_read() {
        let shipped = Waiver::parse("2025-10", include_str!("../../../config/waiver/2025-10.md"));
        assert!(shipped.is_ok_and(|waiver| waiver.paragraphs().len() >= 4));
    }
}
