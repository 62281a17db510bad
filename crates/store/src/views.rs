//! What fills a screen: joins across domains that no rule depends on.

pub mod mail;
pub mod channel;
pub mod session;
pub mod admin;
pub mod requests;
pub mod room;
