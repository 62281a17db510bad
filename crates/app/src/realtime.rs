//! `/ws`: live channels.
//!
//! | module | holds |
//! |---|---|
//! | [`protocol`] | the frames, as clients see them |
//! | [`code`] | why a frame was not carried out |
//! | [`hub`] | the sockets of this node by channel; every notice of a committed transaction passes here once |
//! | [`presence`] | who is there, counted over tabs, with a grace period |
//! | [`socket`] | one socket: its order of frames, its catch-up, its limits |
//! | [`channel`] | what a socket does on a channel: join, say, read, react, signal |
//! | [`handshake`] | `GET /ws`: who may connect, from where |
//!
//! The log in the store is the truth; what passes here may be lost. Order: persist, commit, acknowledge, fan out.
//! A socket forwards the events of a session by `seq` only: it drops what it has sent already and reads from the
//! store what it has missed, so the fan-out needs no guarantee of order or delivery.

pub mod channel;
pub mod code;
pub mod handshake;
pub mod hub;
pub mod presence;
pub mod protocol;
pub mod socket;

pub use hub::Hub;

#[cfg(test)]
mod documented;
