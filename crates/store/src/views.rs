//! What fills a screen: joins across domains that no rule depends on.

pub mod admin;
pub mod channel;
pub mod checkout;
pub mod disputes;
pub mod export;
pub mod file;
pub mod mail;
pub mod media;
pub mod money;
pub mod requests;
pub mod room;
pub mod session;
pub mod staff;
pub mod watch;
