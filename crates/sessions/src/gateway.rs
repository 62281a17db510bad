//! Who carries video: a port to the outside.

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::{SessionId, UserId};

/// Who carries the pictures of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoProvider {
    /// The two browsers, directly; they find each other over `/ws`.
    P2p,
    /// A LiveKit server.
    Livekit,
    /// Twilio's group rooms.
    Twilio,
}

impl VideoProvider {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::P2p, Self::Livekit, Self::Twilio];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P2p => "p2p",
            Self::Livekit => "livekit",
            Self::Twilio => "twilio",
        }
    }

    /// The provider of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }
}

/// Somebody who is let into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The session whose room it is.
    pub session: SessionId,
    /// The person; at every provider their identity is this id.
    pub user: UserId,
    /// The name that others read.
    pub name: String,
}

/// A STUN or TURN server, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// Its addresses.
    pub urls: Vec<String>,
    /// The name and the password, where it wants them.
    pub credential: Option<(String, String)>,
}

/// What lets one person into one room for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Who carries the pictures.
    pub provider: VideoProvider,
    /// The provider's own token; none when the browsers meet directly.
    pub token: Option<String>,
    /// Where the provider is; none when its client knows.
    pub server_url: Option<String>,
    /// What helps two browsers to find a way to each other.
    pub ice_servers: Vec<IceServer>,
    /// Until when it opens anything.
    pub expires_at: Timestamp,
}

/// The provider of video did not make a room. Trying again is harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no video room: {0}")]
pub struct RoomError(pub String);

/// Who carries video.
#[async_trait]
pub trait VideoRooms: Send + Sync {
    /// Makes the room of a session where the provider wants it made before somebody comes; one that is there already
    /// stays as it is.
    ///
    /// # Errors
    /// [`RoomError`], with what the provider said.
    async fn open(&self, session: SessionId) -> Result<(), RoomError>;

    /// A pass for this guest and no other, into this room and no other.
    fn pass(&self, guest: &Guest, now: Timestamp) -> Pass;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_its_name() {
        for provider in VideoProvider::ALL {
            assert_eq!(VideoProvider::parse(provider.as_str()), Some(provider));
        }
        assert_eq!(VideoProvider::parse("jitsi"), None);
    }
}
