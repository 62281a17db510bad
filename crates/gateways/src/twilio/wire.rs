//! Twilio's shapes (<https://www.twilio.com/docs/messaging/api/message-resource>), as pure functions.

use notifications::{Message, Receipt, SendError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// Where an account's messages are made.
pub fn path(account_sid: &str) -> String {
    format!("/2010-04-01/Accounts/{}/Messages.json", utf8_percent_encode(account_sid, NON_ALPHANUMERIC))
}

/// One message from `from`: a number or name, or a messaging service that chooses one.
pub fn form(message: &Message, from: &str) -> String {
    let sender = if is_service(from) { "MessagingServiceSid" } else { "From" };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", &message.to).append_pair(sender, from).append_pair("Body", &message.text);
    form.finish()
}

/// Whether a sender is one that messages may come from: a number with its country, a short code, a name of letters and
/// digits, or a messaging service.
pub fn is_sender(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    if is_number {
        return if text.starts_with('+') { (7..=15).contains(&digits.len()) } else { text.len() <= 8 };
    }
    let is_name = (1..=11).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '+' | '&'))
        && text.chars().any(|c| c.is_ascii_alphabetic());
    is_name || is_service(text)
}

fn is_service(text: &str) -> bool {
    text.strip_prefix("MG")
        .is_some_and(|rest| rest.len() == 32 && rest.chars().all(|c| c.is_ascii_hexdigit()))
}

/// How Twilio says no.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Refusal {
    /// The number of the reason (<https://www.twilio.com/docs/api/errors>); 0 where there is none.
    pub(crate) code: u32,
    /// The reason. It may hold what was sent.
    pub(crate) message: String,
}

impl Refusal {
    /// The refusal in the body of an answer that is no success.
    pub(crate) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

/// What an answer to a message means.
///
/// # Errors
/// [`SendError::Refused`] when this message will never be taken: its telephone is none, can't get text messages, or its
/// owner has answered STOP. [`SendError::NotSent`] when it was not taken and may be later: the account, its key or its
/// sender is wrong, or Twilio is busy. [`SendError::Unknown`] when Twilio failed in the middle.
pub fn answer(status: u16, body: &[u8]) -> Result<Receipt, SendError> {
    if (200..300).contains(&status) {
        let taken: Option<Taken> = serde_json::from_slice(body).ok();
        let named = taken.map(|taken| taken.sid).filter(|sid| (1..=100).contains(&sid.len()));
        return Ok(named.unwrap_or_else(|| "unnamed".to_owned()));
    }
    let Refusal { code, message } = Refusal::read(body);
    let reason = format!("Twilio answered {status}: {} ({code})", masked(&message));
    Err(match (status, code) {
        (400, code) if code != 0 && !CONFIGURATION.contains(&code) => SendError::Refused(reason),
        // <https://www.twilio.com/docs/api/errors/20500>: after any other failure it may go out all the same.
        (500..=502 | 504..=599, _) => SendError::Unknown(reason),
        // <https://www.twilio.com/docs/api/errors/20429> and 20503: it was never looked at.
        _ => SendError::NotSent(reason),
    })
}

// What is wrong with the account, its sender or the moment, and not with the message.
const CONFIGURATION: [u32; 15] = [
    20003, // the key
    21212, // the sender is none
    21408, // texts to this country are switched off
    21603, // no sender
    21606, // the sender can't send
    21608, // a trial, which writes to numbers of its owner's alone
    21611, // too many wait already
    21616, // the sender is several
    21659, // the sender is not at Twilio
    21660, // the sender is another account's
    21661, // the sender can't send texts
    21701, // the messaging service is none
    21703, // the messaging service has no number
    21705, // the messaging service is none
    21730, // maintenance
];

/// Without the numbers of telephones: of each stay the last two digits.
fn masked(text: &str) -> String {
    let (mut told, mut digits) = (String::new(), String::new());
    let end = |told: &mut String, digits: &mut String| {
        if digits.len() < 5 {
            told.push_str(digits);
        } else {
            told.push('…');
            told.push_str(&digits[digits.len() - 2..]);
        }
        digits.clear();
    };
    for c in text.chars().take(300) {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            end(&mut told, &mut digits);
            told.push(c);
        }
    }
    end(&mut told, &mut digits);
    told
}

#[cfg(test)]
mod tests {
    use notifications::Milestone;
    use serde_json::json;

    use super::*;

    fn message(text: &str) -> Message {
        Message {
            to: "+15550100199".to_owned(),
            subject: String::new(),
            text: text.to_owned(),
            html: None,
            links: vec![],
            milestone: Milestone::PhoneCode,
            unsubscribe_url: None,
        }
    }

    #[test]
    fn a_message_is_sent_in_twilios_words() {
        assert_eq!(path("AC1"), "/2010-04-01/Accounts/AC1/Messages.json");
        assert_eq!(path("AC1/../x"), "/2010-04-01/Accounts/AC1%2F%2E%2E%2Fx/Messages.json");
        assert_eq!(
            form(&message("1234 & more"), "+15550100100"),
            "To=%2B15550100199&From=%2B15550100100&Body=1234+%26+more"
        );
        let service = format!("MG{}", "0a".repeat(16));
        let chosen = format!("To=%2B15550100199&MessagingServiceSid={service}&Body=x");
        assert_eq!(form(&message("x"), &service), chosen);
    }

    #[test]
    fn a_sender_is_a_number_a_name_or_a_service() {
        let service = format!("MG{}", "0a".repeat(16));
        for sender in ["+15550100100", "12345", "Pitlane", "Pit Lane 2", "MG", service.as_str()] {
            assert!(is_sender(sender), "{sender}");
        }
        for other in
            ["", "+", "+12", "+1555010010012345", "15550100100", "+1 555 010 0100", "Pitlane the Great"]
        {
            assert!(!is_sender(other), "{other}");
        }
    }

    #[test]
    fn an_answer_says_whether_to_try_again() {
        assert_eq!(answer(201, br#"{"sid":"SM1","status":"queued"}"#), Ok("SM1".to_owned()));
        for odd in [&b""[..], b"{}", br#"{"sid":""}"#] {
            assert_eq!(answer(201, odd), Ok("unnamed".to_owned()));
        }
        let told = |status: u16, code: u32| {
            let body = json!({ "status": status, "code": code, "message": "why", "more_info": "where" });
            match answer(status, body.to_string().as_bytes()) {
                Ok(receipt) => receipt,
                Err(SendError::Refused(_)) => "never".to_owned(),
                Err(SendError::NotSent(_)) => "later".to_owned(),
                Err(SendError::Unknown(_)) => "unknown".to_owned(),
            }
        };
        for (status, code, expected) in [
            (400, 21211, "never"),
            (400, 21610, "never"),
            (400, 21614, "never"),
            (400, 21617, "never"),
            (400, 21606, "later"),
            (400, 21660, "later"),
            (400, 21705, "later"),
            (400, 0, "later"),
            (401, 20003, "later"),
            (403, 20005, "later"),
            (404, 20404, "later"),
            (429, 20429, "later"),
            (429, 63038, "later"),
            (503, 20503, "later"),
            (500, 20500, "unknown"),
            (502, 0, "unknown"),
            (504, 0, "unknown"),
        ] {
            assert_eq!(told(status, code), expected, "{status} {code}");
        }
        assert_eq!(answer(502, b"<html>"), Err(SendError::Unknown("Twilio answered 502:  (0)".to_owned())));
    }

    #[test]
    fn a_reason_holds_no_telephone() {
        let body = br#"{"code":21211,"message":"The 'To' number +15550100199 is not a valid phone number."}"#;
        let reason = "Twilio answered 400: The 'To' number +…99 is not a valid phone number. (21211)";
        assert_eq!(answer(400, body), Err(SendError::Refused(reason.to_owned())));
        assert_eq!(masked("1 of 2010-04-01"), "1 of 2010-04-01");
        assert_eq!(masked("15550100199"), "…99");
    }
}
