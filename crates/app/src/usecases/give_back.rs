//! What was paid for a session goes back, in whole or in part.

use kernel::id::SessionId;
use kernel::{BasisPoints, Context, StoreError};
use payments::{Order, OrderKind, RefundReason};
use sessions::Session;
use store::Tx;

use crate::usecases::Error;
use crate::usecases::fulfil_order::{carry_out_refund, close_payment_page};

/// Requests refunds of this share of what is left of each of the session's payments, for an upgrade and for more time
/// too, and schedules the calls that carry them out. Answers whether money goes back; nothing to give back is no error.
/// A free session that goes back whole can be had again.
///
/// # Errors
/// The storage's; [`payments::Error`] when a payment does not allow it.
pub fn give_back(
    tx: &mut Tx<'_>,
    session: &Session,
    share: BasisPoints,
    reason: RefundReason,
    cx: &Context,
) -> Result<bool, Error> {
    close_changes(tx, session.id(), cx)?;
    let mut any = false;
    let orders = payments::Store::orders_of_session_for_update(tx, session.id())?;
    for order in orders.into_iter().filter(|order| order.session() == Some(session.id())) {
        if order.terms().amount.is_zero() && share == BasisPoints::ONE {
            payments::take_back_free(tx, order.id(), cx)?;
            accounts::UserStore::user_release_free_session(tx, session.customer(), cx.now)?;
        } else {
            any |= give_back_order(tx, &order, share, reason, cx)?;
        }
    }
    Ok(any)
}

/// Closes the payment pages on which video or more time could still be bought for a session that is over.
///
/// # Errors
/// The storage's.
pub fn close_changes(tx: &mut Tx<'_>, session: SessionId, cx: &Context) -> Result<(), Error> {
    for order in payments::Store::orders_of_session_for_update(tx, session)? {
        if order.terms().kind != OrderKind::Session && order.status().is_pending() {
            close_payment_page(tx, order.id(), cx)?;
        }
    }
    Ok(())
}

/// The same as [`give_back`] for one order, which the caller has locked.
///
/// # Errors
/// The storage's; [`payments::Error`] when the payment does not allow it.
pub fn give_back_order(
    tx: &mut Tx<'_>,
    order: &Order,
    share: BasisPoints,
    reason: RefundReason,
    cx: &Context,
) -> Result<bool, Error> {
    let arrived = payments::Store::payments_of_order(tx, order.id())?;
    let Some(kept) = arrived.into_iter().find(|payment| !payment.surplus) else { return Ok(false) };
    // What the bank holds is not ours to send: the provider would refuse, and the dispute decides who has it.
    let amount = payments::returnable(tx, &kept)?
        .times_half_up(share)
        .map_err(|reason| StoreError::corrupt("payments", reason))?;
    if !amount.is_positive() {
        return Ok(false);
    }
    let refund = payments::request_refund(tx, kept.id, amount, reason, cx)?;
    carry_out_refund(tx, order, &refund, cx)?;
    Ok(true)
}
