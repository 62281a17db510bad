//! The money of a session, as whoever runs the place sees it.

use kernel::StoreError;
use kernel::id::SessionId;
use payments::Order;

use crate::tx::Tx;

/// Every order that made or changes this session, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn orders_of(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<Order>, StoreError> {
    crate::payments::orders_of_session(tx, session)
}
