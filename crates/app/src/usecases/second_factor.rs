//! A person's authenticator app: set up, confirmed, turned off.

use accounts::audit::{self, NewAuditEntry};
use accounts::second_factor::{self, Checked};
use accounts::{
    Device, Email, Error as AccountsError, RecoveryCode, SecondFactor, SecondFactorStore, SharedSecret, User,
    UserStore,
};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{Actor, EnrolmentId, Role, Timestamp, UserId};
use notifications::Milestone;
use sha2::Sha256;

use super::{Error, account, mail};
use crate::config::Environment;
use crate::state::Pitlane;

/// Derives the secret of an enrolment from the server's signing secret, so that it is stored nowhere.
pub(super) fn secrets(
    pitlane: &Pitlane,
) -> impl Fn(EnrolmentId) -> SharedSecret + Clone + Send + Sync + 'static {
    let key = pitlane.settings.auth.secret.clone();
    move |enrolment| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("any length of key will do");
        mac.update(b"authenticator-app:");
        mac.update(enrolment.uuid().as_bytes());
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&mac.finalize().into_bytes()[..20]);
        SharedSecret::new(bytes)
    }
}

/// How things stand with a person's authenticator app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Since when signing in asks for it.
    pub confirmed_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub codes_left: usize,
    /// Whether the person can do their work only with one.
    pub required: bool,
}

/// Whether somebody in this role works only with an authenticator app: an admin of a server that real people use.
pub const fn is_required_for(environment: Environment, role: Role) -> bool {
    matches!(environment, Environment::Production) && role.is_staff()
}

/// How things stand.
///
/// # Errors
/// A failure of the storage.
pub async fn standing(pitlane: &Pitlane, user: &User) -> Result<Standing, Error> {
    let (id, required) = (user.id(), is_required_for(pitlane.settings.server.environment, user.role()));
    let read = pitlane.db.read(move |tx| -> Result<_, Error> {
        let confirmed_at = tx.second_factor_by_user(id)?.and_then(|factor| factor.confirmed_at);
        Ok(Standing { confirmed_at, codes_left: tx.recovery_codes_left(id)?, required })
    });
    read.await
}

/// What an authenticator app is given.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// In base 32, to be typed.
    pub secret: String,
    /// The `otpauth://` address, to be shown as a picture.
    pub address: String,
}

fn enrolment(pitlane: &Pitlane, user: &User, factor: &SecondFactor) -> Enrolment {
    let secret = secrets(pitlane)(factor.enrolment);
    Enrolment { secret: secret.base32(), address: secret.address(user.email().as_str()) }
}

/// Begins to set up an app. Who has a password types it, so that an open laptop is not enough to lock its owner out.
///
/// # Errors
/// A current password that is missing or wrong, an app that is set up already, or a failure of the storage.
pub async fn begin(
    pitlane: &Pitlane,
    user: &User,
    current_password: Option<String>,
    device: &Device,
) -> Result<Enrolment, Error> {
    if user.password().is_some() {
        account::confirm(pitlane, user, current_password, device).await?;
    }
    let (id, cx) = (user.id(), pitlane.context());
    let factor = pitlane.db.write(move |tx| second_factor::begin(tx, id, &cx)).await?;
    Ok(enrolment(pitlane, user, &factor))
}

/// The app that is being set up, if one is.
///
/// # Errors
/// A failure of the storage.
pub async fn begun(pitlane: &Pitlane, user: &User) -> Result<Option<Enrolment>, Error> {
    let id = user.id();
    let factor = pitlane.db.read(move |tx| -> Result<_, Error> { Ok(tx.second_factor_by_user(id)?) }).await?;
    Ok(factor.filter(|factor| !factor.is_on()).map(|factor| enrolment(pitlane, user, &factor)))
}

/// The first code turns the app on and gives the recovery codes, which are shown once.
///
/// # Errors
/// A code that is wrong, too many of them, no app that is being set up, or a failure of the storage.
pub async fn confirm(pitlane: &Pitlane, user: UserId, code: String) -> Result<Vec<RecoveryCode>, Error> {
    let (cx, secret_of, limit) = (pitlane.context(), secrets(pitlane), limit(pitlane));
    let confirmed = pitlane.db.write(move |tx| -> Result<_, Error> {
        let confirmed = second_factor::confirm(tx, user, &code, &secret_of, limit, &cx)?;
        if confirmed.is_ok() {
            mail::notice(tx, Milestone::SecondFactorOn, user, &cx)?;
        }
        Ok(confirmed)
    });
    confirmed.await?.map_err(wrong_code)
}

/// Ten new recovery codes, for a code of the app or an old recovery code.
///
/// # Errors
/// A code that is wrong, too many of them, no app, or a failure of the storage.
pub async fn renew_codes(pitlane: &Pitlane, user: &User, code: String) -> Result<Vec<RecoveryCode>, Error> {
    let (cx, secret_of, limit, user) = (pitlane.context(), secrets(pitlane), limit(pitlane), user.clone());
    let renewed = pitlane.db.write(move |tx| -> Result<_, Error> {
        require_on(tx, user.id())?;
        match second_factor::check(tx, &user, &code, &secret_of, limit, &cx)? {
            Checked::Refused(refusal) => Ok(Err(refusal)),
            Checked::Right => Ok(Ok(second_factor::renew(tx, user.id(), &cx)?)),
        }
    });
    renewed.await?.map_err(wrong_code)
}

/// Turns the app off, for one of its codes or a recovery code.
///
/// # Errors
/// A code that is wrong, too many of them, no app, or a failure of the storage.
pub async fn turn_off(pitlane: &Pitlane, user: &User, code: String) -> Result<(), Error> {
    let (cx, secret_of, limit, user) = (pitlane.context(), secrets(pitlane), limit(pitlane), user.clone());
    let off = pitlane.db.write(move |tx| -> Result<_, Error> {
        require_on(tx, user.id())?;
        match second_factor::check(tx, &user, &code, &secret_of, limit, &cx)? {
            Checked::Refused(refusal) => Ok(Err(refusal)),
            Checked::Right => {
                second_factor::turn_off(tx, user.id())?;
                mail::notice(tx, Milestone::SecondFactorOff, user.id(), &cx)?;
                Ok(Ok(()))
            }
        }
    });
    off.await?.map_err(wrong_code)
}

/// Turns somebody's app off for `pitlane user reset-second-factor`; `false` when none was on.
///
/// # Errors
/// An address without an account, or a failure of the storage.
pub async fn reset(pitlane: &Pitlane, email: &str) -> Result<bool, Error> {
    let email = Email::parse(email).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let cx = pitlane.context();
    let reset = pitlane.db.write(move |tx| -> Result<_, Error> {
        let user = tx.user_by_email(&email)?.ok_or(AccountsError::NotFound("account"))?;
        let was_on = second_factor::turn_off(tx, user.id())?;
        let entry = NewAuditEntry::new(Actor::System, "user.reset_second_factor", "user", user.id())
            .with("was_on", was_on)
            .with("command", "pitlane user reset-second-factor");
        audit::record(tx, entry, &cx)?;
        if was_on {
            mail::notice(tx, Milestone::SecondFactorOff, user.id(), &cx)?;
        }
        Ok(was_on)
    });
    reset.await
}

fn require_on(store: &mut impl SecondFactorStore, user: UserId) -> Result<(), Error> {
    let is_on = store.second_factor_by_user(user)?.is_some_and(|factor| factor.is_on());
    if is_on { Ok(()) } else { Err(AccountsError::SecondFactorOff.into()) }
}

fn limit(pitlane: &Pitlane) -> u32 {
    pitlane.settings.auth.login_attempts_per_minute
}

/// A signed-in person's wrong code is a wrong field; only at sign-in is it a refusal to let somebody in.
fn wrong_code(refusal: AccountsError) -> Error {
    if refusal == AccountsError::WrongCode {
        let message = "That code is wrong or was used before. Type the one your app shows now.";
        return AccountsError::invalid("code", "wrong", message).into();
    }
    refusal.into()
}
