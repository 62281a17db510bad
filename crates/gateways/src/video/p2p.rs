//! No provider at all: the pictures go from one browser to the other, and the offers over `/ws`.

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::SessionId;
use sessions::{Guest, Pass, RoomError, VideoProvider, VideoRooms};

use super::Ice;

/// Lets two browsers meet directly.
pub struct PeerToPeer {
    /// What they find each other with.
    pub ice: Ice,
    /// How long a pass is good for, in seconds.
    pub seconds: i64,
}

#[async_trait]
impl VideoRooms for PeerToPeer {
    // Two browsers need none.
    async fn open(&self, _session: SessionId) -> Result<(), RoomError> {
        Ok(())
    }

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
