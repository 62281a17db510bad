//! Arriving money meets its order.

use kernel::id::{OrderId, PaymentId, SessionId};
use kernel::{Context, Money};

use crate::error::Error;
use crate::give_back::request_refund;
use crate::ledger::Transaction;
use crate::order::Order;
use crate::payment::Payment;
use crate::refund::{Refund, RefundReason};
use crate::store::Store;

/// A charge that the provider says has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's id of it.
    pub payment_intent: String,
    /// How much arrived.
    pub amount: Money,
}

/// What arriving money came to. The money itself is recorded in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The charge was recorded before; the order is as it stands now.
    Replayed(Order),
    /// The order keeps the money and is paid.
    Kept {
        /// The order.
        order: Order,
        /// Orders for the same quote whose payment pages must be closed.
        superseded: Vec<OrderId>,
    },
    /// The money buys nothing; its refund is written and must be carried out.
    Surplus {
        /// The order it arrived for.
        order: Order,
        /// The refund of the whole charge.
        refund: Refund,
    },
}

/// Records a successful charge for an order.
///
/// The order keeps it when the amount is the agreed one and no order of its quote keeps another charge; this holds for
/// an expired or failed order too. Otherwise the whole charge goes back. The same charge again changes nothing.
///
/// # Errors
/// [`Error::Missing`] without such an order; [`Error::WrongPrice`] for a charge of nothing; the storage's errors.
pub fn settle(
    store: &mut dyn Store,
    order: OrderId,
    charge: &Charge,
    cx: &Context,
) -> Result<Settlement, Error> {
    let (order, siblings) = locked(store, order)?;
    if store.payment_by_intent(&charge.payment_intent)?.is_some() {
        return Ok(Settlement::Replayed(order));
    }
    if !charge.amount.is_positive() {
        return Err(Error::WrongPrice(order.terms().amount));
    }
    let taken = holds_charge(store, &order, &siblings)?;
    let agreed = charge.amount == order.terms().amount;
    let payment = Payment::new(
        PaymentId::new(cx.id()),
        order.id(),
        charge.payment_intent.clone(),
        charge.amount,
        taken || !agreed,
        cx.now,
    );
    if !store.payment_insert(&payment)? {
        return Ok(Settlement::Replayed(order));
    }
    if payment.surplus {
        store.ledger_append(&Transaction::surplus(&payment, cx)?)?;
        let reason = if agreed { RefundReason::Duplicate } else { RefundReason::WrongAmount };
        let refund = request_refund(store, payment.id, payment.amount, reason, cx)?;
        // Its page is used up, so nothing else will be paid there.
        let order = if order.status().is_pending() { order.failed(cx.now)? } else { order };
        store.order_update(&order)?;
        return Ok(Settlement::Surplus { order, refund });
    }
    let order = order.paid(Some(payment.payment_intent.clone()), cx.now)?;
    store.ledger_append(&Transaction::charge(&payment, order.terms().tax_rate, cx)?)?;
    // The quote's other live order first: the schema lets only one order of a quote be alive.
    let mut superseded = Vec::new();
    for sibling in siblings {
        if sibling.status().is_pending() {
            superseded.push(sibling.id());
            store.order_update(&sibling.failed(cx.now)?)?;
        }
    }
    store.order_update(&order)?;
    Ok(Settlement::Kept { order, superseded })
}

/// Settles an order that costs nothing.
///
/// # Errors
/// [`Error::Missing`] without such an order; [`Error::WrongPrice`] when it costs something;
/// [`Error::OrderTransition`] when it was settled before; the storage's errors.
pub fn settle_free(store: &mut dyn Store, order: OrderId, cx: &Context) -> Result<Order, Error> {
    let (order, _) = locked(store, order)?;
    if !order.terms().amount.is_zero() {
        return Err(Error::WrongPrice(order.terms().amount));
    }
    let order = order.paid(None, cx.now)?;
    store.order_update(&order)?;
    Ok(order)
}

/// Notes the session that a paid order has made.
///
/// # Errors
/// [`Error::OrderTransition`] unless the order is paid; the storage's errors.
pub fn complete(
    store: &mut dyn Store,
    order: Order,
    session: SessionId,
    cx: &Context,
) -> Result<Order, Error> {
    let order = order.fulfilled(session, cx.now)?;
    store.order_fulfil(&order)?;
    Ok(order)
}

/// The order and the others of its quote, all locked.
pub(crate) fn locked(store: &mut dyn Store, id: OrderId) -> Result<(Order, Vec<Order>), Error> {
    let (mut own, siblings): (Vec<_>, Vec<_>) =
        store.orders_alike_for_update(id)?.into_iter().partition(|order| order.id() == id);
    let order = own.pop().ok_or(Error::Missing("order"))?;
    Ok((order, siblings))
}

/// Whether the quote keeps a charge, or kept one before it was refunded. A refunded order stays closed: money that
/// arrives for it again is nobody's wish.
fn holds_charge(store: &mut dyn Store, order: &Order, siblings: &[Order]) -> Result<bool, Error> {
    if siblings.iter().any(|sibling| sibling.status().holds_money()) {
        return Ok(true);
    }
    Ok(store.payments_of_order(order.id())?.iter().any(|payment| !payment.surplus))
}
