//! What a signed-in person changes: profile, address, password, API tokens.

use accounts::audit::{self, NewAuditEntry};
use accounts::change::{self, Change};
use accounts::user::TypedProfile;
use accounts::{
    ApiToken, CredentialStore, Device, Email, Error as AccountsError, FieldError, Password, PasswordHash,
    Purpose, Token, User, api_token, sign_in,
};
use kernel::{Actor, ApiTokenId, Context, Role, SignInId, UserId};
use notifications::Milestone;
use store::Tx;

use super::{Error, links, mail, passwords};
use crate::state::Pitlane;

/// A change as it was typed; what is absent stays.
#[derive(Debug, Default)]
pub struct TypedChange {
    /// Name, telephone, time zone, type.
    pub profile: TypedProfile,
    /// Another address.
    pub email: Option<String>,
    /// Another password.
    pub password: Option<String>,
    /// The password as it is, for the two above.
    pub current_password: Option<String>,
}

impl TypedChange {
    /// Whether it needs the current password.
    pub const fn is_sensitive(&self) -> bool {
        self.email.is_some() || self.password.is_some()
    }
}

/// Changes the account. A new address is taken once the link that is mailed to it was opened; a new password ends
/// the other sign-ins. Both are told to the address that the account has.
///
/// # Errors
/// Fields that are wrong, a current password that is, too many tries at it, an address that has an account, or a
/// failure of the storage.
pub async fn change(
    pitlane: &Pitlane,
    user: &User,
    keep: Option<SignInId>,
    typed: TypedChange,
    device: &Device,
) -> Result<User, Error> {
    let is_sensitive = typed.is_sensitive();
    let mut wrong = Vec::new();
    let profile = match typed.profile.check() {
        Ok(profile) => Some(profile),
        Err(AccountsError::Invalid(errors)) => {
            wrong.extend(errors);
            None
        }
        Err(error) => return Err(error.into()),
    };
    let mut note = |error: FieldError| wrong.push(error);
    let email = typed.email.and_then(|email| Email::parse(&email).map_err(&mut note).ok());
    let password = typed.password.and_then(|text| Password::parse("password", text).map_err(&mut note).ok());
    let (Some(profile), true) = (profile, wrong.is_empty()) else {
        return Err(AccountsError::Invalid(wrong).into());
    };
    let matched = match is_sensitive {
        true => Some(confirm(pitlane, user, typed.current_password, device).await?),
        false => None,
    };
    let cx = pitlane.context();
    let password = match password {
        Some(password) => Some(passwords::hash(password, &cx).await?),
        None => None,
    };
    let email = email.map(|email| (email, links::secret(pitlane, &cx)));
    let (id, wanted) = (user.id(), Change { profile, email, password, matched, keep });
    let changed = pitlane.db.write(move |tx| {
        let changed = change::change(tx, id, &wanted, &cx)?;
        if let Some(link) = &changed.link {
            links::enqueue(tx, link, &cx)?;
            mail::notice(tx, Milestone::EmailChangeAsked, id, &cx)?;
        }
        if changed.password_changed {
            mail::notice(tx, Milestone::PasswordChanged, id, &cx)?;
        }
        Ok(changed.user)
    });
    match changed.await {
        Err(Error::Accounts(AccountsError::WrongCredentials)) => Err(wrong_password()),
        changed => changed,
    }
}

fn wrong_password() -> Error {
    AccountsError::invalid("current_password", "wrong", "That is not your current password.").into()
}

/// The address that the account is to have once the link that was mailed to it is opened.
///
/// # Errors
/// A failure of the storage.
pub async fn pending_email(pitlane: &Pitlane, user: &User) -> Result<Option<Email>, Error> {
    let (id, now) = (user.id(), pitlane.clock.now());
    let link = pitlane.db.read(move |tx| -> Result<_, Error> {
        Ok(tx.one_time_token_of(id, Purpose::ChangeEmail)?.filter(|link| now < link.expires_at))
    });
    Ok(link.await?.map(|link| link.email))
}

/// The stored hash, if the person knows its password.
///
/// # Errors
/// A current password that is missing or wrong, too many tries at it, or a failure of the storage.
pub(super) async fn confirm(
    pitlane: &Pitlane,
    user: &User,
    typed: Option<String>,
    device: &Device,
) -> Result<PasswordHash, Error> {
    let Some(typed) = typed else {
        let message = "Enter your current password. If you have none, ask for a reset link.";
        return Err(AccountsError::invalid("current_password", "required", message).into());
    };
    let matched = passwords::matching(user.password().cloned(), typed).await?;
    let (email, address) = (user.email().clone(), device.address().to_owned());
    let (is_right, limit) = (matched.is_some(), pitlane.settings.auth.login_attempts_per_minute);
    let cx = pitlane.context();
    let refused = pitlane
        .db
        .write(move |tx| sign_in::confirm_password(tx, &email, &address, is_right, limit, &cx))
        .await?;
    match (refused, matched) {
        (None, Some(hash)) => Ok(hash),
        (Some(AccountsError::WrongCredentials), _) | (None, None) => Err(wrong_password()),
        (Some(refusal), _) => Err(refusal.into()),
    }
}

/// Makes an API token; the secret is shown once. One that opens what is others' has its line in the audit log.
///
/// # Errors
/// A name that can't be one, too many tokens, or a failure of the storage.
pub async fn make_token(
    pitlane: &Pitlane,
    owner: &User,
    name: String,
    (id, secret): (ApiTokenId, Token),
) -> Result<ApiToken, Error> {
    let (cx, user, role) = (pitlane.context(), owner.id(), owner.role());
    let made = pitlane.db.write(move |tx| -> Result<_, Error> {
        let token = api_token::create(tx, user, &name, (id, &secret), &cx)?;
        note_token(tx, "token.create", user, role, id, &cx)?;
        Ok(token)
    });
    made.await
}

fn note_token(
    tx: &mut Tx<'_>,
    action: &'static str,
    user: UserId,
    role: Role,
    token: ApiTokenId,
    cx: &Context,
) -> Result<(), Error> {
    if role.is_staff() {
        let actor = Actor::Person { id: user, role };
        audit::record(tx, NewAuditEntry::new(actor, action, "token", token), cx)?;
    }
    Ok(())
}

/// The person's API tokens, newest first.
///
/// # Errors
/// A failure of the storage.
pub async fn tokens(pitlane: &Pitlane, user: UserId) -> Result<Vec<ApiToken>, Error> {
    pitlane.db.read(move |tx| Ok(tx.api_tokens_of(user)?)).await
}

/// Ends an API token at once.
///
/// # Errors
/// When it is unknown, has ended or is somebody else's, or the storage fails.
pub async fn end_token(pitlane: &Pitlane, owner: &User, token: ApiTokenId) -> Result<(), Error> {
    let (cx, user, role) = (pitlane.context(), owner.id(), owner.role());
    let ended = pitlane.db.write(move |tx| {
        api_token::revoke(tx, user, token, &cx)?;
        note_token(tx, "token.revoke", user, role, token, &cx)
    });
    ended.await
}
