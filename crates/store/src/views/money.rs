//! The money of a session, as whoever runs the place sees it.

use diesel::sql_types::BigInt;
use kernel::StoreError;
use kernel::id::SessionId;
use payments::Order;

use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::tx::Tx;
use crate::types::Id;

/// Every order that made or changes this session, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn orders_of(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<Order>, StoreError> {
    crate::payments::orders_of_session(tx, session)
}

/// What went back, or is on its way, of what this session's receipt lists, in minor units: the session and the changes that
/// were made of it. Money for a change that was never made is not among it, nor money that bought nothing.
///
/// # Errors
/// A failure of the storage.
pub fn gone_back(tx: &mut Tx<'_>, session: SessionId) -> Result<i64, StoreError> {
    const QUERY: &str = "\
        SELECT CAST(COALESCE(sum(p.asked_back_cents), 0) AS bigint) \
        FROM payments p JOIN orders o ON o.id = p.order_id \
        WHERE o.session_id = $1 AND o.fulfilled_at IS NOT NULL AND NOT p.surplus";
    let cents: Vec<i64> =
        prepared::<BigInt>(QUERY, &[Value::Id(Id(session.uuid()))]).load(tx.conn()).stored()?;
    Ok(cents.into_iter().sum())
}
