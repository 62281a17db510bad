//! No provider at all: the pictures go from one browser to the other, and the offers over `/ws`.

use kernel::Timestamp;
use sessions::{Guest, Pass, VideoProvider, VideoRooms};

use super::Ice;

/// Lets two browsers meet directly.
pub struct PeerToPeer {
    /// What they find each other with.
    pub ice: Ice,
    /// How long a pass is good for, in seconds.
    pub seconds: i64,
}

impl VideoRooms for PeerToPeer {
    fn pass(&self, guest: &Guest, now: Timestamp) -> Pass {
        let expires_at = now.plus_seconds(self.seconds);
        Pass {
            provider: VideoProvider::P2p,
            token: None,
            server_url: None,
            ice_servers: self.ice.servers(guest.user, expires_at),
            expires_at,
        }
    }
}
