//! Text messages: one or two plain sentences within 160 characters, so that each is one message.

/// Milestone `phone_code`: the code that shows whose a telephone is.
#[must_use]
pub fn phone_code(code: &str, valid_minutes: i64) -> String {
    format!(
        "{code} is your Pitlane code. It works for {valid_minutes} minutes. Nobody from Pitlane will ask you for it."
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_text_message_is_one_message() {
        let text = super::phone_code("012345", 10);
        assert!(text.len() <= 160 && text.is_ascii() && text.starts_with("012345 is"), "{text}");
    }
}
