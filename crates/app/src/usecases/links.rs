//! Links that are mailed: made, asked for, followed.

use accounts::one_time::{self, LinkRequest, LinkSecret};
use accounts::{
    Device, Email, Error as AccountsError, OneTimeToken, Password, Purpose, ReturnPath, Token, User,
};
use kernel::id::OneTimeTokenId;
use kernel::{Context, UserId};
use notifications::Milestone;
use store::Tx;

use super::mail::{self, About};
use super::sign_in::{self, Entry};
use super::{Error, passwords};
use crate::state::Pitlane;

/// A new link's id and the hash of its secret.
pub(super) fn secret(pitlane: &Pitlane, cx: &Context) -> LinkSecret {
    let id = OneTimeTokenId::new(cx.id());
    LinkSecret { id, token: mail::link_token(&pitlane.settings.auth.secret, id).hash() }
}

/// With what its link is mailed; the ticket of a sign-in is not.
const fn milestone(purpose: Purpose) -> Option<Milestone> {
    match purpose {
        Purpose::VerifyEmail => Some(Milestone::Verification),
        Purpose::MagicLink => Some(Milestone::MagicLink),
        Purpose::PasswordReset => Some(Milestone::PasswordReset),
        Purpose::ChangeEmail => Some(Milestone::EmailChange),
        Purpose::FormerEmail => Some(Milestone::EmailChanged),
        Purpose::SecondFactor => None,
    }
}

/// Commits to mailing a link.
pub(super) fn enqueue(tx: &mut Tx<'_>, link: &OneTimeToken, cx: &Context) -> Result<(), Error> {
    let Some(milestone) = milestone(link.purpose) else { return Ok(()) };
    mail::enqueue(tx, milestone, link.user, About::Link(link.id), cx).map(drop)
}

/// Makes a link for a person and commits to mailing it.
pub(super) fn send(
    tx: &mut Tx<'_>,
    user: &User,
    purpose: Purpose,
    secret: LinkSecret,
    cx: &Context,
) -> Result<(), Error> {
    let link = one_time::issue(tx, user, purpose, secret, None, cx)?;
    enqueue(tx, &link, cx)
}

/// Somebody asks for a sign-in link or a reset link. The answer is the same whether or not there is an account.
///
/// # Errors
/// An address or a path that can't be one, or a failure of the storage.
pub async fn request(
    pitlane: &Pitlane,
    purpose: Purpose,
    email: &str,
    redirect: Option<&str>,
    device: &Device,
) -> Result<(), Error> {
    let email = Email::parse(email).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let return_path = redirect.map(ReturnPath::parse).transpose();
    let return_path = return_path.map_err(|error| AccountsError::Invalid(vec![error]))?;
    let cx = pitlane.context();
    let wanted = LinkRequest {
        email,
        purpose,
        secret: secret(pitlane, &cx),
        return_path,
        address: device.address().to_owned(),
        limit: pitlane.settings.auth.login_attempts_per_minute,
    };
    pitlane
        .db
        .write(move |tx| {
            if let Some((_, link)) = one_time::request(tx, &wanted, &cx)? {
                enqueue(tx, &link, &cx)?;
            }
            Ok(())
        })
        .await
}

/// Mails the link that confirms the address of a signed-in person once more. Nothing happens when it is confirmed.
///
/// # Errors
/// A failure of the storage.
pub async fn resend_verification(pitlane: &Pitlane, user: &User, device: &Device) -> Result<(), Error> {
    if user.email_verified() {
        return Ok(());
    }
    request(pitlane, Purpose::VerifyEmail, user.email().as_str(), None, device).await
}

/// Whose link it is, without using it up. A link that brings another address is one that verifies.
///
/// # Errors
/// A failure of the storage.
pub async fn peek(pitlane: &Pitlane, purpose: Purpose, token: &str) -> Result<Option<UserId>, Error> {
    let Some(token) = Token::presented(token) else { return Ok(None) };
    let (hash, cx) = (token.hash(), pitlane.context());
    let found = pitlane.db.read(move |tx| {
        let found = one_time::peek(tx, purpose, &hash, &cx)?;
        match (found, purpose) {
            (None, Purpose::VerifyEmail) => one_time::peek(tx, Purpose::ChangeEmail, &hash, &cx),
            (found, _) => Ok(found),
        }
    });
    Ok(found.await?.map(|user| user.id()))
}

fn presented(token: &str) -> Result<Token, Error> {
    Token::presented(token).ok_or_else(|| AccountsError::InvalidToken.into())
}

/// Confirms the address of an account, or the one it is to have from now on; then the earlier one is told.
///
/// # Errors
/// A link that does not work, or a failure of the storage.
pub async fn verify_email(pitlane: &Pitlane, token: &str) -> Result<(), Error> {
    let (hash, cx) = (presented(token)?.hash(), pitlane.context());
    let note = secret(pitlane, &cx);
    let verified = pitlane.db.write(move |tx| -> Result<(), Error> {
        match one_time::verify_email(tx, &hash, note, &cx)? {
            (_, Some(former)) => enqueue(tx, &former, &cx),
            (_, None) => Ok(()),
        }
    });
    verified.await
}

/// Signs in without a password, or as far as the code of an authenticator app; with where to go afterwards.
///
/// # Errors
/// A link that does not work, or a failure of the storage.
pub async fn sign_in(
    pitlane: &Pitlane,
    token: &str,
    device: Device,
) -> Result<(Entry, Option<ReturnPath>), Error> {
    let (hash, cx) = (presented(token)?.hash(), pitlane.context());
    let (days, ticket) = (pitlane.settings.auth.session_days, secret(pitlane, &cx));
    let (outcome, path) =
        pitlane.db.write(move |tx| one_time::sign_in_by_link(tx, &hash, &device, days, ticket, &cx)).await?;
    Ok((sign_in::entry(pitlane, outcome, ticket)?, path))
}

/// Sets a new password and ends every sign-in.
///
/// # Errors
/// A password that can't be one, a link that does not work, or a failure of the storage.
pub async fn reset_password(pitlane: &Pitlane, token: &str, password: String) -> Result<(), Error> {
    let password =
        Password::parse("password", password).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let hash = presented(token)?.hash();
    // A guess at a link must not cost the work of a hash.
    if peek(pitlane, Purpose::PasswordReset, token).await?.is_none() {
        return Err(AccountsError::InvalidToken.into());
    }
    let cx = pitlane.context();
    let password = passwords::hash(password, &cx).await?;
    let reset = pitlane.db.write(move |tx| -> Result<(), Error> {
        let user = one_time::reset_password(tx, &hash, password.clone(), &cx)?;
        mail::notice(tx, Milestone::PasswordChanged, user.id(), &cx)
    });
    reset.await
}
