//! Signed-in devices.

use kernel::{Context, SignInId, Timestamp, UserId};

use crate::attempts::{AttemptKey, LoginAttempts, WIDE_FACTOR, are_in_one_network};
use crate::device_name::device_name;
use crate::email::Email;
use crate::error::Error;
use crate::one_time::{self, LinkSecret, Purpose};
use crate::password::PasswordHash;
use crate::return_path::ReturnPath;
use crate::second_factor::{self, Checked, SecretOf};
use crate::store::{CredentialStore, Store};
use crate::token::{Token, TokenHash};
use crate::user::User;

/// How much older than now the last sight of a device may be before it is written again, in seconds.
pub const LAST_SEEN_STEP_SECONDS: i64 = 300;

/// Where somebody signs in from, for the list of devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    user_agent: String,
    address: String,
}

impl Device {
    /// What the browser says it is (cut to 300 characters) and the network address (cut to 64).
    pub fn new(user_agent: &str, address: &str) -> Self {
        let line = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect();
        Self { user_agent: line(user_agent, 300), address: line(address, 64) }
    }

    /// What the browser says it is.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// The browser and the system in words, such as `Firefox on Linux`; empty when it says nothing that people know.
    pub fn name(&self) -> String {
        device_name(&self.user_agent)
    }

    /// The network address.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// A signed-in device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The sign-in.
    pub id: SignInId,
    /// Who signed in.
    pub user: UserId,
    /// The hash of the token in the cookie.
    pub token: TokenHash,
    /// Where from.
    pub device: Device,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last, to about five minutes.
    pub last_seen_at: Timestamp,
    /// From when on it is no longer valid.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

impl SignIn {
    /// Whether it is still good.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A fresh sign-in and its secret, for the cookie.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Who signed in.
    pub user: User,
    /// The sign-in.
    pub sign_in: SignIn,
    /// The secret, not stored.
    pub token: Token,
}

/// Signs the person in, for that many days.
///
/// # Errors
/// A failure of the store.
pub fn open(
    store: &mut dyn CredentialStore,
    user: User,
    device: &Device,
    days: u32,
    cx: &Context,
) -> Result<Opened, Error> {
    let token = Token::random(cx);
    let sign_in = SignIn {
        id: SignInId::new(cx.id()),
        user: user.id(),
        token: token.hash(),
        device: device.clone(),
        created_at: cx.now,
        last_seen_at: cx.now,
        expires_at: cx.now.plus_seconds(i64::from(days) * 86_400),
        revoked_at: None,
    };
    store.sign_in_insert(&sign_in)?;
    Ok(Opened { user, sign_in, token })
}

/// A try to sign in by password, after the password was compared outside.
#[derive(Debug, Clone)]
pub struct PasswordAttempt {
    /// The address that was typed.
    pub email: Email,
    /// The stored hash that the typed password matches; `None` when it matches none.
    pub matched: Option<PasswordHash>,
    /// Where from.
    pub device: Device,
    /// Failures per minute.
    pub limit: u32,
    /// How long the sign-in lasts.
    pub days: u32,
    /// A code of the authenticator app, if one was typed at once.
    pub code: Option<String>,
    /// With what the sign-in goes on when a code is asked for.
    pub ticket: LinkSecret,
    /// Where to go afterwards.
    pub return_path: Option<ReturnPath>,
}

/// What became of a try to sign in. A refusal is an outcome and not an error, because its count must be committed.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Signed in.
    SignedIn(Box<Opened>),
    /// The first proof was right; the ticket and a code of the authenticator app are asked for.
    NeedsCode,
    /// Refused with [`Error::WrongCredentials`], [`Error::WrongCode`], [`Error::TooManyAttempts`] or
    /// [`Error::Suspended`].
    Refused(Error),
}

/// Seconds to wait until a password of this account is looked at again when it is typed at that network address; `None`
/// when it is looked at now.
///
/// # Errors
/// A failure of the store.
pub fn wait(
    store: &mut dyn Store,
    email: &Email,
    address: &str,
    limit: u32,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    match wait_for(store, &AttemptKey::password(email, address), limit, now)? {
        Some(seconds) => Ok(Some(seconds)),
        None => wait_widely(store, email, address, limit, now),
    }
}

fn wait_for(
    store: &mut dyn Store,
    key: &AttemptKey,
    limit: u32,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    Ok(store.login_attempts(key)?.and_then(|attempts| attempts.blocked(limit, now)))
}

/// The same for the wider counts. They are read without a lock: everybody shares them, and a handful more guesses than
/// they say does no harm.
fn wait_widely(
    store: &mut dyn Store,
    email: &Email,
    address: &str,
    limit: u32,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    let limit = limit.saturating_mul(WIDE_FACTOR);
    if let Some(key) = AttemptKey::passwords_from(address)
        && let Some(seconds) = wait_for(store, &key, limit, now)?
    {
        return Ok(Some(seconds));
    }
    match wait_for(store, &AttemptKey::passwords_of(email), limit, now)? {
        Some(seconds) if !is_signed_in_from(store, email, address, now)? => Ok(Some(seconds)),
        Some(_) | None => Ok(None),
    }
}

fn is_signed_in_from(
    store: &mut dyn Store,
    email: &Email,
    address: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(user) = store.user_by_email(email)? else { return Ok(false) };
    Ok(store
        .sign_ins_of(user.id(), now)?
        .iter()
        .any(|sign_in| are_in_one_network(sign_in.device.address(), address)))
}

fn fail_widely(store: &mut dyn Store, email: &Email, address: &str, now: Timestamp) -> Result<(), Error> {
    let keys = std::iter::once(AttemptKey::passwords_of(email)).chain(AttemptKey::passwords_from(address));
    for key in keys {
        let attempts = store.login_attempts_for_update(&key, now)?;
        store.login_attempts_put(&key, attempts.failed(now))?;
    }
    Ok(())
}

/// Signs in by password, or counts the failure.
///
/// # Errors
/// A failure of the store.
pub fn by_password(
    store: &mut dyn Store,
    attempt: &PasswordAttempt,
    secret_of: &SecretOf<'_>,
    cx: &Context,
) -> Result<Outcome, Error> {
    let key = AttemptKey::password(&attempt.email, attempt.device.address());
    let attempts = store.login_attempts_for_update(&key, cx.now)?;
    if let Some(retry_after_seconds) = attempts.blocked(attempt.limit, cx.now) {
        return Ok(Outcome::Refused(Error::TooManyAttempts { retry_after_seconds }));
    }
    let address = attempt.device.address();
    if let Some(retry_after_seconds) = wait_widely(store, &attempt.email, address, attempt.limit, cx.now)? {
        return Ok(Outcome::Refused(Error::TooManyAttempts { retry_after_seconds }));
    }
    let user = store.user_by_email(&attempt.email)?;
    // The hash is compared again: the password may have been changed while the slow comparison ran.
    let matching =
        user.filter(|user| attempt.matched.is_some() && user.password() == attempt.matched.as_ref());
    let Some(user) = matching else {
        store.login_attempts_put(&key, attempts.failed(cx.now))?;
        fail_widely(store, &attempt.email, address, cx.now)?;
        return Ok(Outcome::Refused(Error::WrongCredentials));
    };
    if !user.is_active() {
        return Ok(Outcome::Refused(Error::Suspended));
    }
    store.login_attempts_put(&key, LoginAttempts::none(cx.now))?;
    match &attempt.code {
        None => {
            let after = (attempt.ticket, attempt.return_path.clone());
            finish(store, user, &attempt.device, attempt.days, after, cx)
        }
        Some(code) => match second_factor::check(store, &user, code, secret_of, attempt.limit, cx)? {
            Checked::Right => signed_in(store, user, &attempt.device, attempt.days, cx),
            Checked::Refused(error) => Ok(Outcome::Refused(error)),
        },
    }
}

fn signed_in(
    store: &mut dyn Store,
    user: User,
    device: &Device,
    days: u32,
    cx: &Context,
) -> Result<Outcome, Error> {
    open(store, user, device, days, cx).map(|opened| Outcome::SignedIn(Box::new(opened)))
}

/// After the first proof: signs in, or hands out the ticket when the person has an authenticator app.
///
/// # Errors
/// A failure of the store.
pub(crate) fn finish(
    store: &mut dyn Store,
    user: User,
    device: &Device,
    days: u32,
    (ticket, path): (LinkSecret, Option<ReturnPath>),
    cx: &Context,
) -> Result<Outcome, Error> {
    if store.second_factor_by_user(user.id())?.is_some_and(|factor| factor.is_on()) {
        one_time::issue(store, &user, Purpose::SecondFactor, ticket, path, cx)?;
        return Ok(Outcome::NeedsCode);
    }
    signed_in(store, user, device, days, cx)
}

/// Goes on with a sign-in after its first proof.
#[derive(Debug, Clone)]
pub struct CodeAttempt {
    /// The ticket of the first proof.
    pub ticket: TokenHash,
    /// A code of the authenticator app or a recovery code.
    pub code: String,
    /// Where from.
    pub device: Device,
    /// Failures per minute.
    pub limit: u32,
    /// How long the sign-in lasts.
    pub days: u32,
}

/// Signs in by ticket and code, or counts the failure. The ticket works until the code is right or its time is over.
///
/// # Errors
/// [`Error::InvalidToken`], or a failure of the store.
pub fn by_code(
    store: &mut dyn Store,
    attempt: &CodeAttempt,
    secret_of: &SecretOf<'_>,
    cx: &Context,
) -> Result<(Outcome, Option<ReturnPath>), Error> {
    let user =
        one_time::peek(store, Purpose::SecondFactor, &attempt.ticket, cx)?.ok_or(Error::InvalidToken)?;
    match second_factor::check(store, &user, &attempt.code, secret_of, attempt.limit, cx)? {
        Checked::Refused(error) => Ok((Outcome::Refused(error), None)),
        Checked::Right => {
            let (user, ticket) = one_time::claim(store, Purpose::SecondFactor, &attempt.ticket, cx)?;
            let outcome = signed_in(store, user, &attempt.device, attempt.days, cx)?;
            Ok((outcome, ticket.return_path))
        }
    }
}

/// Ends one sign-in of the person; `false` when it had ended before or is not theirs.
///
/// # Errors
/// A failure of the store.
pub fn revoke(
    store: &mut dyn CredentialStore,
    user: UserId,
    sign_in: SignInId,
    cx: &Context,
) -> Result<bool, Error> {
    Ok(store.sign_in_revoke(user, sign_in, cx.now)?)
}

/// Ends every sign-in of the person but that one; answers how many.
///
/// # Errors
/// A failure of the store.
pub fn revoke_others(
    store: &mut dyn CredentialStore,
    user: UserId,
    keep: SignInId,
    cx: &Context,
) -> Result<usize, Error> {
    Ok(store.sign_ins_revoke(user, Some(keep), cx.now)?)
}

/// Looks at the current password that a signed-in person typed, after it was compared outside, under the same limit
/// as a sign-in. A refusal is an outcome, because its count must be committed.
///
/// # Errors
/// A failure of the store.
pub fn confirm_password(
    store: &mut dyn CredentialStore,
    email: &Email,
    address: &str,
    is_right: bool,
    limit: u32,
    cx: &Context,
) -> Result<Option<Error>, Error> {
    let key = AttemptKey::password(email, address);
    let attempts = store.login_attempts_for_update(&key, cx.now)?;
    if let Some(retry_after_seconds) = attempts.blocked(limit, cx.now) {
        return Ok(Some(Error::TooManyAttempts { retry_after_seconds }));
    }
    if !is_right {
        store.login_attempts_put(&key, attempts.failed(cx.now))?;
        return Ok(Some(Error::WrongCredentials));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn what_a_browser_says_is_kept_short_and_on_one_line() {
        let device = Device::new(&format!("Browser\r\n{}", "x".repeat(400)), "192.0.2.1");
        assert_eq!(device.user_agent().chars().count(), 300);
        assert!(device.user_agent().starts_with("Browserx"));
        assert_eq!(device.address(), "192.0.2.1");
    }

    #[test]
    fn a_sign_in_lives_until_it_expires_or_is_ended() {
        let live = SignIn {
            id: SignInId::new(uuid::Uuid::from_u128(1)),
            user: UserId::new(uuid::Uuid::from_u128(2)),
            token: TokenHash::new([0; 32]),
            device: Device::default(),
            created_at: at(0),
            last_seen_at: at(0),
            expires_at: at(100),
            revoked_at: None,
        };
        assert!(live.is_live(at(99)));
        assert!(!live.is_live(at(100)));
        assert!(!SignIn { revoked_at: Some(at(5)), ..live }.is_live(at(6)));
    }
}
