//! Text messages: one or two plain sentences within 160 characters, so that each is one message.

/// The longest text, in ASCII characters, that goes as one message.
const TEXT_MAX: usize = 160;

/// Milestone `phone_code`: the code that shows whose a telephone is.
#[must_use]
pub fn phone_code(code: &str, valid_minutes: i64) -> String {
    format!(
        "{code} is your Pitlane code. It works for {valid_minutes} minutes. Nobody from Pitlane will ask you for it."
    )
}

/// Milestone `session_upgraded`, in the first seed's words.
#[must_use]
pub fn session_upgraded(session_url: &str) -> String {
    format!("Customer upgraded to video. Enable camera. {session_url}")
}

/// Milestone `start_nudge`. A name that would make it too long is left out.
#[must_use]
pub fn start_nudge(customer_name: &str, session_url: &str) -> String {
    let text = format!("{customer_name} is waiting for you on Pitlane. Start the session. {session_url}");
    if text.len() <= TEXT_MAX && text.is_ascii() {
        return text;
    }
    format!("Your customer is waiting for you on Pitlane. Start the session. {session_url}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_text_message_is_one_message() {
        let room = "https://pitlane.example/chat/0198d7a0-0000-7000-8000-000000000001";
        let upgraded = super::session_upgraded(room);
        assert!(upgraded.len() <= 160 && upgraded.is_ascii() && upgraded.ends_with(room), "{upgraded}");
        let nudge = super::start_nudge("Dana Driver", room);
        assert!(nudge.len() <= 160 && nudge.starts_with("Dana Driver is waiting"), "{nudge}");
        for name in ["D\u{e1}na", &*"x".repeat(60)] {
            let nudge = super::start_nudge(name, room);
            assert!(nudge.len() <= 160 && nudge.is_ascii() && nudge.ends_with(room), "{nudge}");
        }
        let text = super::phone_code("012345", 10);
        assert!(text.len() <= 160 && text.is_ascii() && text.starts_with("012345 is"), "{text}");
    }
}
