//! The network side of the outside actors' ports.
//!
//! | module | talks to |
//! |---|---|
//! | [`files`] | the folder or the bucket in which uploads lie |
//! | [`pictures`] | nobody: the decoders that make small pictures of uploaded ones |
//! | [`resend`] | Resend, which carries mail |
//! | [`video`] | Twilio, where it makes rooms; it makes what opens one, and reads what providers tell of them |
//! | [`stripe`] | Stripe, or the sandbox at Stripe's own paths |
//! | [`twilio`] | Twilio, which carries text messages |
//!
//! Each module that talks over a network splits into `wire` (what is sent and read, as pure functions) and `client` (the one place that does the
//! network, with its time limits and attempts).
//!
//! It must never decide anything about the business, open the database, or let a secret reach a log.

pub mod files;
mod https;
pub mod pictures;
pub mod resend;
pub mod stripe;
pub mod twilio;
pub mod video;
