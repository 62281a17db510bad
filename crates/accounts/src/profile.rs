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

/// A telephone number: an optional `+` and 7 to 15 digits (ITU-T E.164), without spaces and signs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The number without the spaces, dots, dashes, slashes and brackets that people write.
    ///
    /// # Errors
    /// `invalid`.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let compact: String = typed.trim().chars().filter(|c| !" .-/()".contains(*c)).collect();
        let digits = compact.strip_prefix('+').unwrap_or(&compact);
        if (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(compact))
        } else {
            Err(FieldError::new("phone", "invalid", "Enter a telephone number such as +1 555 010 0199."))
        }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a time zone with the shape of an IANA name, such as `Europe/Berlin`.
///
/// Whether the zone exists is decided where times are converted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeZone(String);

impl TimeZone {
    /// `UTC`.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// That name.
    ///
    /// # Errors
    /// `invalid`.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
        };
        let parts = typed.split('/').count();
        if typed.len() <= 64 && parts <= 3 && typed.split('/').all(part) {
            Ok(Self(typed.to_owned()))
        } else {
            let message = "Enter the IANA name of a time zone, such as Europe/Berlin.";
            Err(FieldError::new("time_zone", "invalid", message))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
            ("0171/1234567", Some("01711234567")),
            ("123456", None),
            ("1234567890123456", None),
            ("+1 555 CALL", None),
            ("1+5550100199", None),
        ] {
            assert_eq!(Phone::parse(typed).ok().as_ref().map(Phone::as_str), result, "{typed:?}");
        }
    }

    #[test]
    fn a_time_zone_has_the_shape_of_an_iana_name() {
        for (typed, good) in [
            ("UTC", true),
            ("Europe/Berlin", true),
            ("America/Argentina/Buenos_Aires", true),
            ("Etc/GMT+5", true),
            ("", false),
            ("/Europe", false),
            ("Europe/", false),
            ("../../etc/passwd", false),
            ("+02:00", false),
            ("Europe Berlin", false),
            ("A/B/C/D", false),
        ] {
            assert_eq!(TimeZone::parse(typed).is_ok(), good, "{typed:?}");
        }
    }
}
