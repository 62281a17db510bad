//! Where a person goes after signing in.

use crate::error::FieldError;

/// The most bytes of a path to return to.
pub const RETURN_PATH_MAX_BYTES: usize = 2_000;

/// A path on this site, safe to redirect to: it begins with exactly one `/` and holds no backslash and no control
/// character.
///
/// Browsers read `//host`, `/\host` and a path with a tab or a line break between the two strokes as another site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// That path.
    ///
    /// # Errors
    /// `invalid` when a browser could leave this site.
    pub fn parse(path: &str) -> Result<Self, FieldError> {
        let safe = path.len() <= RETURN_PATH_MAX_BYTES
            && path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && !path.chars().any(char::is_control);
        if safe {
            Ok(Self(path.to_owned()))
        } else {
            Err(FieldError::new(
                "redirect",
                "invalid",
                "It must be a path on this site that begins with one /.",
            ))
        }
    }

    /// The path, with its query if it has one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_leads_to_another_site_passes() {
        for (path, good) in [
            ("/", true),
            ("/chat/0190?after=3#end", true),
            ("/a//b", true),
            ("/start?redirect=https://example.com", true),
            ("", false),
            ("chat", false),
            ("//example.com", false),
            ("///example.com", false),
            ("/\\example.com", false),
            ("\\/example.com", false),
            ("/chat\\x", false),
            ("/\t/example.com", false),
            ("/\n/example.com", false),
            (" /chat", false),
            ("https://example.com", false),
            ("javascript:alert(1)", false),
            ("/a\r\nSet-Cookie: x=y", false),
            ("/a\u{85}b", false),
        ] {
            assert_eq!(ReturnPath::parse(path).is_ok(), good, "{path:?}");
        }
        assert!(ReturnPath::parse(&format!("/{}", "x".repeat(2_000))).is_err());
    }
}
