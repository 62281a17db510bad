//! Making an account.

use accounts::audit::{self, NewAuditEntry};
use accounts::register::{self, NewUser, TypedRegistration};
use accounts::sign_in::{self, Opened};
use accounts::{Device, PasswordHash, Purpose, UserStore, mail_quota};
use kernel::{Actor, Context, UserId};

use super::{Error, links, passwords};
use crate::state::Pitlane;

/// Makes the account, mails the link that confirms its address, and signs the person in.
///
/// # Errors
/// Fields that are wrong, too many registrations from one network address, an address that has an account, or a failure
/// of the storage.
pub async fn register(pitlane: &Pitlane, typed: TypedRegistration, device: Device) -> Result<Opened, Error> {
    let checked = typed.check()?;
    let cx = pitlane.context();
    count(pitlane, &device, &cx).await?;
    let password = passwords::hash(checked.password, &cx).await?;
    let new = NewUser {
        id: UserId::new(cx.id()),
        email: checked.email,
        name: checked.name,
        role: checked.role,
        time_zone: checked.time_zone,
        password: Some(password),
        workshop: None,
    };
    let (secret, days) = (links::secret(pitlane, &cx), pitlane.settings.auth.session_days);
    pitlane
        .db
        .write(move |tx| {
            let user = register::register(tx, new.clone(), &cx)?;
            links::send(tx, &user, Purpose::VerifyEmail, secret, &cx)?;
            Ok(sign_in::open(tx, user, &device, days, &cx)?)
        })
        .await
}

// Apart from what follows: one that is refused, because there is such an account, counts as well.
async fn count(pitlane: &Pitlane, device: &Device, cx: &Context) -> Result<(), Error> {
    let (address, cx) = (device.address().to_owned(), cx.clone());
    let limit = pitlane.settings.auth.login_attempts_per_minute;
    let counted = pitlane
        .db
        .write(move |tx| -> Result<(), Error> { Ok(mail_quota::asked_from(tx, &address, limit, &cx)?) });
    counted.await
}

/// An account that an operator makes at the command line.
#[derive(Debug, Clone)]
pub struct Operators {
    /// The account, in any role. Its address counts as confirmed.
    pub typed: TypedRegistration,
    /// The role, which [`TypedRegistration`] can't name.
    pub role: kernel::Role,
}

/// Makes an account for `pitlane user create`: any role, the address confirmed, nobody signed in.
///
/// # Errors
/// Fields that are wrong, an address that has an account, or a failure of the storage.
pub async fn create(pitlane: &Pitlane, wanted: Operators) -> Result<UserId, Error> {
    // Only the open roles pass the check of a registration; the role that counts is the operator's.
    let typed = TypedRegistration { role: kernel::Role::Customer.to_string(), ..wanted.typed };
    let checked = typed.check()?;
    let cx = pitlane.context();
    let password: PasswordHash = passwords::hash(checked.password, &cx).await?;
    let new = NewUser {
        id: UserId::new(cx.id()),
        email: checked.email,
        name: checked.name,
        role: wanted.role,
        time_zone: checked.time_zone,
        password: Some(password),
        workshop: None,
    };
    pitlane
        .db
        .write(move |tx| {
            let user = register::register(tx, new.clone(), &cx)?.verified(cx.now);
            tx.user_update(&user)?;
            let entry = NewAuditEntry::new(Actor::System, "user.create", "user", user.id())
                .with("role", user.role())
                .with("command", "pitlane user create");
            audit::record(tx, entry, &cx)?;
            Ok(user.id())
        })
        .await
}
