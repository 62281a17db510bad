//! Who carries video.
//!
//! | module | holds |
//! |---|---|
//! | [`ice`] | STUN and TURN servers with credentials of limited life |
//! | [`p2p`] | the two browsers, directly |

pub mod ice;
pub mod p2p;

pub use ice::Ice;
pub use p2p::PeerToPeer;
