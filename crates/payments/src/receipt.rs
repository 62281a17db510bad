//! Receipts: what was paid and what went back, with the tax contained in it.

use kernel::id::OrderId;
use kernel::{BasisPoints, Money, PlanCode, Timestamp};

use crate::error::Error;
use crate::ledger::tax_contained;
use crate::order::{Order, OrderStatus};
use crate::payment::{Payment, PaymentStatus};
use crate::refund::{Refund, RefundReason, RefundStatus};

/// A refund on a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRefund {
    /// How much goes back.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// Whether it has gone out.
    pub done: bool,
    /// When it was asked for.
    pub at: Timestamp,
}

/// What a customer paid for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The order.
    pub order: OrderId,
    /// What was bought.
    pub plan: PlanCode,
    /// The agreed price, tax contained.
    pub total: Money,
    /// The tax rate contained in it.
    pub tax_rate: BasisPoints,
    /// The tax contained in it.
    pub tax: Money,
    /// The price without its tax; `net + tax = total`.
    pub net: Money,
    /// When the money arrived.
    pub paid_at: Option<Timestamp>,
    /// How much of it is paid for now.
    pub payment_status: PaymentStatus,
    /// Charges beyond the agreed one; each goes back in full.
    pub surplus: Vec<Money>,
    /// What goes back or has gone back, failed attempts left out.
    pub refunds: Vec<ReceiptRefund>,
}

/// The receipt of an order, its payments and their refunds. An order that nobody paid has one too; it says so.
///
/// # Errors
/// [`Error::Money`] on an overflow.
pub fn receipt(order: &Order, payments: &[Payment], refunds: &[Refund]) -> Result<Receipt, Error> {
    let terms = order.terms();
    let tax = tax_contained(terms.amount, terms.tax_rate)?;
    Ok(Receipt {
        order: terms.id,
        plan: terms.plan,
        total: terms.amount,
        tax_rate: terms.tax_rate,
        tax,
        net: terms.amount.minus(tax)?,
        paid_at: order.state().paid_at,
        payment_status: payment_status(order, payments)?,
        surplus: payments.iter().filter(|payment| payment.surplus).map(|payment| payment.amount).collect(),
        refunds: refunds
            .iter()
            .filter(|refund| refund.status() != RefundStatus::Failed)
            .map(|refund| ReceiptRefund {
                amount: refund.amount,
                reason: refund.reason,
                done: refund.status() == RefundStatus::Succeeded,
                at: refund.created_at,
            })
            .collect(),
    })
}

/// How much of the order is paid for. Money that was asked back counts as gone; a free order is paid.
///
/// # Errors
/// [`Error::Money`] on an overflow.
pub fn payment_status(order: &Order, payments: &[Payment]) -> Result<PaymentStatus, Error> {
    match order.status() {
        OrderStatus::Open | OrderStatus::Processing | OrderStatus::Expired | OrderStatus::Failed => {
            Ok(PaymentStatus::Unpaid)
        }
        OrderStatus::Refunded => Ok(PaymentStatus::Refunded),
        OrderStatus::Paid | OrderStatus::Fulfilled => {
            let Some(kept) = payments.iter().find(|payment| !payment.surplus) else {
                return Ok(PaymentStatus::Paid);
            };
            if kept.remaining()?.is_zero() {
                Ok(PaymentStatus::Refunded)
            } else if kept.asked_back().is_zero() {
                Ok(PaymentStatus::Paid)
            } else {
                Ok(PaymentStatus::PartiallyRefunded)
            }
        }
    }
}
