//! The money of a session: every order, what came for it and what went back, for whoever runs the place.

use accounts::audit::AuditFilter;
use accounts::{AuditEntry, ProviderStore, UserStore};
use kernel::id::SessionId;
use kernel::{Money, MoneyError};
use payments::{Dispute, Earning, Order, Payment, Refund, RefundStatus};
use store::Tx;
use store::views::money;

use crate::usecases::Error;

/// The most refunds by hand that are told of.
const BY_HAND_MAX: u32 = 50;

/// The money of a session.
#[derive(Debug)]
pub struct SessionMoney {
    /// What was ordered, oldest first.
    pub orders: Vec<OrderMoney>,
    /// What admins sent back by hand, newest first, with their names.
    pub by_hand: Vec<(AuditEntry, String)>,
}

/// One order and its money.
#[derive(Debug)]
pub struct OrderMoney {
    /// The order.
    pub order: Order,
    /// What came, oldest first.
    pub payments: Vec<PaymentMoney>,
}

/// One payment and what became of it.
#[derive(Debug)]
pub struct PaymentMoney {
    /// The payment.
    pub payment: Payment,
    /// What was asked back of it, oldest first.
    pub refunds: Vec<Refund>,
    /// Where it was disputed, oldest first.
    pub disputes: Vec<Dispute>,
    /// What was earned with it, and by whom.
    pub earned: Option<(Earning, String)>,
    /// How much of it an admin can send back.
    pub returnable: Money,
}

impl PaymentMoney {
    /// The sum of the refunds that pass `which`.
    ///
    /// # Errors
    /// On an overflow.
    pub fn refunded(&self, which: impl Fn(RefundStatus) -> bool) -> Result<Money, MoneyError> {
        let zero = Money::zero(self.payment.amount.currency());
        self.refunds
            .iter()
            .filter(|refund| which(refund.status()))
            .try_fold(zero, |sum, refund| sum.plus(refund.amount))
    }

    /// What the bank has of it because of disputes.
    ///
    /// # Errors
    /// On an overflow.
    pub fn taken(&self) -> Result<Money, MoneyError> {
        let zero = Money::zero(self.payment.amount.currency());
        self.disputes
            .iter()
            .filter(|dispute| dispute.is_taken())
            .try_fold(zero, |sum, dispute| sum.plus(dispute.amount))
    }
}

/// The money of a session.
///
/// # Errors
/// The storage's.
pub fn session_money(tx: &mut Tx<'_>, session: SessionId) -> Result<SessionMoney, Error> {
    let mut orders = Vec::new();
    for order in money::orders_of(tx, session)? {
        let mut arrived = Vec::new();
        for payment in payments::Store::payments_of_order(tx, order.id())? {
            arrived.push(payment_money(tx, payment)?);
        }
        orders.push(OrderMoney { order, payments: arrived });
    }
    let filter = AuditFilter {
        action: Some("session.refund".to_owned()),
        object_kind: Some("session".to_owned()),
        object_id: Some(session.to_string()),
        ..AuditFilter::default()
    };
    let mut by_hand = Vec::new();
    for entry in accounts::audit::page(tx, &filter, None, BY_HAND_MAX)? {
        let admin = entry.actor.map(|id| tx.user_by_id(id)).transpose()?.flatten();
        by_hand.push((entry, admin.map_or_else(String::new, |admin| admin.name().to_owned())));
    }
    Ok(SessionMoney { orders, by_hand })
}

fn payment_money(tx: &mut Tx<'_>, payment: Payment) -> Result<PaymentMoney, Error> {
    let earned = match payments::Store::earning_of_payment(tx, payment.id)? {
        Some(earning) => {
            let provider = tx.provider_by_id(earning.provider)?;
            Some((earning, provider.map_or_else(String::new, |provider| provider.name)))
        }
        None => None,
    };
    let returnable = if payment.surplus {
        Money::zero(payment.amount.currency())
    } else {
        payments::returnable(tx, &payment)?
    };
    Ok(PaymentMoney {
        refunds: payments::Store::refunds_of_payment(tx, payment.id)?,
        disputes: payments::Store::disputes_of_payment(tx, payment.id)?,
        earned,
        returnable,
        payment,
    })
}
