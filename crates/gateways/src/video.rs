//! Who carries video.
//!
//! | module | holds |
//! |---|---|
//! | [`ice`] | STUN and TURN servers with credentials of limited life |
//! | [`p2p`] | the two browsers, directly |
//! | [`livekit`], [`twilio`] | tokens for the rooms of a provider |

pub mod ice;
mod jwt;
pub mod livekit;
pub mod p2p;
#[cfg(test)]
mod samples;
pub mod twilio;

pub use ice::Ice;
pub use livekit::Livekit;
pub use p2p::PeerToPeer;
pub use twilio::Twilio;
