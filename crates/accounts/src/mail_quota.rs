//! How many mails somebody may have sent to addresses that they have not shown to be theirs.
//!
//! Whoever changes their address or invites somebody makes Pitlane write to an address that they only typed. Without a
//! limit that is a way to fill a stranger's mailbox in our name. What a person asks for is counted, and what an address
//! gets from whoever asks. Links that anybody may ask for with an address alone are counted by the address too, and
//! say nothing when there are too many. Who is nobody yet, and registers or asks for links to one address after the
//! other, is counted by where they ask from.

use kernel::{Context, UserId};

use crate::attempts::{ATTEMPT_WINDOW_SECONDS, AttemptKey, WIDE_FACTOR};
use crate::email::Email;
use crate::error::Error;
use crate::store::Store;

/// The length of the window in which mails are counted, in seconds.
pub const MAIL_WINDOW_SECONDS: i64 = 3_600;
/// How many changes of address a person may begin in a window.
pub const CHANGES_MAX: u32 = 5;
/// How many invitations a person may send in a window.
pub const INVITED_MAX: u32 = 30;
/// How many of both an address gets in a window, whoever asks.
pub const UNASKED_MAX: u32 = 3;
/// How many links to sign in, to confirm and to reset an address gets in a window.
pub const LINKS_MAX: u32 = 10;

/// Why an address is written to that may be a stranger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// It is to become the address of an account.
    Change,
    /// A workshop invites.
    Invitation,
}

/// Counts one mail to an address that may be a stranger's.
///
/// # Errors
/// [`Error::TooManyAttempts`] when the person has sent, or the address has got, as many as it may; a failure of the
/// store.
pub fn unasked(
    store: &mut dyn Store,
    by: UserId,
    to: &Email,
    what: Unasked,
    cx: &Context,
) -> Result<(), Error> {
    let (by, max) = match what {
        Unasked::Change => (AttemptKey::changes(by), CHANGES_MAX),
        Unasked::Invitation => (AttemptKey::invitations(by), INVITED_MAX),
    };
    spend(store, &by, max, cx)?;
    spend(store, &AttemptKey::unasked(to), UNASKED_MAX, cx)
}

/// Counts one link to this address; `false` when it has got as many as it may.
///
/// # Errors
/// A failure of the store.
pub(crate) fn link(store: &mut dyn Store, to: &Email, cx: &Context) -> Result<bool, Error> {
    match spend(store, &AttemptKey::links(to), LINKS_MAX, cx) {
        Ok(()) => Ok(true),
        Err(Error::TooManyAttempts { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Counts one account or link that is asked for at that network address, of which `limit` a minute may be for one e-mail
/// address, and [`WIDE_FACTOR`] times as many for all of them.
///
/// # Errors
/// [`Error::TooManyAttempts`] when there were as many in this minute; a failure of the store.
pub fn asked_from(store: &mut dyn Store, address: &str, limit: u32, cx: &Context) -> Result<(), Error> {
    match AttemptKey::mails_from(address) {
        Some(key) => spend_within(store, &key, ATTEMPT_WINDOW_SECONDS, limit.saturating_mul(WIDE_FACTOR), cx),
        None => Ok(()),
    }
}

fn spend(store: &mut dyn Store, key: &AttemptKey, max: u32, cx: &Context) -> Result<(), Error> {
    spend_within(store, key, MAIL_WINDOW_SECONDS, max, cx)
}

fn spend_within(
    store: &mut dyn Store,
    key: &AttemptKey,
    window: i64,
    max: u32,
    cx: &Context,
) -> Result<(), Error> {
    let sent = store.login_attempts_for_update(key, cx.now)?;
    if let Some(retry_after_seconds) = sent.blocked_within(window, max, cx.now) {
        return Err(Error::TooManyAttempts { retry_after_seconds });
    }
    store.login_attempts_put(key, sent.counted_within(window, cx.now))?;
    Ok(())
}
