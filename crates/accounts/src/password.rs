//! Passwords and what is kept of them.

use std::fmt;

use crate::error::FieldError;

/// The fewest characters of a password.
pub const PASSWORD_MIN_CHARS: usize = 8;
/// The most characters of a password. A limit, because hashing takes work.
pub const PASSWORD_MAX_CHARS: usize = 200;

/// A password that somebody chose: 8 to 200 characters of any kind, exactly as typed.
///
/// There are no rules about kinds of characters (NIST SP 800-63B, 3.1.1.2). It is never shown, logged or stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password to set, under the name of its field.
    ///
    /// # Errors
    /// `too_short` or `too_long`.
    pub fn parse(field: &'static str, typed: String) -> Result<Self, FieldError> {
        let chars = typed.chars().count();
        if chars < PASSWORD_MIN_CHARS {
            let message = format!("Use at least {PASSWORD_MIN_CHARS} characters.");
            return Err(FieldError::new(field, "too_short", message));
        }
        if chars > PASSWORD_MAX_CHARS {
            let message = format!("Use at most {PASSWORD_MAX_CHARS} characters.");
            return Err(FieldError::new(field, "too_long", message));
        }
        Ok(Self(typed))
    }

    /// The characters, for hashing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The salted, slow hash of a password as a PHC string, made and verified by the app.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a PHC string.
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_counted_in_characters() {
        for (typed, code) in [
            ("".to_owned(), Some("too_short")),
            ("1234567".to_owned(), Some("too_short")),
            ("12345678".to_owned(), None),
            ("пароль-да".to_owned(), None),
            ("ж".repeat(200), None),
            ("ж".repeat(201), Some("too_long")),
        ] {
            let found = Password::parse("password", typed.clone()).err().map(|error| error.code);
            assert_eq!(found, code, "{typed:?}");
        }
    }

    #[test]
    fn it_is_not_trimmed_and_never_printed() {
        let password = Password::parse("password", "  spaces count  ".to_owned()).expect("long enough");
        assert_eq!(password.expose(), "  spaces count  ");
        assert!(!format!("{password:?}").contains("spaces"));
        assert!(!format!("{:?}", PasswordHash::new("$argon2id$x".to_owned())).contains("argon"));
    }
}
