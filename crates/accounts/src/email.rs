//! E-mail addresses.

use std::fmt;

use crate::error::FieldError;

/// A plausible e-mail address in canonical form: trimmed, lower case, ASCII, at most 254 characters.
///
/// Two spellings that differ in case are the same account. Whether the address exists is only known once a link
/// that was sent there has been opened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// The canonical form of what was typed.
    ///
    /// # Errors
    /// `invalid` when it doesn't have the shape of an address.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let canonical = typed.trim().to_ascii_lowercase();
        if is_address(&canonical) {
            Ok(Self(canonical))
        } else {
            Err(FieldError::new("email", "invalid", "Enter an e-mail address such as name@example.com."))
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_address(text: &str) -> bool {
    if text.len() > 254 {
        return false;
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    is_local_part(local) && is_domain(domain)
}

/// The unquoted form of RFC 5321: letters, digits and a set of signs, in parts divided by single dots.
fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    (1..=64).contains(&local.len())
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(allowed))
}

/// At least two labels of letters, digits and inner hyphens.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plausible_addresses_pass_and_come_out_canonical() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}example.com", "a.".repeat(125));
        for (typed, canonical) in [
            ("driver@example.com", Some("driver@example.com")),
            ("  Driver@Example.COM \n", Some("driver@example.com")),
            ("first.last+tag@sub.example.co", Some("first.last+tag@sub.example.co")),
            ("o'neil@example.com", Some("o'neil@example.com")),
            ("", None),
            ("driver", None),
            ("driver@localhost", None),
            ("@example.com", None),
            ("driver@", None),
            ("a@b@example.com", None),
            ("two words@example.com", None),
            (".dot@example.com", None),
            ("dot.@example.com", None),
            ("two..dots@example.com", None),
            ("driver@-example.com", None),
            ("driver@example..com", None),
            ("driver@example.com\r\nBcc: x@example.com", None),
            ("d\u{e9}@example.com", None),
            (long_local.as_str(), None),
            (long.as_str(), None),
        ] {
            assert_eq!(Email::parse(typed).ok().as_ref().map(Email::as_str), canonical, "{typed:?}");
        }
    }
}
