//! Resend's shapes (<https://resend.com/docs/api-reference>), as pure functions.

use notifications::{Message, Receipt, SendError};
use serde::{Deserialize, Serialize};

/// One mail, as `POST /emails` takes it.
#[derive(Debug, Serialize)]
pub struct Email<'m> {
    from: &'m str,
    to: [&'m str; 1],
    subject: &'m str,
    text: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'m str>,
    tags: [Tag<'m>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
}

/// What lets a mail program stop such mails by itself (RFC 8058).
#[derive(Debug, Serialize)]
struct Headers {
    #[serde(rename = "List-Unsubscribe")]
    list_unsubscribe: String,
    #[serde(rename = "List-Unsubscribe-Post")]
    list_unsubscribe_post: &'static str,
}

#[derive(Debug, Serialize)]
struct Tag<'m> {
    name: &'static str,
    value: &'m str,
}

impl<'m> Email<'m> {
    /// A message from `from`; answers go to `reply_to` unless that is empty.
    pub fn new(message: &'m Message, from: &'m str, reply_to: &'m str) -> Self {
        Self {
            from,
            to: [&message.to],
            subject: &message.subject,
            text: &message.text,
            html: message.html.as_deref(),
            reply_to: (!reply_to.is_empty()).then_some(reply_to),
            tags: [Tag { name: "milestone", value: message.milestone.as_str() }],
            headers: message.unsubscribe_url.as_ref().map(|url| Headers {
                list_unsubscribe: format!("<{url}>"),
                list_unsubscribe_post: "List-Unsubscribe=One-Click",
            }),
        }
    }
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TakenBatch {
    data: Vec<Taken>,
    errors: Vec<Rejected>,
}

#[derive(Deserialize)]
struct Rejected {
    index: usize,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refused {
    name: String,
    message: String,
}

/// What an answer to `POST /emails` means.
///
/// # Errors
/// [`SendError::Refused`] when this message will never be taken; [`SendError::NotSent`] when it was not and may be
/// later, as with a wrong key or a sender that is not verified yet; [`SendError::Unknown`] when Resend failed in the
/// middle.
pub fn answer(status: u16, body: &[u8]) -> Result<Receipt, SendError> {
    if (200..300).contains(&status) {
        let taken: Option<Taken> = serde_json::from_slice(body).ok();
        return Ok(taken.map_or_else(|| "unnamed".to_owned(), |taken| taken.id));
    }
    match refusal(status, body) {
        None => Ok(EARLIER.to_owned()),
        Some(error) => Err(error),
    }
}

/// What an answer to `POST /emails/batch` in permissive mode means for each of `count` mails, in their order
/// (<https://resend.com/docs/api-reference/emails/send-batch-emails>).
///
/// # Errors
/// As [`answer`], about all of them.
pub fn batch_answer(
    status: u16,
    body: &[u8],
    count: usize,
) -> Result<Vec<Result<Receipt, SendError>>, SendError> {
    if !(200..300).contains(&status) {
        return match refusal(status, body) {
            None => Ok(vec![Ok(EARLIER.to_owned()); count]),
            Some(error) => Err(error),
        };
    }
    let TakenBatch { data, errors } = serde_json::from_slice(body).unwrap_or_default();
    let mut taken = data.into_iter();
    // The ids are those of the mails that were taken, in their order; the others are told by their place.
    let outcome = |place| match errors.iter().find(|rejected| rejected.index == place) {
        Some(rejected) => Err(SendError::Refused(rejected.message.clone())),
        None => Ok(taken.next().map_or_else(|| "unnamed".to_owned(), |taken| taken.id)),
    };
    Ok((0..count).map(outcome).collect())
}

const EARLIER: &str = "earlier";

// What an answer that is no success means; `None` when the messages were taken before.
fn refusal(status: u16, body: &[u8]) -> Option<SendError> {
    let refused: Refused = serde_json::from_slice(body).unwrap_or_default();
    let reason = format!("{status} {} {}", refused.name, refused.message).trim_end().to_owned();
    match (status, refused.name.as_str()) {
        // It took a message under this key before; what was written anew since then is not what was sent.
        (409, "invalid_idempotent_request") => None,
        (400 | 413 | 422, name) if !CONFIGURATION.contains(&name) => Some(SendError::Refused(reason)),
        (500..=599, _) => Some(SendError::Unknown(reason)),
        _ => Some(SendError::NotSent(reason)),
    }
}

// What is wrong with the account or the sender and not with the message.
const CONFIGURATION: [&str; 4] =
    ["invalid_from_address", "missing_api_key", "invalid_api_key", "restricted_api_key"];

/// What Resend tells of a message that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feedback {
    /// These addresses do not take mail.
    Bounced(Vec<String>),
    /// The people at these addresses reported it as unwanted.
    Complained(Vec<String>),
    /// Something that changes nothing: it was delivered, delayed, opened.
    Nothing,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    to: Vec<String>,
    bounce: Option<Bounce>,
}

#[derive(Deserialize)]
struct Bounce {
    #[serde(default)]
    r#type: String,
}

/// Reads the body of a webhook, whose signature was checked. `None` when it is no event.
pub fn feedback(body: &[u8]) -> Option<Feedback> {
    let event: Event = serde_json::from_slice(body).ok()?;
    let addresses = event.data.to.iter().map(|address| bare(address)).collect();
    Some(match event.r#type.as_str() {
        // A mailbox that is full today is not a wrong address.
        "email.bounced" if event.data.bounce.is_some_and(|bounce| bounce.r#type == "Permanent") => {
            Feedback::Bounced(addresses)
        }
        "email.suppressed" => Feedback::Bounced(addresses),
        "email.complained" => Feedback::Complained(addresses),
        _ => Feedback::Nothing,
    })
}

/// `Name <address>` without the name.
fn bare(address: &str) -> String {
    let inside = address.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or(address, |(address, _)| address).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use notifications::Milestone;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mail_is_sent_in_resends_words() {
        let message = Message {
            to: "dana@example.com".to_owned(),
            subject: "Booked".to_owned(),
            text: "Hello".to_owned(),
            html: Some("<p>Hello</p>".to_owned()),
            links: vec![],
            milestone: Milestone::BookingConfirmed,
            unsubscribe_url: None,
        };
        let sent = serde_json::to_value(Email::new(&message, "Pitlane <a@b.c>", "help@b.c")).expect("JSON");
        assert_eq!(
            sent,
            json!({
                "from": "Pitlane <a@b.c>", "to": ["dana@example.com"], "subject": "Booked", "text": "Hello",
                "html": "<p>Hello</p>", "reply_to": "help@b.c",
                "tags": [{ "name": "milestone", "value": "booking_confirmed" }],
            })
        );
    }

    #[test]
    fn what_can_be_switched_off_says_how_to_programs_too() {
        let message = Message {
            to: "dana@example.com".to_owned(),
            subject: "Next".to_owned(),
            text: "Hello".to_owned(),
            html: None,
            links: vec![],
            milestone: Milestone::NextStepsReminder,
            unsubscribe_url: Some("https://pitlane.test/unsubscribe/x".to_owned()),
        };
        let sent = serde_json::to_value(Email::new(&message, "a@b.c", "")).expect("JSON");
        assert_eq!(
            sent["headers"],
            json!({
                "List-Unsubscribe": "<https://pitlane.test/unsubscribe/x>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            })
        );
    }

    #[test]
    fn an_answer_says_whether_to_try_again() {
        let told = |status, name: &str| {
            let body = json!({ "statusCode": status, "name": name, "message": "why" }).to_string();
            match answer(status, body.as_bytes()) {
                Ok(receipt) => receipt,
                Err(SendError::Refused(_)) => "never".to_owned(),
                Err(SendError::NotSent(_)) => "later".to_owned(),
                Err(SendError::Unknown(_)) => "unknown".to_owned(),
            }
        };
        assert_eq!(answer(200, br#"{"id":"49a3999c"}"#), Ok("49a3999c".to_owned()));
        for (status, name, expected) in [
            (422, "validation_error", "never"),
            (422, "invalid_from_address", "later"),
            (401, "missing_api_key", "later"),
            (403, "invalid_api_key", "later"),
            (409, "concurrent_idempotent_requests", "later"),
            (409, "invalid_idempotent_request", "earlier"),
            (429, "rate_limit_exceeded", "later"),
            (500, "application_error", "unknown"),
        ] {
            assert_eq!(told(status, name), expected, "{status} {name}");
        }
        assert_eq!(answer(502, b"<html>"), Err(SendError::Unknown("502".to_owned())));
    }

    #[test]
    fn one_bad_mail_of_a_batch_is_told_by_its_place_and_the_others_have_their_ids() {
        let body = br#"{"data":[{"id":"a"},{"id":"c"}],"errors":[{"index":1,"message":"bad `to`"}]}"#;
        let (ok, bad) = (|id: &str| Ok(id.to_owned()), Err(SendError::Refused("bad `to`".to_owned())));
        assert_eq!(batch_answer(200, body, 3), Ok(vec![ok("a"), bad, ok("c")]));
        assert_eq!(batch_answer(200, b"{}", 1), Ok(vec![ok("unnamed")]));
        let earlier = br#"{"name":"invalid_idempotent_request","message":"x"}"#;
        assert_eq!(batch_answer(409, earlier, 2), Ok(vec![ok("earlier"), ok("earlier")]));
        let whole = br#"{"name":"validation_error","message":"x"}"#;
        assert!(matches!(batch_answer(422, whole, 2), Err(SendError::Refused(_))));
        assert!(matches!(batch_answer(429, b"{}", 2), Err(SendError::NotSent(_))));
    }

    #[test]
    fn hard_bounces_and_complaints_are_told_from_everything_else() {
        let told = |body: serde_json::Value| feedback(body.to_string().as_bytes());
        let to = json!(["Dana <dana@example.com>"]);
        let dana = vec!["dana@example.com".to_owned()];
        let bounce =
            |kind| json!({ "type": "email.bounced", "data": { "to": to, "bounce": { "type": kind } } });
        assert_eq!(told(bounce("Permanent")), Some(Feedback::Bounced(dana.clone())));
        for passing in ["Transient", "Undetermined", ""] {
            assert_eq!(told(bounce(passing)), Some(Feedback::Nothing), "{passing}");
        }
        let complained = json!({ "type": "email.complained", "data": { "to": to } });
        assert_eq!(told(complained), Some(Feedback::Complained(dana)));
        assert_eq!(told(json!({ "type": "contact.created", "data": {} })), Some(Feedback::Nothing));
        assert_eq!(told(json!({ "data": {} })), None);
        assert_eq!(feedback(b"nonsense"), None);
    }
}
