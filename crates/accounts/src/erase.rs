//! Leaving: what remains of a person is an id that rows of money refer to.

use kernel::{Context, Role, UserId};

use crate::error::Error;
use crate::one_time::Purpose;
use crate::store::Store;
use crate::user::{Status, User};

/// Whether the person may go.
///
/// # Errors
/// [`Error::NotFound`] when they are gone already, [`Error::LastAdmin`], or a failure of the store.
pub fn check(store: &mut dyn Store, user: UserId) -> Result<User, Error> {
    let person = store.user_for_update(user)?.filter(|person| person.status() != Status::Erased);
    let person = person.ok_or(Error::NotFound("account"))?;
    if person.role() == Role::Admin && store.admins()? == [user] {
        return Err(Error::LastAdmin);
    }
    Ok(person)
}

/// Takes everything from the account that says whose it is, and every way into it. Its open sockets end once this is
/// committed. Rows of money, and acts that are on record, keep the id.
///
/// # Errors
/// [`Error::NotFound`] when it is gone already, [`Error::LastAdmin`], or a failure of the store.
pub fn erase(store: &mut dyn Store, user: UserId, cx: &Context) -> Result<(), Error> {
    let person = check(store, user)?;
    store.sign_ins_revoke(user, None, cx.now)?;
    store.api_tokens_revoke(user, cx.now)?;
    for purpose in Purpose::ALL {
        store.one_time_tokens_void(user, purpose)?;
    }
    store.second_factor_delete(user)?;
    store.user_traces_delete(user)?;
    let person = person.erased(cx.now);
    if let Some(mechanic) = store.mechanic_for_update(user)?.filter(crate::Mechanic::on_duty) {
        store.mechanic_update(&mechanic.with_duty(false)?)?;
    }
    store.provider_rename(user, person.name())?;
    store.user_update(&person)?;
    Ok(())
}
