//! Accounts that an admin closes for now, and opens again.
//!
//! A suspended person can't sign in; their sign-ins and API tokens end at once, and with them their sockets. A mechanic
//! is off duty and is offered nothing. Nothing of theirs is lost: after [`restore`] they sign in as before.

use kernel::{Context, Role, Timestamp, UserId};

use crate::error::Error;
use crate::store::Store;
use crate::user::{Status, User, UserRecord};

/// A time during which an account is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Whose account.
    pub user: UserId,
    /// Since when.
    pub at: Timestamp,
    /// By which admin.
    pub by: UserId,
    /// Why, for the person to read.
    pub reason: String,
    /// When and by which admin it was opened again.
    pub restored: Option<(Timestamp, UserId)>,
}

/// Closes an account for now.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::OwnAccount`] for the admin's own; [`Error::LastAdmin`] when no admin would be left;
/// [`Error::InvalidTransition`] for an account that is closed or erased; or a failure of the store.
pub fn suspend(
    store: &mut dyn Store,
    user: UserId,
    by: UserId,
    reason: String,
    cx: &Context,
) -> Result<(User, Suspension), Error> {
    if user == by {
        return Err(Error::OwnAccount);
    }
    // In a fixed order, so that two admins who suspend each other wait instead of deadlocking.
    for id in [user.min(by), user.max(by)] {
        store.user_for_update(id)?;
    }
    let admin = store.user_by_id(by)?.filter(User::is_active).ok_or(Error::Suspended)?;
    let person = store.user_by_id(user)?.ok_or(Error::NotFound("user"))?;
    let person = with_status(&person, Status::Active, Status::Suspended, cx)?;
    // The one who asks is an admin; without them nobody could undo it.
    if person.role() == Role::Admin && (admin.role() != Role::Admin || store.admins()?.len() < 2) {
        return Err(Error::LastAdmin);
    }
    store.user_update(&person)?;
    let suspension = Suspension { user, at: cx.now, by, reason, restored: None };
    store.suspension_insert(&suspension)?;
    if let Some(mechanic) = store.mechanic_for_update(user)? {
        store.mechanic_update(&mechanic.with_duty(false)?)?;
    }
    store.sign_ins_revoke(user, None, cx.now)?;
    store.api_tokens_revoke(user, cx.now)?;
    store.sockets_end(user)?;
    Ok((person, suspension))
}

/// Opens an account again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvalidTransition`] for an account that is not suspended, or a failure of the store.
pub fn restore(store: &mut dyn Store, user: UserId, by: UserId, cx: &Context) -> Result<User, Error> {
    let person = store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    let person = with_status(&person, Status::Suspended, Status::Active, cx)?;
    store.user_update(&person)?;
    store.suspension_restore(user, by, cx.now)?;
    Ok(person)
}

fn with_status(person: &User, from: Status, to: Status, cx: &Context) -> Result<User, Error> {
    if person.status() != from {
        return Err(Error::InvalidTransition { from: person.status().as_str(), to: to.as_str() });
    }
    Ok(User::stored(UserRecord { status: to, updated_at: cx.now, ..person.record().clone() }))
}
