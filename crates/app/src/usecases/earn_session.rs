//! A session took place: what was paid for it is earned, by the provider and by the platform.

use kernel::Context;
use sessions::{ParticipantRole, Session};
use store::Tx;

use crate::usecases::Error;

/// Shares out what is left of every payment of the session, under the fee that each order was placed with. Without a
/// mechanic nobody has earned anything, and what was paid stays owed. May run any number of times.
///
/// # Errors
/// The storage's.
pub fn earn_session(tx: &mut Tx<'_>, session: &Session, cx: &Context) -> Result<(), Error> {
    let people = sessions::Store::participants(tx, session.id())?;
    let mechanic = people.iter().find(|one| one.role == ParticipantRole::Mechanic);
    let Some(mechanic) = mechanic else { return Ok(()) };
    // Somebody who was put in by hand, in SQL, may be no mechanic.
    let Some(mechanic) = accounts::ProviderStore::mechanic_by_user(tx, mechanic.user)? else {
        tracing::error!(session = %session.id(), "a session's mechanic has no provider to be paid through");
        return Ok(());
    };
    let provider = mechanic.provider();
    for order in payments::Store::orders_of_session_for_update(tx, session.id())? {
        if order.session() == Some(session.id()) {
            payments::earn(tx, &order, session.id(), provider, cx)?;
        }
    }
    Ok(())
}
