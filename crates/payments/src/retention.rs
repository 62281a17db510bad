//! What is forgotten of money, and when. Orders, payments, refunds and the ledger stay for as long as the books must be
//! kept, also when their customer goes; then an order goes as a whole, with the balanced records that tell of it.

use kernel::id::{OrderId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

/// An order whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastOrder {
    /// The order.
    pub order: OrderId,
    /// What it bought.
    pub session: Option<SessionId>,
    /// What it was made of.
    pub intake: kernel::id::IntakeId,
}

/// Forgetting, inside one transaction.
pub trait RetentionStore {
    /// The customer's orders that may still be paid, at most `limit`.
    fn orders_open_of(&mut self, customer: UserId, limit: u32) -> Result<Vec<OrderId>, StoreError>;
    /// Empties the provider's events that tell of this customer's orders, which hold their address; ids and outcomes
    /// stay, so that nothing takes effect twice.
    fn events_forget(&mut self, customer: UserId) -> Result<(), StoreError>;
    /// Empties the provider's events that arrived before that instant, at most `limit`; how many there were.
    fn events_forget_before(&mut self, before: Timestamp, limit: u32) -> Result<usize, StoreError>;
    /// Settled orders made before that instant, oldest first, at most `limit`. Orders of one session wait for the last.
    fn orders_past(&mut self, before: Timestamp, limit: u32) -> Result<Vec<PastOrder>, StoreError>;
    /// Deletes a settled order made before that instant with its payments, refunds and ledger records.
    fn order_delete(&mut self, order: OrderId, before: Timestamp) -> Result<(), StoreError>;
}
