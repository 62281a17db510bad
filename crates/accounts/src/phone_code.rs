//! Codes that show whose a telephone is.

use kernel::{Context, PhoneCodeId, Timestamp, UserId};

use crate::error::Error;
use crate::profile::Phone;
use crate::store::{Store, UserStore};
use crate::user::User;

/// How long a code works, in seconds.
pub const CODE_SECONDS: i64 = 600;
/// How many wrong codes are looked at before a new one has to be sent.
pub const TRIES_MAX: u32 = 5;
/// How long a person waits between two codes, in seconds.
pub const PAUSE_SECONDS: i64 = 60;
/// How many codes are sent within [`DAY_SECONDS`].
pub const SENDS_MAX: u32 = 5;
/// How long sends are counted together, in seconds.
pub const DAY_SECONDS: i64 = 86_400;

/// The code in force of one person. The code itself is not stored: the app makes it again from the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneCode {
    /// The code's id.
    pub id: PhoneCodeId,
    /// Whose it is.
    pub user: UserId,
    /// Where it is sent.
    pub phone: Phone,
    /// A keyed hash of the code; six digits alone could be tried through.
    pub hash: [u8; 32],
    /// How many wrong codes were typed.
    pub failures: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// From when on sends are counted.
    pub day_started_at: Timestamp,
    /// How many codes were sent since then.
    pub sends: u32,
    /// When it was typed right.
    pub used_at: Option<Timestamp>,
}

impl PhoneCode {
    /// Whether it still works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.used_at.is_none()
            && self.failures < TRIES_MAX
            && (0..CODE_SECONDS).contains(&now.seconds_since(self.sent_at))
    }

    /// Seconds until another code may be sent; `None` when it may be now.
    fn wait(&self, now: Timestamp) -> Option<u32> {
        let pause = PAUSE_SECONDS - now.seconds_since(self.sent_at);
        let day = DAY_SECONDS - now.seconds_since(self.day_started_at);
        let wait = if self.sends >= SENDS_MAX && day > 0 { day.max(pause) } else { pause };
        u32::try_from(wait).ok().filter(|wait| *wait > 0)
    }
}

/// The id of a new code and its hash, both made by the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeSecret {
    /// The id.
    pub id: PhoneCodeId,
    /// The keyed hash of the code.
    pub hash: [u8; 32],
}

/// Gives the person that telephone and a new code for it; the one before stops working. `None` when the telephone is
/// shown to be theirs already, so that there is nothing to send.
///
/// # Errors
/// [`Error::TooManyAttempts`] within a minute of the last code or after five within a day; [`Error::NotFound`]; a failure
/// of the store.
pub fn request(
    store: &mut dyn Store,
    user: UserId,
    phone: Phone,
    secret: CodeSecret,
    cx: &Context,
) -> Result<Option<PhoneCode>, Error> {
    let person = store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    if person.phone_verified() && person.record().phone.as_ref() == Some(&phone) {
        return Ok(None);
    }
    let before = store.phone_code(user)?;
    if let Some(retry_after_seconds) = before.as_ref().and_then(|code| code.wait(cx.now)) {
        return Err(Error::TooManyAttempts { retry_after_seconds });
    }
    let same_day =
        before.filter(|code| (0..DAY_SECONDS).contains(&cx.now.seconds_since(code.day_started_at)));
    let (day_started_at, sends) =
        same_day.map_or((cx.now, 1), |code| (code.day_started_at, code.sends.saturating_add(1)));
    let code = PhoneCode {
        id: secret.id,
        user,
        phone: phone.clone(),
        hash: secret.hash,
        failures: 0,
        sent_at: cx.now,
        day_started_at,
        sends,
        used_at: None,
    };
    store.phone_code_put(&code)?;
    store.user_update(&person.with_phone(phone, cx.now))?;
    Ok(Some(code))
}

/// What became of a typed code. A refusal is an outcome and not an error, because its count must be committed.
#[derive(Debug, Clone)]
pub enum CodeOutcome {
    /// The telephone is the person's.
    Verified(Box<User>),
    /// Refused with [`Error::InvalidCode`].
    Refused(Error),
}

/// Looks at the hash of a code that the person typed.
///
/// # Errors
/// [`Error::NotFound`], or a failure of the store.
pub fn verify(
    store: &mut dyn Store,
    user: UserId,
    hash: impl FnOnce(PhoneCodeId) -> [u8; 32],
    cx: &Context,
) -> Result<CodeOutcome, Error> {
    // The person is locked first, so that tries at the same time are counted one after the other.
    let person = store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    let live = store.phone_code(user)?.filter(|code| code.is_live(cx.now));
    // Another telephone was typed into the profile meanwhile.
    let code = live.filter(|code| person.record().phone.as_ref() == Some(&code.phone));
    let Some(mut code) = code else { return Ok(CodeOutcome::Refused(Error::InvalidCode)) };
    if code.hash != hash(code.id) {
        code.failures = code.failures.saturating_add(1);
        store.phone_code_put(&code)?;
        return Ok(CodeOutcome::Refused(Error::InvalidCode));
    }
    code.used_at = Some(cx.now);
    store.phone_code_put(&code)?;
    let person = person.with_verified_phone(cx.now);
    UserStore::user_update(store, &person)?;
    Ok(CodeOutcome::Verified(Box::new(person)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn code(sent: i64, day: i64, sends: u32) -> PhoneCode {
        PhoneCode {
            id: PhoneCodeId::new(uuid::Uuid::from_u128(1)),
            user: UserId::new(uuid::Uuid::from_u128(2)),
            phone: Phone::parse("+15550100199").expect("a number"),
            hash: [7; 32],
            failures: 0,
            sent_at: at(sent),
            day_started_at: at(day),
            sends,
            used_at: None,
        }
    }

    #[test]
    fn one_code_a_minute_and_five_a_day_are_sent() {
        for (code, now, wait) in [
            (code(0, 0, 1), 0, Some(60)),
            (code(0, 0, 1), 59, Some(1)),
            (code(0, 0, 1), 60, None),
            (code(400, 0, 5), 401, Some(85_999)),
            (code(400, 0, 5), 86_399, Some(1)),
            (code(400, 0, 5), 86_400, None),
            (code(86_390, 0, 5), 86_395, Some(55)),
        ] {
            assert_eq!(code.wait(at(now)), wait, "{} sends at {now}", code.sends);
        }
    }

    #[test]
    fn a_code_lives_ten_minutes_and_five_tries_and_works_once() {
        let fresh = code(0, 0, 1);
        assert!(fresh.is_live(at(599)) && !fresh.is_live(at(600)));
        assert!(!PhoneCode { failures: 5, ..fresh.clone() }.is_live(at(1)));
        assert!(PhoneCode { failures: 4, ..fresh.clone() }.is_live(at(1)));
        assert!(!PhoneCode { used_at: Some(at(1)), ..fresh }.is_live(at(2)));
    }
}
