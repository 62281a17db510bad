//! What a person tells about themselves.

use std::fmt;

use crate::error::FieldError;

/// The most characters of a name.
pub const NAME_MAX_CHARS: usize = 100;

/// A person's name as others see it: trimmed, 1 to 100 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// The trimmed name.
    ///
    /// # Errors
    /// `required`, `too_long` or `invalid`.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        checked_line("name", typed).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One trimmed line of 1 to 100 characters without control characters or marks that turn the text's direction
/// (they would let a name rewrite the text beside it).
pub(crate) fn checked_line(field: &'static str, typed: &str) -> Result<String, FieldError> {
    let trimmed = typed.trim();
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if trimmed.is_empty() {
        Err(FieldError::new(field, "required", format!("Enter a {field}.")))
    } else if trimmed.chars().count() > NAME_MAX_CHARS {
        Err(FieldError::new(field, "too_long", format!("Use at most {NAME_MAX_CHARS} characters.")))
    } else if trimmed.chars().any(|c| c.is_control() || turns(c)) {
        Err(FieldError::new(field, "invalid", "Use letters, digits, spaces and punctuation on one line."))
    } else {
        Ok(trimmed.to_owned())
    }
}

/// A telephone number in the international form (ITU-T E.164): `+`, then 7 to 15 digits of which the first is not 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The number without the spaces, dots, dashes, slashes and brackets that people write.
    ///
    /// # Errors
    /// `required` or `invalid`.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let compact: String = typed.trim().chars().filter(|c| !" .-/()".contains(*c)).collect();
        let digits = compact.strip_prefix('+').unwrap_or_default();
        let good = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if typed.trim().is_empty() {
            Err(FieldError::new("phone", "required", "Enter a telephone number."))
        } else if good {
            Ok(Self(compact))
        } else {
            let message = "Enter the number with its country's code, such as +1 555 010 0199.";
            Err(FieldError::new("phone", "invalid", message))
        }
    }

    /// A number that was stored. Earlier versions took numbers without their country's code.
    pub fn stored(number: String) -> Self {
        Self(number)
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The IANA name of a time zone that exists, such as `Europe/Berlin`, as the database of zones spells it.
///
/// The database is compiled in, so the answer is the same on every machine and needs no file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeZone(String);

/// What the database of zones gives for a zone that is not known; nobody lives there.
const UNKNOWN: &str = "Etc/Unknown";

impl TimeZone {
    /// `UTC`.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// The zone of that name, in any case of letters.
    ///
    /// # Errors
    /// `invalid` when there is no such zone.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        known(typed).map(Self).ok_or_else(|| {
            let message = "Enter the IANA name of a time zone, such as Europe/Berlin.";
            FieldError::new("time_zone", "invalid", message)
        })
    }

    /// The zone of a name that was stored. One that this version's database no longer has counts as UTC: nobody may
    /// be locked out because a zone was renamed.
    pub fn stored(name: &str) -> Self {
        known(name).map_or_else(Self::utc, Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn known(name: &str) -> Option<String> {
    let zone = jiff::tz::TimeZone::get(name).ok()?;
    zone.iana_name().filter(|name| *name != UNKNOWN).map(str::to_owned)
}

/// Who an account belongs to (GEN-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountType {
    /// A private person.
    Individual,
    /// A company.
    Business,
}

impl AccountType {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::Individual, Self::Business];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Individual => "individual",
            Self::Business => "business",
        }
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_visible_line() {
        let longest = "x".repeat(100);
        let too_long = "x".repeat(101);
        for (typed, result) in [
            ("  Maya Torres ", Ok("Maya Torres")),
            ("李小龍", Ok("李小龍")),
            (longest.as_str(), Ok(longest.as_str())),
            (" \t ", Err("required")),
            (too_long.as_str(), Err("too_long")),
            ("two\nlines", Err("invalid")),
            ("null\0byte", Err("invalid")),
            ("turned \u{202e}round", Err("invalid")),
        ] {
            let found = Name::parse(typed);
            assert_eq!(found.as_ref().map(Name::as_str).map_err(|error| error.code), result, "{typed:?}");
        }
    }

    #[test]
    fn a_phone_number_is_kept_without_decoration() {
        for (typed, result) in [
            ("+1 (555) 010-0199", Some("+15550100199")),
            ("+49 171/1234567", Some("+491711234567")),
            ("0171/1234567", None),
            ("+0171/1234567", None),
            ("+123456", None),
            ("+1234567890123456", None),
            ("", None),
            ("+1 555 CALL", None),
            ("1+5550100199", None),
        ] {
            assert_eq!(Phone::parse(typed).ok().as_ref().map(Phone::as_str), result, "{typed:?}");
        }
    }

    #[test]
    fn a_time_zone_is_one_that_exists_and_is_spelt_as_the_database_does() {
        for (typed, name) in [
            ("UTC", Some("UTC")),
            ("Europe/Berlin", Some("Europe/Berlin")),
            ("europe/berlin", Some("Europe/Berlin")),
            ("America/Argentina/Buenos_Aires", Some("America/Argentina/Buenos_Aires")),
            ("Asia/Calcutta", Some("Asia/Calcutta")),
            ("Etc/GMT+5", Some("Etc/GMT+5")),
            ("", None),
            ("here", None),
            ("Etc/Unknown", None),
            ("Europe/Atlantis", None),
            ("../../etc/passwd", None),
            ("+02:00", None),
            ("Europe Berlin", None),
        ] {
            assert_eq!(TimeZone::parse(typed).ok().as_ref().map(TimeZone::as_str), name, "{typed:?}");
        }
    }

    #[test]
    fn a_stored_zone_that_is_gone_counts_as_utc() {
        assert_eq!(TimeZone::stored("Europe/Berlin").as_str(), "Europe/Berlin");
        assert_eq!(TimeZone::stored("Europe/Atlantis"), TimeZone::utc());
    }
}
