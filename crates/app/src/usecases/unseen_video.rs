//! Video that was paid for and never came about is not charged.

use kernel::{BasisPoints, Context};
use payments::{OrderKind, RefundReason};
use sessions::Session;
use store::Tx;
use store::views::media::both_connected;

use crate::usecases::Error;
use crate::usecases::give_back::give_back_order;

/// Sends the price of the upgrade back when a session is over in which the two sides never saw each other, though they
/// had `patience_seconds` for it. To be called before what was paid is earned; may run any number of times.
///
/// # Errors
/// The storage's.
pub fn give_back_unseen(
    tx: &mut Tx<'_>,
    session: &Session,
    patience_seconds: u32,
    cx: &Context,
) -> Result<(), Error> {
    let parts = session.parts();
    let (Some(upgraded), Some(started), Some(ended)) = (parts.upgraded_at, parts.started_at, parts.ended_at)
    else {
        return Ok(());
    };
    if ended.seconds_since(upgraded.max(started)) < i64::from(patience_seconds) {
        return Ok(());
    }
    if both_connected(tx, session.id(), ended)?.is_none_or(|both| both.since.is_some()) {
        return Ok(());
    }
    for order in payments::Store::orders_of_session_for_update(tx, session.id())? {
        if order.terms().kind == OrderKind::Upgrade && order.session() == Some(session.id()) {
            give_back_order(tx, &order, BasisPoints::ONE, RefundReason::NoVideo, cx)?;
        }
    }
    Ok(())
}
