//! Finding a mechanic for a paid session: requests, who is offered them, and who gets them.
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | [`Request`], [`RequestStatus`], [`Routing`]: a call for a mechanic |
//! | [`offer`] | [`Offer`], [`OfferStatus`]: who was told of it and what they answered |
//! | [`open`] | [`open_request`]: a paid session is offered to the mechanics on duty |
//! | [`answer`] | [`accept`], [`decline`]: the first accept wins |
//! | [`close`] | [`withdraw`], [`expire`], [`assign`]: what ends a request from outside |
//! | [`store`] | [`Store`]: what this domain asks of the database |
//! | [`error`] | [`Error`] |
//!
//! It owns who is asked and who was first. It must never know a price, a session's inner state, or how a mechanic is
//! told.

pub mod answer;
pub mod close;
pub mod error;
pub mod offer;
pub mod open;
pub mod request;
pub mod store;

pub use answer::{Accepted, Declined, accept, decline};
pub use close::{Closed, assign, expire, withdraw};
pub use error::Error;
pub use offer::{Offer, OfferStatus};
pub use open::{NewRequest, Opened, open_request};
pub use request::{Request, RequestStatus, Routing};
pub use store::{Duty, Store};
