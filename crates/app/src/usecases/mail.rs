//! Telling somebody something by mail or text message, once.

use hmac::{Hmac, KeyInit, Mac};
use kernel::id::{
    AlertId, ApiTokenId, ApplicationStepId, AuditId, EventId, InvitationId, OneTimeTokenId, OrderId,
    PhoneCodeId, RefundId, SessionId, UserId,
};
use kernel::{Context, Timestamp};
use notifications::{Channel, Milestone, NewDelivery};
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
    /// What was said or decided about an application.
    Application(ApplicationStepId),
    /// A workshop's invitation.
    Invitation(InvitationId),
    /// An account that was closed, by the line of the audit log that tells of it.
    Suspension(AuditId),
    /// A decision against a mechanic, by the line of the audit log that tells of it.
    Approval(AuditId),
    /// A code that shows whose a telephone is.
    PhoneCode(PhoneCodeId),
    /// What somebody was told on their own channel.
    Notice(EventId),
    /// Something that support is told of.
    Alert(AlertId),
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
            Self::Application(id) => id.uuid(),
            Self::Invitation(id) => id.uuid(),
            Self::Suspension(id) | Self::Approval(id) => id.uuid(),
            Self::PhoneCode(id) => id.uuid(),
            Self::Notice(id) => id.uuid(),
            Self::Alert(id) => id.uuid(),
            Self::Account(id) => id,
        }
    }
}

/// The payload of a mail job.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct MailJob {
    /// The delivery to be made.
    pub delivery: Uuid,
    /// Whether it must not go together with others: a call with it in it was refused.
    #[serde(default)]
    pub alone: bool,
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
    enqueue_at(store, milestone, recipient, about, cx.now, cx)
}

/// The same, for a mail that is to be sent at `run_at`. What it says and whether it is still wanted is looked at then.
///
/// # Errors
/// When the storage fails.
pub fn enqueue_at<S: notifications::Store + jobs::Store>(
    store: &mut S,
    milestone: Milestone,
    recipient: UserId,
    about: About,
    run_at: Timestamp,
    cx: &Context,
) -> Result<bool, Error> {
    enqueue_all(store, milestone.channels(), milestone, recipient, about, run_at, cx)
}

/// The same as [`enqueue`], on some of the milestone's channels alone; the others may follow.
///
/// # Errors
/// When the storage fails.
pub fn enqueue_on<S: notifications::Store + jobs::Store>(
    store: &mut S,
    channels: &[Channel],
    milestone: Milestone,
    recipient: UserId,
    about: About,
    cx: &Context,
) -> Result<bool, Error> {
    enqueue_all(store, channels, milestone, recipient, about, cx.now, cx)
}

fn enqueue_all<S: notifications::Store + jobs::Store>(
    store: &mut S,
    channels: &[Channel],
    milestone: Milestone,
    recipient: UserId,
    about: About,
    run_at: Timestamp,
    cx: &Context,
) -> Result<bool, Error> {
    let context = serde_json::to_string(&about).expect("an id serialises");
    let mut new = false;
    for channel in channels.iter().copied() {
        let kind = match channel {
            Channel::Mail => jobs::JobKind::Mail,
            Channel::Sms => jobs::JobKind::Sms,
            // Nothing is told on this channel yet.
            Channel::Push => continue,
        };
        let delivery =
            NewDelivery { milestone, channel, recipient, object: about.object(), context: context.clone() };
        let dedupe_key = format!("{kind}:{}", delivery.send_once_key());
        let Some(delivery) = notifications::enqueue(store, delivery, cx)? else { continue };
        let payload = MailJob { delivery: delivery.id().uuid(), alone: false };
        let job = jobs::NewJob {
            kind,
            payload: serde_json::to_string(&payload).expect("an id serialises"),
            run_at,
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

/// The secret of an API token that was asked for with an idempotency key, so that the same answer can be given again and
/// is kept nowhere.
pub fn api_token(secret: &Secret, id: ApiTokenId) -> accounts::Token {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(b"api-token:");
    mac.update(id.uuid().as_bytes());
    accounts::Token::api_token(accounts::Token::from_bytes(mac.finalize().into_bytes().into()))
}

/// The secret of an invitation, made in the same way.
pub fn invitation_token(secret: &Secret, id: InvitationId) -> accounts::Token {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(b"workshop-invitation:");
    mac.update(id.uuid().as_bytes());
    accounts::Token::from_bytes(mac.finalize().into_bytes().into())
}

/// The six digits of a code. They are made from the code's id, so that they can be made again when the message is written
/// and are stored nowhere.
pub fn phone_code(secret: &Secret, id: PhoneCodeId) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(b"phone-code:");
    mac.update(id.uuid().as_bytes());
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    // 64 bits make every code as likely as any other, to one part in ten to the thirteenth.
    let number = bytes.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// What is stored of a code: without the secret its six digits can't be found by trying them all.
pub fn phone_code_hash(secret: &Secret, id: PhoneCodeId, code: &str) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(b"phone-code-hash:");
    mac.update(id.uuid().as_bytes());
    mac.update(code.as_bytes());
    mac.finalize().into_bytes().into()
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
    fn a_code_has_six_digits_and_its_hash_depends_on_all_of_it() {
        let secret = Secret::new("a".repeat(32));
        let id = |number| PhoneCodeId::new(Uuid::from_u128(number));
        for number in 0..200 {
            let code = phone_code(&secret, id(number));
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
        assert_ne!(phone_code(&secret, id(1)), phone_code(&secret, id(2)));
        let hash = |number, code| phone_code_hash(&secret, id(number), code);
        assert_eq!(hash(1, "123456"), hash(1, "123456"));
        assert_ne!(hash(1, "123456"), hash(1, "123457"));
        assert_ne!(hash(1, "123456"), hash(2, "123456"));
    }

    #[test]
    fn what_a_mail_is_about_survives_the_database() {
        let about = About::Session(SessionId::new(Uuid::from_u128(7)));
        let text = serde_json::to_string(&about).expect("serialises");
        assert_eq!(text, r#"{"about":"session","id":"00000000-0000-0000-0000-000000000007"}"#);
        assert_eq!(serde_json::from_str::<About>(&text).expect("parses"), about);
    }
}
