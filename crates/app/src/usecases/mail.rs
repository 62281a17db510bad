//! Telling somebody something by mail, once.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Context;
use kernel::id::{OneTimeTokenId, OrderId, RefundId, SessionId, UserId};
use notifications::{Milestone, NewDelivery};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::Secret;
use crate::usecases::Error;

/// What a mail is about. It is all that is kept until the mail is written: ids, never addresses or secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", content = "id", rename_all = "snake_case")]
pub enum About {
    /// A link that works once, for verification, sign-in or a new password.
    Link(OneTimeTokenId),
    /// A session.
    Session(SessionId),
    /// What was paid.
    Order(OrderId),
    /// Money sent back.
    Refund(RefundId),
    /// Something that happened to the recipient's account; the id is the happening's own.
    Account(Uuid),
}

impl About {
    fn object(self) -> Uuid {
        match self {
            Self::Link(id) => id.uuid(),
            Self::Session(id) => id.uuid(),
            Self::Order(id) => id.uuid(),
            Self::Refund(id) => id.uuid(),
            Self::Account(id) => id,
        }
    }
}

/// The payload of a mail job.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct MailJob {
    /// The delivery to be made.
    pub delivery: Uuid,
}

/// Commits to telling `recipient` about `milestone`, in the transaction that reaches it. Answers `false` when that
/// was done before: the same milestone of the same thing is told to the same person once.
///
/// # Errors
/// When the storage fails.
pub fn enqueue<S: notifications::Store + jobs::Store>(
    store: &mut S,
    milestone: Milestone,
    recipient: UserId,
    about: About,
    cx: &Context,
) -> Result<bool, Error> {
    let context = serde_json::to_string(&about).expect("an id serialises");
    let mut new = false;
    for channel in milestone.channels().iter().copied() {
        let delivery =
            NewDelivery { milestone, channel, recipient, object: about.object(), context: context.clone() };
        let dedupe_key = format!("mail:{}", delivery.send_once_key());
        let Some(delivery) = notifications::enqueue(store, delivery, cx)? else { continue };
        let payload = MailJob { delivery: delivery.id().uuid() };
        let job = jobs::NewJob {
            kind: jobs::JobKind::Mail,
            payload: serde_json::to_string(&payload).expect("an id serialises"),
            run_at: cx.now,
            dedupe_key: Some(dedupe_key),
        };
        jobs::schedule(store, job, cx)?;
        new = true;
    }
    Ok(new)
}

/// Commits to telling a person what just happened to their account.
///
/// # Errors
/// When the storage fails.
pub fn notice<S: notifications::Store + jobs::Store>(
    store: &mut S,
    milestone: Milestone,
    recipient: UserId,
    cx: &Context,
) -> Result<(), Error> {
    enqueue(store, milestone, recipient, About::Account(cx.id()), cx).map(drop)
}

/// The secret of a link that works once. It is made from the link's id, so that it can be made again when the mail is
/// written and is stored nowhere; the store keeps its hash.
pub fn link_token(secret: &Secret, id: OneTimeTokenId) -> accounts::Token {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(b"one-time-link:");
    mac.update(id.uuid().as_bytes());
    accounts::Token::from_bytes(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_the_same_secret_every_time_and_another_one_for_every_link_and_server() {
        let (one, two) = (OneTimeTokenId::new(Uuid::from_u128(1)), OneTimeTokenId::new(Uuid::from_u128(2)));
        let (secret, other) = (Secret::new("a".repeat(32)), Secret::new("b".repeat(32)));
        let token = |secret, id| link_token(secret, id).expose().to_owned();
        assert_eq!(token(&secret, one), token(&secret, one));
        assert_ne!(token(&secret, one), token(&secret, two));
        assert_ne!(token(&secret, one), token(&other, one));
    }

    #[test]
    fn what_a_mail_is_about_survives_the_database() {
        let about = About::Session(SessionId::new(Uuid::from_u128(7)));
        let text = serde_json::to_string(&about).expect("serialises");
        assert_eq!(text, r#"{"about":"session","id":"00000000-0000-0000-0000-000000000007"}"#);
        assert_eq!(serde_json::from_str::<About>(&text).expect("parses"), about);
    }
}
