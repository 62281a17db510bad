//! How often a password may be tried and a link be asked for.
//!
//! Only failures count, per account and address. They are counted for addresses without an account too, so that
//! the limit tells nothing, and in the database, so that several nodes agree. A right password that arrives while
//! the limit is reached is refused as well; otherwise many guesses sent at once would all be looked at.

use kernel::{Timestamp, UserId};
use sha2::{Digest as _, Sha256};

use crate::email::Email;

/// The length of the window in which failures are counted, in seconds.
pub const ATTEMPT_WINDOW_SECONDS: i64 = 60;

/// What is being tried, by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptKey {
    account: [u8; 32],
    address: String,
}

impl AttemptKey {
    /// Trying a password of the account with this e-mail address, from a network address.
    pub fn password(email: &Email, address: &str) -> Self {
        Self::new("password", email.as_str(), address)
    }

    /// Asking for links to this e-mail address, from a network address.
    pub fn link(email: &Email, address: &str) -> Self {
        Self::new("link", email.as_str(), address)
    }

    /// Typing codes of this person's authenticator app, from wherever: six digits can be guessed from many
    /// addresses.
    pub fn code(user: UserId) -> Self {
        Self::new("code", &user.to_string(), "")
    }

    /// Beginning to change one's address, from wherever.
    pub(crate) fn changes(user: UserId) -> Self {
        Self::new("changes", &user.to_string(), "")
    }

    /// Inviting people, from wherever.
    pub(crate) fn invitations(user: UserId) -> Self {
        Self::new("invitations", &user.to_string(), "")
    }

    /// Mails to this address that nobody there asked for.
    pub(crate) fn unasked(email: &Email) -> Self {
        Self::new("unasked", email.as_str(), "")
    }

    /// Links to this address, whoever asks and from wherever.
    pub(crate) fn links(email: &Email) -> Self {
        Self::new("links", email.as_str(), "")
    }

    fn new(what: &str, account: &str, address: &str) -> Self {
        let account = Sha256::new().chain_update(what).chain_update([0]).chain_update(account).finalize();
        Self { account: account.into(), address: address.chars().take(64).collect() }
    }

    /// The hash of the account's e-mail address; addresses that were only typed are not kept in clear.
    pub const fn account(&self) -> &[u8; 32] {
        &self.account
    }

    /// The network address, at most 64 characters.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// The failures in the current window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginAttempts {
    /// When the first of them happened.
    pub window_started_at: Timestamp,
    /// How many there were.
    pub failures: u32,
}

impl LoginAttempts {
    /// No failure yet.
    pub const fn none(now: Timestamp) -> Self {
        Self { window_started_at: now, failures: 0 }
    }

    /// Seconds to wait (1 to 60) when the limit is reached, `None` when another attempt is looked at.
    pub fn blocked(self, limit: u32, now: Timestamp) -> Option<u32> {
        self.blocked_within(ATTEMPT_WINDOW_SECONDS, limit, now)
    }

    /// With one failure more.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        self.counted_within(ATTEMPT_WINDOW_SECONDS, now)
    }

    /// Seconds to wait when the limit of a window of that many seconds is reached.
    pub(crate) fn blocked_within(self, window: i64, limit: u32, now: Timestamp) -> Option<u32> {
        let current = self.current(window, now);
        let wait = window - now.seconds_since(current.window_started_at);
        (current.failures >= limit).then(|| u32::try_from(wait.clamp(1, window)).unwrap_or(1))
    }

    /// With one more in a window of that many seconds.
    pub(crate) fn counted_within(self, window: i64, now: Timestamp) -> Self {
        let current = self.current(window, now);
        Self { failures: current.failures.saturating_add(1), ..current }
    }

    fn current(self, window: i64, now: Timestamp) -> Self {
        let age = now.seconds_since(self.window_started_at);
        // A window from the future is one of a clock that was moved back.
        if (0..window).contains(&age) && self.failures > 0 { self } else { Self::none(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn the_limit_holds_until_a_minute_after_the_first_failure() {
        let mut attempts = LoginAttempts::none(at(0));
        for second in 0..10 {
            assert_eq!(attempts.blocked(10, at(second)), None, "attempt {second}");
            attempts = attempts.failed(at(second));
        }
        for (second, wait) in [(9, Some(51)), (30, Some(30)), (59, Some(1)), (60, None), (-5, None)] {
            assert_eq!(attempts.blocked(10, at(second)), wait, "at {second} s");
        }
        assert_eq!(attempts.failed(at(60)), LoginAttempts { window_started_at: at(60), failures: 1 });
    }

    #[test]
    fn a_key_depends_on_what_is_tried_the_account_and_the_address() {
        let email = Email::parse("driver@example.com").expect("an address");
        let other = Email::parse("other@example.com").expect("an address");
        let key = AttemptKey::password(&email, "192.0.2.1");
        assert_eq!(key, AttemptKey::password(&email, "192.0.2.1"));
        for different in [
            AttemptKey::password(&other, "192.0.2.1"),
            AttemptKey::password(&email, "192.0.2.2"),
            AttemptKey::link(&email, "192.0.2.1"),
        ] {
            assert_ne!(key, different);
        }
    }
}
