//! Twilio's Programmable Video: access tokens
//! (<https://www.twilio.com/docs/video/tutorials/user-identity-access-tokens>), rooms
//! (<https://www.twilio.com/docs/video/api/rooms-resource>), and what it tells of them.
//!
//! The rooms are group rooms: accounts made after October 2024 get no others (error 53126).

pub mod callback;
pub mod rooms;

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::SessionId;
use serde_json::json;
use sessions::{Guest, Pass, RoomError, VideoProvider, VideoRooms, room_name};

use self::rooms::Rooms;
use super::{Ice, jwt};

/// Lets people into Twilio's group rooms.
pub struct Twilio {
    /// Where the rooms are made.
    pub rooms: Rooms,
    /// `AC…`
    pub account_sid: String,
    /// `SK…`
    pub api_key_sid: String,
    /// The API key's secret.
    pub api_key_secret: String,
    /// What clients find each other with beside Twilio's own.
    pub ice: Ice,
    /// How long a pass is good for, in seconds.
    pub seconds: i64,
}

#[async_trait]
impl VideoRooms for Twilio {
    async fn open(&self, session: SessionId) -> Result<(), RoomError> {
        self.rooms.open(&room_name(session), &self.api_key_sid, &self.api_key_secret).await
    }

    fn pass(&self, guest: &Guest, now: Timestamp) -> Pass {
        let expires_at = now.plus_seconds(self.seconds);
        let header = json!({ "alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1" });
        let claims = json!({
            "jti": format!("{}-{}", self.api_key_sid, now.unix_millis()),
            "iss": self.api_key_sid,
            "sub": self.account_sid,
            "nbf": now.unix_seconds(),
            "iat": now.unix_seconds(),
            "exp": expires_at.unix_seconds(),
            "grants": { "identity": guest.user, "video": { "room": room_name(guest.session) } },
        });
        Pass {
            provider: VideoProvider::Twilio,
            token: Some(jwt::sign(&header, &claims, &self.api_key_secret)),
            server_url: None,
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
        let rooms = Twilio {
            rooms: Rooms::new(String::new(), None),
            account_sid: "AC1".to_owned(),
            api_key_sid: "SK1".to_owned(),
            api_key_secret: "the secret of the test".to_owned(),
            ice: Ice::default(),
            seconds: 600,
        };
        let guest = dana();
        let pass = rooms.pass(&guest, then());
        let (header, claims) =
            jwt::read::<Value, Value>(&pass.token.expect("a token"), &rooms.api_key_secret).expect("signed");
        assert_eq!(header["cty"], "twilio-fpa;v=1");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("SK1"), &json!("AC1")));
        assert_eq!((&claims["nbf"], &claims["exp"]), (&json!(1_764_115_200), &json!(1_764_115_800)));
        let room = format!("session-{}", guest.session);
        assert_eq!(claims["grants"], json!({ "identity": guest.user, "video": { "room": room } }));
    }
}
