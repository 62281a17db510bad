//! LiveKit: access tokens (<https://docs.livekit.io/frontends/authentication/tokens/>), and what it tells of its rooms.

pub mod callback;

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::SessionId;
use serde_json::json;
use sessions::{Guest, Pass, RoomError, VideoProvider, VideoRooms, room_name};

use super::{Ice, jwt};

/// Lets people into rooms of a LiveKit server. A room is made when the first of them comes.
pub struct Livekit {
    /// Where the server is, such as `wss://video.example.com`.
    pub url: String,
    /// The API key's name.
    pub api_key: String,
    /// The API key's secret.
    pub api_secret: String,
    /// What clients find each other with beside the server's own.
    pub ice: Ice,
    /// How long a pass is good for, in seconds.
    pub seconds: i64,
}

#[async_trait]
impl VideoRooms for Livekit {
    // The first who comes makes it.
    async fn open(&self, _session: SessionId) -> Result<(), RoomError> {
        Ok(())
    }

    fn pass(&self, guest: &Guest, now: Timestamp) -> Pass {
        let expires_at = now.plus_seconds(self.seconds);
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let claims = json!({
            "iss": self.api_key,
            "sub": guest.user,
            "name": guest.name,
            "nbf": now.unix_seconds(),
            "exp": expires_at.unix_seconds(),
            // One room and nothing else: neither making, listing nor recording rooms.
            "video": {
                "room": room_name(guest.session),
                "roomJoin": true,
                "canPublish": true,
                "canSubscribe": true,
                "canPublishData": true,
            },
        });
        Pass {
            provider: VideoProvider::Livekit,
            token: Some(jwt::sign(&header, &claims, &self.api_secret)),
            server_url: Some(self.url.clone()),
            ice_servers: self.ice.servers(guest.user, expires_at),
            expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::video::samples::{dana, then};

    #[test]
    fn a_token_opens_one_room_for_one_person_until_its_end() {
        let rooms = Livekit {
            url: "wss://video.example.com".to_owned(),
            api_key: "APIkey".to_owned(),
            api_secret: "the secret of the test".to_owned(),
            ice: Ice::default(),
            seconds: 600,
        };
        let guest = dana();
        let pass = rooms.pass(&guest, then());
        let token = pass.token.expect("a token");
        let (header, claims) = jwt::read::<Value, Value>(&token, &rooms.api_secret).expect("signed");
        assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("APIkey"), &json!(guest.user)));
        assert_eq!((&claims["nbf"], &claims["exp"]), (&json!(1_764_115_200), &json!(1_764_115_800)));
        assert_eq!(pass.expires_at, then().plus_seconds(600));
        let video = claims["video"].as_object().expect("a grant");
        assert_eq!(video["room"], format!("session-{}", guest.session));
        for more in ["roomCreate", "roomList", "roomAdmin", "roomRecord"] {
            assert!(!video.contains_key(more), "{more}");
        }
        assert!(jwt::read::<Value, Value>(&token, "another secret").is_none());
        assert_eq!(pass.server_url.as_deref(), Some("wss://video.example.com"));
    }
}
