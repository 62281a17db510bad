//! The customer's journey.
//!
//! | module | holds |
//! |---|---|
//! | [`kind`] | [`InteractionKind`]: the steps of the journey and their published names |
//! | [`metadata`] | [`Metadata`]: what is known about a step, without anything that names a person or a car's number |
//! | [`interaction`] | [`Interaction`], [`NewInteraction`] with one constructor a step, and [`record()`] |
//! | [`store`] | [`Store`]: the port to the database |
//!
//! It owns interactions.
//!
//! It must never stop anything: whoever records a step does it under a savepoint and goes on when it fails. It must
//! never know a session's inner state, or keep names, addresses, vehicle numbers or texts that people wrote.

pub mod interaction;
pub mod kind;
pub mod metadata;
pub mod store;

pub use interaction::{Interaction, NewInteraction, record};
pub use kind::InteractionKind;
pub use metadata::{Datum, Metadata};
pub use store::Store;
