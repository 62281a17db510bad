//! Asking for a refund, and recording what became of it.

use kernel::id::{OrderId, PaymentId, RefundId};
use kernel::{Context, Money};

use crate::earning::follow_refund;
use crate::error::Error;
use crate::gateway::{ProviderRefund, ProviderRefundStatus};
use crate::ledger::Transaction;
use crate::order::{Order, OrderStatus};
use crate::payment::Payment;
use crate::refund::{Refund, RefundReason, RefundState, RefundStatus};
use crate::settle::locked;
use crate::store::Store;

/// Writes the intent to send money back. The provider is asked afterwards, under the refund's idempotency key.
///
/// # Errors
/// [`Error::Missing`] without such a payment; [`Error::RefundExceedsPayment`]; the storage's errors.
pub fn request_refund(
    store: &mut dyn Store,
    payment: PaymentId,
    amount: Money,
    reason: RefundReason,
    cx: &Context,
) -> Result<Refund, Error> {
    let payment = store.payment_for_update(payment)?.ok_or(Error::Missing("payment"))?;
    let refund = Refund::new(payment.id, payment.order, amount, reason, cx);
    open(store, payment, refund, cx)
}

/// Takes back a free order whose session came to nothing: nothing was paid, and the customer may have the free plan
/// again.
///
/// # Errors
/// [`Error::Missing`] without such an order; an order that holds nothing; the storage's errors.
pub fn take_back_free(store: &mut dyn Store, order: OrderId, cx: &Context) -> Result<Order, Error> {
    let (order, _) = locked(store, order)?;
    let order = order.refunded(cx.now)?;
    store.order_update(&order)?;
    Ok(order)
}

fn open(store: &mut dyn Store, payment: Payment, refund: Refund, cx: &Context) -> Result<Refund, Error> {
    let before = payment.asked_back();
    let surplus = payment.surplus;
    let payment = payment.set_aside(refund.amount)?;
    store.payment_update(&payment)?;
    store.refund_insert(&refund)?;
    if !surplus {
        let order = store.order_by_id(refund.order)?.ok_or(Error::Missing("order"))?;
        follow_refund(store, &payment, &refund, order.terms(), cx)?;
        store.ledger_append(&Transaction::refund_requested(&refund, before, order.terms(), cx)?)?;
    }
    Ok(refund)
}

/// Records what the provider says about a refund of ours. The same word again changes nothing, and neither does an
/// older one: a refund that has ended only ever goes from succeeded to failed.
///
/// # Errors
/// [`Error::Missing`] without such a refund; the storage's errors.
pub fn record_refund(
    store: &mut dyn Store,
    refund: RefundId,
    answer: &ProviderRefund,
    cx: &Context,
) -> Result<Refund, Error> {
    let found = store.refund_by_id(refund)?.ok_or(Error::Missing("refund"))?;
    let (order, _) = locked(store, found.order)?;
    let payment = store.payment_for_update(found.payment)?.ok_or(Error::Missing("payment"))?;
    // Read again under the locks: another transaction may have recorded the same answer meanwhile.
    let refund = store.refund_by_id(refund)?.ok_or(Error::Missing("refund"))?;
    match (refund.status(), answer.status) {
        (RefundStatus::Pending | RefundStatus::Unknown, ProviderRefundStatus::Pending) => {
            let refund = refund.in_hand(&answer.id)?;
            store.refund_update(&refund)?;
            Ok(refund)
        }
        (RefundStatus::Pending | RefundStatus::Unknown, ProviderRefundStatus::Succeeded) => {
            paid_out(store, order, &payment, refund.succeeded(&answer.id, cx.now)?, cx)
        }
        (
            RefundStatus::Pending | RefundStatus::Unknown | RefundStatus::Succeeded,
            ProviderRefundStatus::Failed,
        ) => failed(store, order, payment, refund, cx),
        (RefundStatus::Succeeded, ProviderRefundStatus::Pending | ProviderRefundStatus::Succeeded)
        | (
            RefundStatus::Failed,
            ProviderRefundStatus::Pending | ProviderRefundStatus::Succeeded | ProviderRefundStatus::Failed,
        ) => Ok(refund),
    }
}

fn paid_out(
    store: &mut dyn Store,
    order: Order,
    payment: &Payment,
    refund: Refund,
    cx: &Context,
) -> Result<Refund, Error> {
    store.refund_update(&refund)?;
    store.ledger_append(&Transaction::refund_paid(&refund, cx)?)?;
    let all_back = payment.remaining()?.is_zero()
        && store
            .refunds_of_payment(payment.id)?
            .iter()
            .all(|other| matches!(other.status(), RefundStatus::Succeeded | RefundStatus::Failed));
    if !payment.surplus && all_back && order.status().holds_money() {
        store.order_update(&order.refunded(cx.now)?)?;
    }
    Ok(refund)
}

fn failed(
    store: &mut dyn Store,
    order: Order,
    payment: Payment,
    refund: Refund,
    cx: &Context,
) -> Result<Refund, Error> {
    let had_gone_out = refund.status() == RefundStatus::Succeeded;
    let refund = refund.failed(cx.now)?;
    store.refund_update(&refund)?;
    if had_gone_out {
        store.ledger_append(&Transaction::refund_bounced(&refund, cx)?)?;
    }
    let surplus = payment.surplus;
    let payment = payment.take_back(refund.amount)?;
    store.payment_update(&payment)?;
    if surplus {
        // The money stays owed to the customer: it sits in refunds payable until a new refund goes out.
        return Ok(refund);
    }
    let released = Transaction::refund_released(&refund, payment.asked_back(), order.terms(), cx)?;
    store.ledger_append(&released)?;
    follow_refund(store, &payment, &refund, order.terms(), cx)?;
    if order.status() == OrderStatus::Refunded {
        store.order_update(&order.refund_bounced()?)?;
    }
    Ok(refund)
}

/// The provider was asked for this refund and the answer was lost: reconciliation will ask what became of it.
///
/// # Errors
/// [`Error::Missing`] without such a refund; the storage's errors.
pub fn refund_answer_lost(store: &mut dyn Store, refund: RefundId) -> Result<(), Error> {
    let found = store.refund_by_id(refund)?.ok_or(Error::Missing("refund"))?;
    let (_order, _) = locked(store, found.order)?;
    let refund = store.refund_by_id(refund)?.ok_or(Error::Missing("refund"))?;
    match refund.status() {
        RefundStatus::Pending | RefundStatus::Unknown => Ok(store.refund_update(&refund.unknown()?)?),
        RefundStatus::Succeeded | RefundStatus::Failed => Ok(()),
    }
}

/// Takes a refund into the books that was made at the provider by hand. `None` when this money is accounted for: the
/// refund is known, it failed, or the payment has nothing left that could have gone back.
///
/// # Errors
/// [`Error::Missing`] without such a payment; the storage's errors.
pub fn adopt_refund(
    store: &mut dyn Store,
    payment: &Payment,
    found: &ProviderRefund,
    cx: &Context,
) -> Result<Option<Refund>, Error> {
    // Orders are locked before payments everywhere.
    let (_order, _) = locked(store, payment.order)?;
    let payment = store.payment_for_update(payment.id)?.ok_or(Error::Missing("payment"))?;
    let known = store.refunds_of_payment(payment.id)?;
    if let Some(refund) = known
        .iter()
        .find(|refund| refund.provider_id() == Some(found.id.as_str()) || found.refund == Some(refund.id))
    {
        return record_refund(store, refund.id, found, cx).map(Some);
    }
    let remaining = payment.remaining()?;
    let fits = found.amount.is_positive() && remaining.minus(found.amount)?.minor() >= 0;
    if found.status == ProviderRefundStatus::Failed || !fits {
        return Ok(None);
    }
    let state =
        RefundState { status: RefundStatus::Pending, provider_id: Some(found.id.clone()), closed_at: None };
    let refund =
        Refund::new(payment.id, payment.order, found.amount, RefundReason::External, cx).restored(state);
    let refund = open(store, payment, refund, cx)?;
    record_refund(store, refund.id, found, cx).map(Some)
}
