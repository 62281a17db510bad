//! How often a password may be tried and a link be asked for.
//!
//! Only failures count, per account and address. They are counted for addresses without an account too, so that
//! the limit tells nothing, and in the database, so that several nodes agree. A right password that arrives while
//! the limit is reached is refused as well; otherwise many guesses sent at once would all be looked at.
//!
//! Two wider counts bound who spreads their guesses: over many accounts, or over many addresses. Each may be
//! [`WIDE_FACTOR`] times as many, so that an office behind one address is not shut out by its typing errors; and where
//! an account's is reached, the networks that it signed in from go on, so that strangers can't keep its person out.

// Addresses alone; there are no sockets in `core`.
use core::net::{IpAddr, Ipv6Addr};

use kernel::{Timestamp, UserId};
use sha2::{Digest as _, Sha256};

use crate::email::Email;

/// The length of the window in which failures are counted, in seconds.
pub const ATTEMPT_WINDOW_SECONDS: i64 = 60;

/// How many times the limit of one account and one address an address has at all accounts, and an account from all
/// addresses.
pub const WIDE_FACTOR: u32 = 10;

/// What one customer of a network provider has: an IPv4 address, or a /64 of IPv6.
pub fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

/// Whether both addresses are in one customer's network. Texts that are no addresses have to be equal.
pub(crate) fn are_in_one_network(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => network(one) == network(other),
        _ => one == other,
    }
}

/// The network of an address that has limits of its own. This machine itself has none: what comes from there without
/// saying for whom is a proxy that the configuration doesn't name, and its limit would be everybody's.
fn stranger(address: &str) -> Option<String> {
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    (!address.is_loopback()).then(|| Ipv6Addr::from_bits(network(address)).to_string())
}

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

    /// Trying passwords of this account, from wherever.
    pub(crate) fn passwords_of(email: &Email) -> Self {
        Self::new("passwords of", email.as_str(), "")
    }

    /// Trying passwords of whichever accounts, from the network of that address; `None` for one without a limit.
    pub(crate) fn passwords_from(address: &str) -> Option<Self> {
        stranger(address).map(|network| Self::new("passwords from", "", &network))
    }

    /// Asking for mails to whichever addresses, from the network of that address; `None` for one without a limit.
    pub(crate) fn mails_from(address: &str) -> Option<Self> {
        stranger(address).map(|network| Self::new("mails from", "", &network))
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
    fn a_customer_of_a_provider_is_one_network() {
        let net = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(net("2001:db8::1"), net("2001:db8::ffff:1"));
        assert_ne!(net("2001:db8::1"), net("2001:db8:0:1::1"));
        assert_ne!(net("203.0.113.7"), net("203.0.113.8"));
        assert_eq!(net("::ffff:203.0.113.7"), net("203.0.113.7"));
        assert_eq!(AttemptKey::mails_from("2001:db8::1"), AttemptKey::mails_from("2001:db8::2"));
        assert_ne!(AttemptKey::mails_from("203.0.113.7"), AttemptKey::passwords_from("203.0.113.7"));
        assert!(
            are_in_one_network("2001:db8::1", "2001:db8::2") && are_in_one_network("nonsense", "nonsense")
        );
        assert!(!are_in_one_network("203.0.113.7", "203.0.113.8") && !are_in_one_network("", "::"));
        for without in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "", "nonsense"] {
            assert_eq!(AttemptKey::passwords_from(without), None, "{without}");
        }
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
            AttemptKey::passwords_of(&email),
        ] {
            assert_ne!(key, different);
        }
    }
}
