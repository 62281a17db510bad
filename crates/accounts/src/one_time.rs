//! Links that work once.

use kernel::{Context, OneTimeTokenId, Timestamp, UserId};

use crate::attempts::AttemptKey;
use crate::email::Email;
use crate::error::Error;
use crate::mail_quota;
use crate::password::PasswordHash;
use crate::return_path::ReturnPath;
use crate::sign_in::{self, Device, Outcome};
use crate::store::Store;
use crate::token::TokenHash;
use crate::user::User;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Showing that the person reads the mailbox.
    VerifyEmail,
    /// Signing in without a password.
    MagicLink,
    /// Choosing a new password.
    PasswordReset,
    /// Taking another address, to which the link was sent.
    ChangeEmail,
    /// Going on with a sign-in whose first proof was right. It is in a form, not in a mail.
    SecondFactor,
    /// Telling an address that it is the account's no more. It leads nowhere and is given to nobody: it keeps the
    /// address until the mail is written.
    FormerEmail,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::VerifyEmail,
        Self::MagicLink,
        Self::PasswordReset,
        Self::ChangeEmail,
        Self::SecondFactor,
        Self::FormerEmail,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::MagicLink => "magic_link",
            Self::PasswordReset => "password_reset",
            Self::ChangeEmail => "change_email",
            Self::SecondFactor => "second_factor",
            Self::FormerEmail => "former_email",
        }
    }

    /// The purpose of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// For how many seconds the link works.
    pub const fn ttl_seconds(self) -> i64 {
        match self {
            Self::VerifyEmail | Self::ChangeEmail | Self::FormerEmail => 24 * 3_600,
            Self::MagicLink | Self::SecondFactor => 15 * 60,
            Self::PasswordReset => 60 * 60,
        }
    }
}

/// A link that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeToken {
    /// The link.
    pub id: OneTimeTokenId,
    /// Whose it is.
    pub user: UserId,
    /// What for.
    pub purpose: Purpose,
    /// The address it was sent to. It is void once the account has another one.
    pub email: Email,
    /// The hash of its secret.
    pub token: TokenHash,
    /// Where to go afterwards.
    pub return_path: Option<ReturnPath>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
}

impl OneTimeToken {
    /// Whether it works now for its person. One that was sent to an address of the past does not; one that brings
    /// another address is sent to that one.
    pub fn is_good(&self, user: &User, now: Timestamp) -> bool {
        let address = self.purpose == Purpose::ChangeEmail || *user.email() == self.email;
        now < self.expires_at && user.is_active() && address
    }
}

/// The id of a link and the hash of its secret, made by the app, which can make the secret again from the id when
/// the mail is written; so the secret is stored nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkSecret {
    /// The id.
    pub id: OneTimeTokenId,
    /// The hash of the secret.
    pub token: TokenHash,
}

/// Makes a link for the person; older links for the same purpose stop working.
///
/// # Errors
/// A failure of the store.
pub fn issue(
    store: &mut dyn Store,
    user: &User,
    purpose: Purpose,
    secret: LinkSecret,
    return_path: Option<ReturnPath>,
    cx: &Context,
) -> Result<OneTimeToken, Error> {
    let token = OneTimeToken {
        id: secret.id,
        user: user.id(),
        purpose,
        email: user.email().clone(),
        token: secret.token,
        return_path,
        created_at: cx.now,
        expires_at: cx.now.plus_seconds(purpose.ttl_seconds()),
    };
    replace(store, token)
}

/// Makes the link that gives the person another address once it is opened; one for an earlier wish stops working.
///
/// # Errors
/// [`Error::EmailTaken`], or a failure of the store.
pub fn issue_change_of_email(
    store: &mut dyn Store,
    user: &User,
    email: Email,
    secret: LinkSecret,
    cx: &Context,
) -> Result<OneTimeToken, Error> {
    if store.user_by_email(&email)?.is_some() {
        return Err(Error::EmailTaken);
    }
    let purpose = Purpose::ChangeEmail;
    replace(
        store,
        OneTimeToken {
            id: secret.id,
            user: user.id(),
            purpose,
            email,
            token: secret.token,
            return_path: None,
            created_at: cx.now,
            expires_at: cx.now.plus_seconds(purpose.ttl_seconds()),
        },
    )
}

fn replace(store: &mut dyn Store, token: OneTimeToken) -> Result<OneTimeToken, Error> {
    store.one_time_tokens_void(token.user, token.purpose)?;
    store.one_time_token_insert(&token)?;
    Ok(token)
}

/// Somebody asks for a link to an address that was typed.
#[derive(Debug, Clone)]
pub struct LinkRequest {
    /// The address that was typed.
    pub email: Email,
    /// What for.
    pub purpose: Purpose,
    /// The new link.
    pub secret: LinkSecret,
    /// Where to go afterwards.
    pub return_path: Option<ReturnPath>,
    /// The network address of who asks.
    pub address: String,
    /// How many links a minute.
    pub limit: u32,
}

/// Makes the link if there is an active account and the limit is not reached; the answer to the outside is the same
/// either way. Every request is counted.
///
/// # Errors
/// A failure of the store.
pub fn request(
    store: &mut dyn Store,
    request: &LinkRequest,
    cx: &Context,
) -> Result<Option<(User, OneTimeToken)>, Error> {
    let key = AttemptKey::link(&request.email, &request.address);
    let attempts = store.login_attempts_for_update(&key, cx.now)?;
    if attempts.blocked(request.limit, cx.now).is_some() {
        return Ok(None);
    }
    store.login_attempts_put(&key, attempts.failed(cx.now))?;
    match mail_quota::asked_from(store, &request.address, request.limit, cx) {
        Ok(()) => {}
        Err(Error::TooManyAttempts { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    let Some(user) = store.user_by_email(&request.email)?.filter(User::is_active) else { return Ok(None) };
    if !mail_quota::link(store, &request.email, cx)? {
        return Ok(None);
    }
    let token = issue(store, &user, request.purpose, request.secret, request.return_path.clone(), cx)?;
    Ok(Some((user, token)))
}

/// Uses the link up and gives its person, locked. Of two calls at once exactly one gets it.
pub(crate) fn claim(
    store: &mut dyn Store,
    purpose: Purpose,
    token: &TokenHash,
    cx: &Context,
) -> Result<(User, OneTimeToken), Error> {
    let claimed = store.one_time_token_claim(purpose, token)?.ok_or(Error::InvalidToken)?;
    let user = store.user_for_update(claimed.user)?.ok_or(Error::InvalidToken)?;
    if claimed.is_good(&user, cx.now) { Ok((user, claimed)) } else { Err(Error::InvalidToken) }
}

/// The person of a link that would work now, without using it up; for a page with a button.
///
/// # Errors
/// A failure of the store.
pub fn peek(
    store: &mut dyn Store,
    purpose: Purpose,
    token: &TokenHash,
    cx: &Context,
) -> Result<Option<User>, Error> {
    let Some(found) = store.one_time_token_by_hash(purpose, token)? else { return Ok(None) };
    let user = store.user_by_id(found.user)?;
    Ok(user.filter(|user| found.is_good(user, cx.now)))
}

/// Takes everything from an account that somebody else may have registered with an address that is not theirs:
/// its password, its authenticator app, its sign-ins and its API tokens.
fn take_back(store: &mut dyn Store, user: User, cx: &Context) -> Result<User, Error> {
    store.sign_ins_revoke(user.id(), None, cx.now)?;
    store.api_tokens_revoke(user.id(), cx.now)?;
    for purpose in Purpose::ALL {
        store.one_time_tokens_void(user.id(), purpose)?;
    }
    store.second_factor_delete(user.id())?;
    Ok(user.with_password(None, cx.now))
}

/// The link in a verification mail: the address is the person's, whether it is the account's or the one it is to
/// have from now on. Links that were sent to the earlier address stop working. Where the account had another address,
/// the second part is what that one is told by, under the id and the hash of `note`.
///
/// # Errors
/// [`Error::InvalidToken`], [`Error::EmailTaken`] when somebody else took the address meanwhile, or a failure of the
/// store.
pub fn verify_email(
    store: &mut dyn Store,
    token: &TokenHash,
    note: LinkSecret,
    cx: &Context,
) -> Result<(User, Option<OneTimeToken>), Error> {
    let (user, former) = if store.one_time_token_by_hash(Purpose::ChangeEmail, token)?.is_some() {
        let (user, link) = claim(store, Purpose::ChangeEmail, token, cx)?;
        // An address that is still to be told of an earlier change is not forgotten for this one.
        for purpose in Purpose::ALL.into_iter().filter(|purpose| *purpose != Purpose::FormerEmail) {
            store.one_time_tokens_void(user.id(), purpose)?;
        }
        // One that was never confirmed may be a stranger's, who is not told anything.
        let former = user.email_verified().then(|| user.email().clone());
        (user.with_email(link.email, cx.now), former)
    } else {
        (claim(store, Purpose::VerifyEmail, token, cx)?.0, None)
    };
    let user = user.verified(cx.now);
    if !store.user_update(&user)? {
        return Err(Error::EmailTaken);
    }
    let Some(email) = former.filter(|former| former != user.email()) else { return Ok((user, None)) };
    let purpose = Purpose::FormerEmail;
    let told = OneTimeToken {
        id: note.id,
        user: user.id(),
        purpose,
        email,
        token: note.token,
        return_path: None,
        created_at: cx.now,
        expires_at: cx.now.plus_seconds(purpose.ttl_seconds()),
    };
    store.one_time_token_insert(&told)?;
    Ok((user, Some(told)))
}

/// The link in a sign-in mail. An account that was never verified is taken back from whoever registered it: it
/// loses its password, its other sign-ins and its API tokens.
///
/// # Errors
/// [`Error::InvalidToken`], or a failure of the store.
pub fn sign_in_by_link(
    store: &mut dyn Store,
    token: &TokenHash,
    device: &Device,
    days: u32,
    ticket: LinkSecret,
    cx: &Context,
) -> Result<(Outcome, Option<ReturnPath>), Error> {
    let (user, link) = claim(store, Purpose::MagicLink, token, cx)?;
    let user = if user.email_verified() { user } else { take_back(store, user, cx)?.verified(cx.now) };
    store.user_update(&user)?;
    let path = link.return_path;
    let outcome = sign_in::finish(store, user, device, days, (ticket, path.clone()), cx)?;
    Ok((outcome, path))
}

/// The link in a reset mail: sets the password and ends every sign-in. It shows, too, that the address is the
/// person's.
///
/// # Errors
/// [`Error::InvalidToken`], or a failure of the store.
pub fn reset_password(
    store: &mut dyn Store,
    token: &TokenHash,
    password: PasswordHash,
    cx: &Context,
) -> Result<User, Error> {
    let (user, _) = claim(store, Purpose::PasswordReset, token, cx)?;
    let user = if user.email_verified() {
        store.sign_ins_revoke(user.id(), None, cx.now)?;
        user
    } else {
        take_back(store, user, cx)?.verified(cx.now)
    };
    let user = user.with_password(Some(password), cx.now);
    store.user_update(&user)?;
    Ok(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_its_own_life() {
        for (purpose, seconds) in [
            (Purpose::VerifyEmail, 86_400),
            (Purpose::ChangeEmail, 86_400),
            (Purpose::MagicLink, 900),
            (Purpose::SecondFactor, 900),
            (Purpose::PasswordReset, 3_600),
            (Purpose::FormerEmail, 86_400),
        ] {
            assert_eq!(purpose.ttl_seconds(), seconds);
            assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
        }
    }
}
