//! What was paid for a session goes back, in whole or in part.

use kernel::{BasisPoints, Context, StoreError};
use payments::RefundReason;
use sessions::Session;
use store::Tx;

use crate::usecases::Error;
use crate::usecases::fulfil_order::carry_out_refund;

/// Requests a refund of this share of what is left of the session's payment, and schedules the call that carries it
/// out. Nothing to give back is no error. A free session that goes back whole can be had again.
///
/// # Errors
/// The storage's; [`payments::Error`] when the payment does not allow it.
pub fn give_back(
    tx: &mut Tx<'_>,
    session: &Session,
    share: BasisPoints,
    reason: RefundReason,
    cx: &Context,
) -> Result<(), Error> {
    let quote = payments::order::session_quote(session.parts().intake);
    let orders = payments::Store::orders_of_quote_for_update(tx, &quote)?;
    let Some(order) = orders.into_iter().find(|order| order.session() == Some(session.id())) else {
        return Ok(());
    };
    if order.terms().amount.is_zero() && share == BasisPoints::ONE {
        payments::take_back_free(tx, order.id(), cx)?;
        return Ok(accounts::UserStore::user_release_free_session(tx, session.customer(), cx.now)?);
    }
    let arrived = payments::Store::payments_of_order(tx, order.id())?;
    let Some(kept) = arrived.into_iter().find(|payment| !payment.surplus) else { return Ok(()) };
    let amount =
        kept.remaining()?.times_half_up(share).map_err(|reason| StoreError::corrupt("payments", reason))?;
    if !amount.is_positive() {
        return Ok(());
    }
    let refund = payments::request_refund(tx, kept.id, amount, reason, cx)?;
    carry_out_refund(tx, &order, &refund, cx)
}
