//! The second proof at sign-in: a code of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, thirty seconds),
//! or one of ten recovery codes.
//!
//! The shared secret is stored nowhere. The app derives it from the enrolment's id and its own signing secret, and
//! hands it in; a stolen database opens no account.

use std::fmt;

use kernel::{Context, EnrolmentId, Timestamp, UserId};
use sha2::{Digest as _, Sha256};

use crate::attempts::{AttemptKey, LoginAttempts};
use crate::error::Error;
use crate::store::Store;
use crate::token::TokenHash;
use crate::user::User;

/// How many recovery codes a person gets at a time.
pub const RECOVERY_CODES: usize = 10;

/// The length of a recovery code without its hyphen: 80 random bits, five a letter.
const RECOVERY_LETTERS: usize = 16;

/// RFC 4648's letters, which can't be mistaken for one another.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What an authenticator app and the server both know.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret([u8; 20]);

impl SharedSecret {
    /// The secret of these 160 bits, which nobody must be able to guess.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    fn totp(&self, account: &str) -> totp_rs::Totp {
        let builder = totp_rs::Builder::new().with_secret(self.0).with_issuer(Some("Pitlane"));
        // The library refuses colons, which separate the issuer from the account in the address.
        builder
            .with_account_name(account.replace(':', "_"))
            .build()
            .expect("160 bits, six digits and names without a colon are what RFC 6238 asks for")
    }

    /// In base 32, to be typed into an app that can't read the picture.
    pub fn base32(&self) -> String {
        self.totp("").secret().to_base32()
    }

    /// The `otpauth://totp/…` address that apps read from a picture; `account` names it in their list.
    pub fn address(&self, account: &str) -> String {
        self.totp(account).to_url().expect("the issuer and the account hold no colon")
    }

    /// The thirty seconds that the code belongs to; `None` when it belongs to none close to now (one either side,
    /// for clocks that differ).
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        self.totp("").check(&digits, u64::try_from(now.unix_seconds()).ok()?)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// Makes the secret of an enrolment.
pub type SecretOf<'a> = dyn Fn(EnrolmentId) -> SharedSecret + 'a;

/// A person's authenticator app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose it is.
    pub user: UserId,
    /// What its secret is derived from.
    pub enrolment: EnrolmentId,
    /// When the person asked for it.
    pub created_at: Timestamp,
    /// When its first code was right. Until then it is not asked for.
    pub confirmed_at: Option<Timestamp>,
    /// The last thirty seconds (since 1970) whose code was taken: a code works once.
    pub last_step: u64,
}

impl SecondFactor {
    /// Whether signing in asks for it.
    pub const fn is_on(&self) -> bool {
        self.confirmed_at.is_some()
    }
}

/// A code for the day the phone is lost, in clear. It is shown once, works once, and is stored as a hash.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    fn random(cx: &Context) -> Self {
        let letter = |byte: &u8| char::from(LETTERS[usize::from(byte & 31)]);
        let mut text: String = cx.random::<RECOVERY_LETTERS>().iter().map(letter).collect();
        text.insert(RECOVERY_LETTERS / 2, '-');
        Self(text)
    }

    /// The code itself, to be handed to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of a code that somebody types, whatever its spaces, hyphens and capitals. A fast hash is
    /// enough, because 80 random bits can't be guessed.
    pub fn hash_of(typed: &str) -> TokenHash {
        let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
        TokenHash::new(Sha256::digest(letters.to_ascii_lowercase()).into())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// What became of a code that was typed. A refusal is an outcome and not an error, because its count must be
/// committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It is right, and used up.
    Right,
    /// Refused with [`Error::WrongCode`] or [`Error::TooManyAttempts`].
    Refused(Error),
}

/// Begins an enrolment; one that was begun and not confirmed is forgotten.
///
/// # Errors
/// [`Error::SecondFactorOn`], or a failure of the store.
pub fn begin(store: &mut dyn Store, user: UserId, cx: &Context) -> Result<SecondFactor, Error> {
    if store.second_factor_for_update(user)?.is_some_and(|factor| factor.is_on()) {
        return Err(Error::SecondFactorOn);
    }
    let enrolment = EnrolmentId::new(cx.id());
    let factor = SecondFactor { user, enrolment, created_at: cx.now, confirmed_at: None, last_step: 0 };
    store.second_factor_put(&factor)?;
    Ok(factor)
}

/// The first code of the app turns it on and gives the recovery codes, to be shown once.
///
/// # Errors
/// [`Error::NotFound`] when no enrolment was begun, [`Error::SecondFactorOn`], or a failure of the store.
pub fn confirm(
    store: &mut dyn Store,
    user: UserId,
    code: &str,
    secret_of: &SecretOf<'_>,
    limit: u32,
    cx: &Context,
) -> Result<Result<Vec<RecoveryCode>, Error>, Error> {
    let factor = store.second_factor_for_update(user)?.ok_or(Error::NotFound("enrolment"))?;
    if factor.is_on() {
        return Err(Error::SecondFactorOn);
    }
    let key = AttemptKey::code(user);
    if let Some(refusal) = blocked(store, &key, limit, cx)? {
        return Ok(Err(refusal));
    }
    let Some(step) = secret_of(factor.enrolment).step_of(code, cx.now) else {
        return failed(store, &key, cx).map(Err);
    };
    store.second_factor_put(&SecondFactor { confirmed_at: Some(cx.now), last_step: step, ..factor })?;
    renew(store, user, cx).map(Ok)
}

/// Gives the person ten new recovery codes; the older ones stop working.
///
/// # Errors
/// A failure of the store.
pub fn renew(store: &mut dyn Store, user: UserId, cx: &Context) -> Result<Vec<RecoveryCode>, Error> {
    let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| RecoveryCode::random(cx)).collect();
    let hashes: Vec<_> = codes.iter().map(|code| RecoveryCode::hash_of(code.expose())).collect();
    store.recovery_codes_replace(user, &hashes, cx.now)?;
    Ok(codes)
}

/// Looks at a code of the app or a recovery code, and uses it up. Who has no app turned on passes.
///
/// # Errors
/// A failure of the store.
pub fn check(
    store: &mut dyn Store,
    user: &User,
    code: &str,
    secret_of: &SecretOf<'_>,
    limit: u32,
    cx: &Context,
) -> Result<Checked, Error> {
    let factor = store.second_factor_for_update(user.id())?.filter(SecondFactor::is_on);
    let Some(factor) = factor else { return Ok(Checked::Right) };
    let key = AttemptKey::code(user.id());
    if let Some(refusal) = blocked(store, &key, limit, cx)? {
        return Ok(Checked::Refused(refusal));
    }
    let step = secret_of(factor.enrolment).step_of(code, cx.now).filter(|step| *step > factor.last_step);
    let is_right = match step {
        Some(last_step) => {
            store.second_factor_put(&SecondFactor { last_step, ..factor })?;
            true
        }
        None => store.recovery_code_claim(user.id(), &RecoveryCode::hash_of(code))?,
    };
    if !is_right {
        return failed(store, &key, cx).map(Checked::Refused);
    }
    store.login_attempts_put(&key, LoginAttempts::none(cx.now))?;
    Ok(Checked::Right)
}

/// Turns it off; `false` when it was not on.
///
/// # Errors
/// A failure of the store.
pub fn turn_off(store: &mut dyn Store, user: UserId) -> Result<bool, Error> {
    let was_on = store.second_factor_for_update(user)?.is_some_and(|factor| factor.is_on());
    store.second_factor_delete(user)?;
    Ok(was_on)
}

fn blocked(
    store: &mut dyn Store,
    key: &AttemptKey,
    limit: u32,
    cx: &Context,
) -> Result<Option<Error>, Error> {
    let attempts = store.login_attempts_for_update(key, cx.now)?;
    let wait = attempts.blocked(limit, cx.now);
    Ok(wait.map(|retry_after_seconds| Error::TooManyAttempts { retry_after_seconds }))
}

fn failed(store: &mut dyn Store, key: &AttemptKey, cx: &Context) -> Result<Error, Error> {
    let attempts = store.login_attempts_for_update(key, cx.now)?;
    store.login_attempts_put(key, attempts.failed(cx.now))?;
    Ok(Error::WrongCode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, context};

    const SECRET: SharedSecret = SharedSecret::new(*b"12345678901234567890");

    fn unix(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).expect("in range")
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six of eight digits.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            let step = u64::try_from(seconds / 30).expect("positive");
            assert_eq!(SECRET.step_of(code, unix(seconds)), Some(step), "{code}");
            let spaced = format!(" {} {}", &code[..3], &code[3..]);
            assert_eq!(SECRET.step_of(&spaced, unix(seconds)), Some(step), "{spaced}");
        }
    }

    #[test]
    fn a_code_works_one_step_early_or_late_and_no_further() {
        for (seconds, good) in [(0, true), (29, true), (59, true), (60, true), (89, true), (90, false)] {
            assert_eq!(SECRET.step_of("287082", unix(seconds)).is_some(), good, "{seconds}");
        }
        for wrong in ["287083", "28708", "2870820", "+87082", "abcdef", ""] {
            assert_eq!(SECRET.step_of(wrong, unix(59)), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_is_told_who_issues_the_codes_and_for_whom() {
        let address = SECRET.address("mechanic@example.com");
        assert!(address.starts_with("otpauth://totp/Pitlane:mechanic%40example.com?"), "{address}");
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{address}");
        assert!(address.contains("issuer=Pitlane"), "{address}");
        assert!(!SECRET.address("a:b@example.com").contains("a:b"));
        assert!(!format!("{SECRET:?}").contains("123"));
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let cx = context(0);
        let code = RecoveryCode::random(&cx);
        assert_eq!(code.expose().len(), RECOVERY_LETTERS + 1);
        let hash = RecoveryCode::hash_of(code.expose());
        let typed = format!(" {} ", code.expose().to_uppercase().replace('-', " "));
        assert_eq!(RecoveryCode::hash_of(&typed), hash);
        assert_ne!(RecoveryCode::hash_of(RecoveryCode::random(&cx).expose()), hash);
        assert!(!format!("{code:?}").contains(code.expose()));
        let off = SecondFactor {
            user: UserId::new(uuid::Uuid::from_u128(1)),
            enrolment: EnrolmentId::new(uuid::Uuid::from_u128(2)),
            created_at: at(0),
            confirmed_at: None,
            last_step: 0,
        };
        assert!(!off.is_on());
    }
}
