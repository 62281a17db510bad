//! Money: what was agreed, what arrived, what went back, and the books that prove it.
//!
//! | module | holds |
//! |---|---|
//! | [`order`] | [`Order`]: what a customer agreed to buy, with its locked price, and its state machine |
//! | [`payment`] | [`Payment`]: money that arrived, and how much of it was asked back |
//! | [`refund`] | [`Refund`]: money going back, with its idempotency key |
//! | [`ledger`] | [`ledger::Transaction`]: balanced double-entry records, made by constructors only |
//! | [`progress`] | what an order goes through while no money has arrived |
//! | [`settle`](mod@settle) | arriving money meets its order: kept, seen before, or surplus |
//! | [`give_back`] | asking for a refund and recording what became of it |
//! | [`earning`] | [`Earning`]: what a provider has earned with a payment |
//! | [`dispute`] | [`Dispute`]: a payment that its customer has taken to their bank |
//! | [`inbox`] | [`claim_event`]: each event of the payment provider takes effect once |
//! | [`receipt`](mod@receipt) | [`Receipt`]: what was paid and returned, with the tax contained in it |
//! | [`retention`] | [`RetentionStore`]: what is forgotten, and when |
//! | [`gateway`] | [`Gateway`]: the port to the payment provider, in this crate's own words |
//! | [`store`] | [`Store`]: the port to the database |
//!
//! It owns orders, payments, refunds, the webhook inbox and the ledger. Two rules hold everywhere: money that
//! arrived is recorded before anything else happens with it, and a call to the provider is preceded by a committed
//! intent that carries its idempotency key.
//!
//! It must never know the provider's JSON, decide a price, name a session's inner state, or read a clock.

pub mod dispute;
pub mod earning;
pub mod error;
pub mod gateway;
pub mod give_back;
pub mod inbox;
pub mod ledger;
pub mod order;
pub mod payment;
pub mod progress;
pub mod receipt;
pub mod refund;
pub mod retention;
pub mod settle;
pub mod store;

pub use dispute::{Dispute, DisputeStatus, record_dispute, returnable};
pub use earning::{Earning, earn};
pub use error::Error;
pub use gateway::{Gateway, GatewayError};
pub use give_back::{adopt_refund, record_refund, refund_answer_lost, request_refund, take_back_free};
pub use inbox::{InboxEvent, Outcome, claim_event};
pub use order::{
    NewOrder, Order, OrderKind, OrderState, OrderStatus, OrderTerms, Placement, Purchase, place,
};
pub use payment::{Payment, PaymentStatus};
pub use progress::{await_money, expire, give_up, note_charge, note_checkout};
pub use receipt::{Receipt, receipt};
pub use refund::{Refund, RefundReason, RefundStatus};
pub use retention::{PastOrder, RetentionStore};
pub use settle::{Charge, Settlement, complete, settle, settle_free};
pub use store::Store;
