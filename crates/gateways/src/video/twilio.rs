//! Twilio's access tokens for Programmable Video (<https://www.twilio.com/docs/video/tutorials/user-identity-access-tokens>).
//!
//! The rooms are group rooms: accounts made after October 2024 get no others (error 53126). What kind a room is, and
//! where it calls back, stands in the account's room settings, under which the first token makes it.

use kernel::Timestamp;
use serde_json::json;
use sessions::{Guest, Pass, VideoProvider, VideoRooms, room_name};

use super::{Ice, jwt};

/// Lets people into Twilio's group rooms.
pub struct Twilio {
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

impl VideoRooms for Twilio {
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
    use super::*;
    use crate::video::samples::{dana, then};

    #[test]
    fn a_token_opens_one_room_for_one_person_until_its_end() {
        let rooms = Twilio {
            account_sid: "AC1".to_owned(),
            api_key_sid: "SK1".to_owned(),
            api_key_secret: "the secret of the test".to_owned(),
            ice: Ice::default(),
            seconds: 600,
        };
        let guest = dana();
        let pass = rooms.pass(&guest, then());
        let (header, claims) =
            jwt::read(&pass.token.expect("a token"), &rooms.api_key_secret).expect("signed");
        assert_eq!(header["cty"], "twilio-fpa;v=1");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("SK1"), &json!("AC1")));
        assert_eq!((&claims["nbf"], &claims["exp"]), (&json!(1_764_115_200), &json!(1_764_115_800)));
        let room = format!("session-{}", guest.session);
        assert_eq!(claims["grants"], json!({ "identity": guest.user, "video": { "room": room } }));
    }
}
