//! Stripe, or what speaks its protocol.
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | [`Stripe`]: the one place that talks to Stripe over the network |
//! | [`wire`] | requests and answers in Stripe's shapes, as pure functions |
//! | [`signature`] | the proof that a webhook comes from Stripe, as a pure function |

pub mod client;
pub mod signature;
pub mod wire;

pub use client::{Settings, SettingsError, Stripe};
