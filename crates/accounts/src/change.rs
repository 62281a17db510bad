//! What a signed-in person changes about their account.

use kernel::{Context, SignInId, UserId};

use crate::email::Email;
use crate::error::Error;
use crate::mail_quota::{self, Unasked};
use crate::one_time::{self, LinkSecret, OneTimeToken, Purpose};
use crate::password::PasswordHash;
use crate::store::Store;
use crate::user::{ProfileChange, User};

/// A change; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Name, telephone, time zone, type.
    pub profile: ProfileChange,
    /// Another address, taken once the link that is mailed to it was opened, and that link.
    pub email: Option<(Email, LinkSecret)>,
    /// Another password, hashed.
    pub password: Option<PasswordHash>,
    /// The stored hash that the typed current password matched. A new address or password needs it.
    pub matched: Option<PasswordHash>,
    /// The sign-in that goes on when the password changes; the others end.
    pub keep: Option<SignInId>,
}

/// What came of a change.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The person now.
    pub user: User,
    /// The link to the address that was asked for.
    pub link: Option<OneTimeToken>,
    /// Whether there is another password.
    pub password_changed: bool,
}

/// Changes the account.
///
/// # Errors
/// [`Error::NotFound`], [`Error::WrongCredentials`] when a new address or password comes without the current
/// password, [`Error::EmailTaken`], [`Error::TooManyAttempts`] when too many addresses were asked for, or a failure of the store.
pub fn change(store: &mut dyn Store, user: UserId, wanted: &Change, cx: &Context) -> Result<Changed, Error> {
    let before = store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    let is_sensitive = wanted.email.is_some() || wanted.password.is_some();
    // Compared with the hash as it is now: it may have changed while the slow comparison ran.
    if is_sensitive && (wanted.matched.is_none() || before.password() != wanted.matched.as_ref()) {
        return Err(Error::WrongCredentials);
    }
    let mut after = before.clone().with_profile(wanted.profile.clone(), cx.now);
    if let Some(password) = &wanted.password {
        after = after.with_password(Some(password.clone()), cx.now);
        store.sign_ins_revoke(user, wanted.keep, cx.now)?;
        // Whoever knew the old password may have asked for them.
        for purpose in [Purpose::ChangeEmail, Purpose::PasswordReset, Purpose::MagicLink] {
            store.one_time_tokens_void(user, purpose)?;
        }
    }
    store.user_update(&after)?;
    let link = match &wanted.email {
        Some((email, secret)) if email != before.email() => {
            mail_quota::unasked(store, user, email, Unasked::Change, cx)?;
            Some(one_time::issue_change_of_email(store, &after, email.clone(), *secret, cx)?)
        }
        Some(_) | None => None,
    };
    Ok(Changed { user: after, link, password_changed: wanted.password.is_some() })
}
