//! Signing in by password, and out.

use accounts::sign_in::{self, Opened, PasswordAttempt, PasswordOutcome};
use accounts::{AttemptKey, CredentialStore, Device, Email, Error as AccountsError, SignIn, UserStore};
use kernel::{SignInId, UserId};

use super::{Error, passwords};
use crate::state::Pitlane;

/// Signs in by password.
///
/// # Errors
/// Wrong credentials, too many attempts, a suspended account, or a failure of the storage.
pub async fn by_password(
    pitlane: &Pitlane,
    email: &str,
    password: String,
    device: Device,
) -> Result<Opened, Error> {
    // What can't be an address has no account, and is answered like one that has none.
    let email = Email::parse(email).map_err(|_| AccountsError::WrongCredentials)?;
    let limit = pitlane.settings.auth.login_attempts_per_minute;
    let days = pitlane.settings.auth.session_days;
    let (wanted, key, now) =
        (email.clone(), AttemptKey::password(&email, device.address()), pitlane.clock.now());
    let (user, blocked) = pitlane
        .db
        .read(move |tx| -> Result<_, Error> {
            let blocked = tx.login_attempts(&key)?.and_then(|attempts| attempts.blocked(limit, now));
            Ok((tx.user_by_email(&wanted)?, blocked))
        })
        .await?;
    // No hash is computed for what will be refused anyway; the transaction below decides.
    if let Some(retry_after_seconds) = blocked {
        return Err(AccountsError::TooManyAttempts { retry_after_seconds }.into());
    }
    let matched = passwords::matching(user.and_then(|user| user.password().cloned()), password).await?;
    let attempt = PasswordAttempt { email, matched, device, limit, days };
    let cx = pitlane.context();
    match pitlane.db.write(move |tx| sign_in::by_password(tx, &attempt, &cx)).await? {
        PasswordOutcome::SignedIn(opened) => Ok(*opened),
        PasswordOutcome::Refused(error) => Err(error.into()),
    }
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
