//! Resend, which carries mail.
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | [`Resend`]: the one place that talks to Resend over the network |
//! | [`wire`] | what is sent and what is answered, as pure functions |
//! | [`signature`] | the proof that a webhook comes from Resend, as a pure function |

pub mod client;
pub mod signature;
pub mod wire;

pub use client::{Resend, Settings};
pub use signature::{BadSignature, Signature};
pub use wire::{Feedback, feedback};
