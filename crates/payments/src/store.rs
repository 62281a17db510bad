//! The port to the database.

use kernel::id::{OrderId, PaymentId, RefundId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::dispute::Dispute;
use crate::earning::Earning;
use crate::inbox::{InboxEvent, Outcome};
use crate::ledger::Transaction;
use crate::order::Order;
use crate::payment::Payment;
use crate::refund::Refund;

/// What payments keep. Every method works inside one transaction that the caller owns.
pub trait Store {
    /// Writes a new order; `false` when its quote has a live order, or when the customer had the free plan.
    ///
    /// # Errors
    /// The storage's.
    fn order_insert(&mut self, order: &Order) -> Result<bool, StoreError>;
    /// The order of that id.
    ///
    /// # Errors
    /// The storage's.
    fn order_by_id(&mut self, id: OrderId) -> Result<Option<Order>, StoreError>;
    /// The order that this payment page belongs to.
    ///
    /// # Errors
    /// The storage's.
    fn order_by_checkout(&mut self, checkout: &str) -> Result<Option<Order>, StoreError>;
    /// Every order that made or changes this session, oldest first, locked until the transaction ends.
    ///
    /// # Errors
    /// The storage's.
    fn orders_of_session_for_update(&mut self, session: SessionId) -> Result<Vec<Order>, StoreError>;
    /// The order and every other one of its quote, oldest first, locked until the transaction ends; none without such an
    /// order.
    ///
    /// # Errors
    /// The storage's.
    fn orders_alike_for_update(&mut self, id: OrderId) -> Result<Vec<Order>, StoreError>;
    /// Every order of the quote, oldest first, locked until the transaction ends.
    ///
    /// # Errors
    /// The storage's.
    fn orders_of_quote_for_update(&mut self, quote: &str) -> Result<Vec<Order>, StoreError>;
    /// Orders whose end is overdue at that instant, oldest first: open ones whose payment page has closed, those whose
    /// money is on its way, and those that are paid and not fulfilled.
    ///
    /// # Errors
    /// The storage's.
    fn orders_overdue(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Order>, StoreError>;
    /// Writes what became of the order: its status, its payment and when. What it made, its payment page and the charge of
    /// its kept card stay as they are.
    ///
    /// # Errors
    /// The storage's.
    fn order_update(&mut self, order: &Order) -> Result<(), StoreError>;
    /// Writes that the order is fulfilled, by which session and when, and nothing else.
    ///
    /// # Errors
    /// The storage's.
    fn order_fulfil(&mut self, order: &Order) -> Result<(), StoreError>;
    /// Writes with what the order can be paid, its payment page or the charge of its kept card, and nothing else.
    ///
    /// # Errors
    /// The storage's.
    fn order_means_update(&mut self, order: &Order) -> Result<(), StoreError>;

    /// Writes a new payment; `false` when its charge is recorded already.
    ///
    /// # Errors
    /// The storage's.
    fn payment_insert(&mut self, payment: &Payment) -> Result<bool, StoreError>;
    /// The payment of that id, locked until the transaction ends.
    ///
    /// # Errors
    /// The storage's.
    fn payment_for_update(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreError>;
    /// The payment that this charge was recorded as.
    ///
    /// # Errors
    /// The storage's.
    fn payment_by_intent(&mut self, payment_intent: &str) -> Result<Option<Payment>, StoreError>;
    /// Every payment that arrived for the order, oldest first.
    ///
    /// # Errors
    /// The storage's.
    fn payments_of_order(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreError>;
    /// Writes what changed.
    ///
    /// # Errors
    /// The storage's.
    fn payment_update(&mut self, payment: &Payment) -> Result<(), StoreError>;

    /// Writes a new refund.
    ///
    /// # Errors
    /// The storage's.
    fn refund_insert(&mut self, refund: &Refund) -> Result<(), StoreError>;
    /// The refund of that id.
    ///
    /// # Errors
    /// The storage's.
    fn refund_by_id(&mut self, id: RefundId) -> Result<Option<Refund>, StoreError>;
    /// Every refund of the payment, oldest first.
    ///
    /// # Errors
    /// The storage's.
    fn refunds_of_payment(&mut self, payment: PaymentId) -> Result<Vec<Refund>, StoreError>;
    /// Refunds whose end is not known, asked for before that instant, oldest first.
    ///
    /// # Errors
    /// The storage's.
    fn refunds_unresolved(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Refund>, StoreError>;
    /// Writes what changed.
    ///
    /// # Errors
    /// The storage's.
    fn refund_update(&mut self, refund: &Refund) -> Result<(), StoreError>;

    /// Writes an event; `false` when it was written before.
    ///
    /// # Errors
    /// The storage's.
    fn event_insert(&mut self, event: &InboxEvent, now: Timestamp) -> Result<bool, StoreError>;
    /// Which of these events were written before.
    ///
    /// # Errors
    /// The storage's.
    fn events_known(&mut self, ids: &[String]) -> Result<Vec<String>, StoreError>;
    /// Writes what became of an event, and which order it is about. What it said is kept with an order alone: without one
    /// only that it came, and what became of it, stays.
    ///
    /// # Errors
    /// The storage's.
    fn event_conclude(
        &mut self,
        id: &str,
        outcome: Outcome,
        order: Option<OrderId>,
    ) -> Result<(), StoreError>;
    /// Notes that the provider's own list was compared up to this event.
    ///
    /// # Errors
    /// The storage's.
    fn events_compared(&mut self, ids: &[String], now: Timestamp) -> Result<(), StoreError>;
    /// When the newest event was created up to which the provider's own list was compared.
    ///
    /// # Errors
    /// The storage's.
    fn event_watermark(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// Appends to the ledger.
    ///
    /// # Errors
    /// The storage's.
    fn ledger_append(&mut self, transaction: &Transaction) -> Result<(), StoreError>;

    /// What was earned with this payment.
    ///
    /// # Errors
    /// The storage's.
    fn earning_of_payment(&mut self, payment: PaymentId) -> Result<Option<Earning>, StoreError>;
    /// Writes what was earned with a payment, for the first time.
    ///
    /// # Errors
    /// The storage's.
    fn earning_insert(&mut self, earning: &Earning) -> Result<(), StoreError>;
    /// Writes what changed.
    ///
    /// # Errors
    /// The storage's.
    fn earning_update(&mut self, earning: &Earning) -> Result<(), StoreError>;
    /// The disputes of this payment, oldest first.
    ///
    /// # Errors
    /// The storage's.
    fn disputes_of_payment(&mut self, payment: PaymentId) -> Result<Vec<Dispute>, StoreError>;
    /// Writes a new dispute.
    ///
    /// # Errors
    /// The storage's.
    fn dispute_insert(&mut self, dispute: &Dispute) -> Result<(), StoreError>;
    /// Writes what changed.
    ///
    /// # Errors
    /// The storage's.
    fn dispute_update(&mut self, dispute: &Dispute) -> Result<(), StoreError>;

    /// The provider's id of this customer.
    ///
    /// # Errors
    /// The storage's.
    fn customer_reference(&mut self, customer: UserId) -> Result<Option<String>, StoreError>;
    /// Notes the provider's id of this customer, in place of the one before.
    ///
    /// # Errors
    /// The storage's.
    fn customer_reference_put(
        &mut self,
        customer: UserId,
        reference: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Forgets the provider's id of this customer.
    ///
    /// # Errors
    /// The storage's.
    fn customer_reference_delete(&mut self, customer: UserId) -> Result<(), StoreError>;
}
