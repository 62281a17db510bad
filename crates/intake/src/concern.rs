//! The problem in the customer's words.

use crate::error::Fault;

/// The fewest characters that say anything: "oil" does.
pub const MIN_CHARS: usize = 3;
/// The most characters.
pub const MAX_CHARS: usize = 4_000;

/// A text of 3 to 4,000 characters without blanks at its ends and without control characters other than line breaks
/// and tabs. Line breaks are `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern(String);

impl Concern {
    /// Checks a text as it was typed.
    ///
    /// # Errors
    /// `too_short`, `too_long` or `invalid_characters`, for the field `concern`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned();
        let fault = |code, message: String| Err(Fault::new("concern", code, message));
        let length = text.chars().count();
        if length < MIN_CHARS {
            return fault("too_short", "Say in a few words what the car is doing.".to_owned());
        }
        if length > MAX_CHARS {
            return fault("too_long", format!("Use at most {MAX_CHARS} characters."));
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return fault("invalid_characters", "Use letters, digits and line breaks only.".to_owned());
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_trimmed_and_has_a_length() {
        let long = "x".repeat(MAX_CHARS + 1);
        let most = "é".repeat(MAX_CHARS);
        let cases = [
            ("  oil \r\n", Ok("oil")),
            ("one\r\ntwo", Ok("one\ntwo")),
            (most.as_str(), Ok(most.as_str())),
            ("", Err("too_short")),
            (" ok \n", Err("too_short")),
            (long.as_str(), Err("too_long")),
            ("bra\0kes", Err("invalid_characters")),
        ];
        for (text, expected) in cases {
            let parsed = Concern::parse(text).map(|concern| concern.0).map_err(|fault| fault.code);
            assert_eq!(parsed, expected.map(str::to_owned), "{text:?}");
        }
    }
}
