//! What fills a screen: joins across domains that no rule depends on.

pub mod channel;
pub mod session;
