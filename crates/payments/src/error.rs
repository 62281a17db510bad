//! What can stand in the way of a money decision.

use kernel::{Money, MoneyError, StoreError};

use crate::order::OrderStatus;
use crate::refund::RefundStatus;

/// A money decision that can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sum left its range or mixed currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// There is no such order, payment or refund.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// The order's status doesn't allow the step; nothing was changed.
    #[error("an order that is {from} can't become {to}")]
    OrderTransition {
        /// What the order is.
        from: OrderStatus,
        /// What it was asked to become.
        to: OrderStatus,
    },
    /// The refund's status doesn't allow the step; nothing was changed.
    #[error("a refund that is {from} can't become {to}")]
    RefundTransition {
        /// What the refund is.
        from: RefundStatus,
        /// What it was asked to become.
        to: RefundStatus,
    },
    /// The order already has another payment page.
    #[error("the order has another payment page")]
    CheckoutConflict,
    /// The customer has had the free plan before.
    #[error("the free plan was used before")]
    FreePlanUsed,
    /// An order that costs something can't be settled without money, nor a free one with it.
    #[error("the order costs {0}")]
    WrongPrice(Money),
    /// A refund of nothing, or of more than is left of the payment.
    #[error("at most {remaining} of the payment can go back")]
    RefundExceedsPayment {
        /// What can still go back.
        remaining: Money,
    },
    /// The customer's bank holds the money, so it can't go back another way.
    #[error("the customer's bank has taken this money")]
    Disputed,
    /// Ledger entries that don't sum to zero. A defect.
    #[error("the entries of a ledger transaction don't sum to zero")]
    Unbalanced,
}
