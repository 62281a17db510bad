//! Signing in by password, and out.

use accounts::one_time::LinkSecret;
use accounts::sign_in::{self, CodeAttempt, Opened, Outcome, PasswordAttempt};
use accounts::{
    CredentialStore, Device, Email, Error as AccountsError, ReturnPath, SignIn, Token, UserStore,
};
use kernel::{SignInId, UserId};

use super::{Error, links, mail, passwords, second_factor};
use crate::state::Pitlane;

/// What somebody types to sign in.
#[derive(Debug, Default)]
pub struct Typed {
    /// The address of the account.
    pub email: String,
    /// Its password.
    pub password: String,
    /// A code of the authenticator app, if it comes at once.
    pub code: Option<String>,
    /// Where to go afterwards, kept while a code is asked for.
    pub return_path: Option<ReturnPath>,
}

/// How far a sign-in came.
#[derive(Debug)]
pub enum Entry {
    /// To its end.
    In(Box<Opened>),
    /// A code of the authenticator app is asked for, together with this ticket.
    CodeWanted(Token),
}

/// Signs in by password.
///
/// # Errors
/// Wrong credentials, a wrong code, too many attempts, a suspended account, or a failure of the storage.
pub async fn by_password(pitlane: &Pitlane, typed: Typed, device: Device) -> Result<Entry, Error> {
    let Typed { email, password, code, return_path } = typed;
    // What can't be an address has no account, and is answered like one that has none.
    let email = Email::parse(&email).map_err(|_| AccountsError::WrongCredentials)?;
    let limit = pitlane.settings.auth.login_attempts_per_minute;
    let days = pitlane.settings.auth.session_days;
    let (wanted, address, now) = (email.clone(), device.address().to_owned(), pitlane.clock.now());
    let (user, blocked) = pitlane
        .db
        .read(move |tx| -> Result<_, Error> {
            let blocked = sign_in::wait(tx, &wanted, &address, limit, now)?;
            Ok((tx.user_by_email(&wanted)?, blocked))
        })
        .await?;
    // No hash is computed for what will be refused anyway; the transaction below decides.
    if let Some(retry_after_seconds) = blocked {
        return Err(AccountsError::TooManyAttempts { retry_after_seconds }.into());
    }
    let matched = passwords::matching(user.and_then(|user| user.password().cloned()), password).await?;
    let cx = pitlane.context();
    let (ticket, secret_of) = (links::secret(pitlane, &cx), second_factor::secrets(pitlane));
    let attempt = PasswordAttempt { email, matched, device, limit, days, code, ticket, return_path };
    let entered = pitlane.db.write(move |tx| sign_in::by_password(tx, &attempt, &secret_of, &cx)).await?;
    entry(pitlane, entered, ticket)
}

/// Goes on with a sign-in after its first proof, by ticket and code; with where to go afterwards.
///
/// # Errors
/// A ticket that does not work any more, a wrong code, too many of them, or a failure of the storage.
pub async fn by_code(
    pitlane: &Pitlane,
    ticket: &str,
    code: String,
    device: Device,
) -> Result<(Opened, Option<ReturnPath>), Error> {
    let ticket = Token::presented(ticket).ok_or(AccountsError::InvalidToken)?.hash();
    let limit = pitlane.settings.auth.login_attempts_per_minute;
    let attempt = CodeAttempt { ticket, code, device, limit, days: pitlane.settings.auth.session_days };
    let (cx, secret_of) = (pitlane.context(), second_factor::secrets(pitlane));
    let (outcome, path) = pitlane.db.write(move |tx| sign_in::by_code(tx, &attempt, &secret_of, &cx)).await?;
    match outcome {
        Outcome::SignedIn(opened) => Ok((*opened, path)),
        Outcome::NeedsCode => Err(AccountsError::SecondFactorRequired.into()),
        Outcome::Refused(error) => Err(refusal(pitlane, error)),
    }
}

/// What came of a first proof, for the page or the program that gave it.
pub(super) fn entry(pitlane: &Pitlane, outcome: Outcome, ticket: LinkSecret) -> Result<Entry, Error> {
    match outcome {
        Outcome::SignedIn(opened) => Ok(Entry::In(opened)),
        Outcome::NeedsCode => {
            Ok(Entry::CodeWanted(mail::link_token(&pitlane.settings.auth.secret, ticket.id)))
        }
        Outcome::Refused(error) => Err(refusal(pitlane, error)),
    }
}

/// Said only to who gave the first proof: who may not sign in hears whom to write to.
fn refusal(pitlane: &Pitlane, error: AccountsError) -> Error {
    if error == AccountsError::Suspended {
        let support_address = pitlane.settings.mail.support_address.clone();
        return Error::AccountSuspended { support_address };
    }
    error.into()
}

/// Ends one sign-in of the person; `false` when it is unknown, has ended or is somebody else's.
///
/// # Errors
/// A failure of the storage.
pub async fn end(pitlane: &Pitlane, user: UserId, sign_in: SignInId) -> Result<bool, Error> {
    let cx = pitlane.context();
    Ok(pitlane.db.write(move |tx| sign_in::revoke(tx, user, sign_in, &cx)).await?)
}

/// Ends every sign-in of the person but that one; answers how many.
///
/// # Errors
/// A failure of the storage.
pub async fn end_others(pitlane: &Pitlane, user: UserId, keep: SignInId) -> Result<usize, Error> {
    let cx = pitlane.context();
    Ok(pitlane.db.write(move |tx| sign_in::revoke_others(tx, user, keep, &cx)).await?)
}

/// Where the person is signed in, newest first.
///
/// # Errors
/// A failure of the storage.
pub async fn list(pitlane: &Pitlane, user: UserId) -> Result<Vec<SignIn>, Error> {
    let now = pitlane.clock.now();
    pitlane.db.read(move |tx| Ok(tx.sign_ins_of(user, now)?)).await
}
