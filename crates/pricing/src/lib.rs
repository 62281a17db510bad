//! What things cost.
//!
//! | module | holds |
//! |---|---|
//! | [`catalog`] | [`Catalog`]: every price book, which one is active, and the aliases of plan codes |
//! | [`book`] | [`PriceBook`]: one version of all prices, in one currency |
//! | [`plan`] | [`Plan`]: what a customer can buy, and its price for a slot's multiplier |
//! | [`session_price`](mod@session_price) | base, upgrade and total of a session |
//! | [`upgrade`] | whether a session can become video, and what that costs |
//! | [`cancellation`] | how much of the price goes back, by tiers that are data |
//! | [`form`] | the price books as they are written in a file, and everything that can be wrong with them |
//!
//! It owns prices, lengths, the upgrade difference, multipliers and refund tiers. Every amount is integer minor
//! units; the decimals that two endpoints and the database views show are made at the edge, from these.
//!
//! It must never know Stripe (a price id is text to it), store anything, or write down a difference that can be
//! computed.

pub mod book;
pub mod cancellation;
pub mod catalog;
pub mod form;
pub mod plan;
pub mod session_price;
pub mod upgrade;

pub use book::PriceBook;
pub use cancellation::{Cancellation, Tier, refund_share, share_holds_for};
pub use catalog::Catalog;
pub use form::{CatalogForm, Problem};
pub use plan::Plan;
pub use session_price::{SessionPrice, session_price};
pub use upgrade::{
    UpgradePrice, UpgradeRefusal, UpgradeStage, can_upgrade, extension_plan, upgrade_plan, upgrade_price,
    upgrade_quote,
};

#[cfg(test)]
mod testing;
