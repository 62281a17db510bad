//! What a LiveKit server tells of its rooms, and the proof that it was ours
//! (<https://docs.livekit.io/home/server/webhooks/>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sessions::{RoomEvent, RoomNews, VideoProvider, session_of_room};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::video::jwt;

/// How far the two clocks may be apart, in seconds.
const LEEWAY_SECONDS: i64 = 60;

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sha256: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
}

/// Whether `authorization`, the header of that name, is a token with which the owner of this API key answers for this
/// very body now.
pub fn is_signed(body: &[u8], authorization: &str, api_key: &str, api_secret: &str, now: Timestamp) -> bool {
    if api_key.is_empty() || api_secret.is_empty() {
        return false;
    }
    let token = authorization.strip_prefix("Bearer ").unwrap_or(authorization);
    let Some((header, claims)) = jwt::read::<Header, Claims>(token, api_secret) else { return false };
    let body_is_meant = STANDARD
        .decode(&claims.sha256)
        .is_ok_and(|hash| bool::from(Sha256::digest(body).as_slice().ct_eq(&hash)));
    let now = now.unix_seconds();
    body_is_meant
        && header.alg == "HS256"
        && claims.iss == api_key
        && (claims.nbf - LEEWAY_SECONDS..claims.exp + LEEWAY_SECONDS).contains(&now)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    event: String,
    room: Option<Room>,
    participant: Option<Participant>,
    created_at: Option<Seconds>,
}

#[derive(Deserialize)]
struct Room {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Participant {
    sid: String,
    identity: String,
    joined_at: Option<Seconds>,
}

// Protocol Buffers write 64 bits as a text in JSON, and some writers as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Text(String),
    Number(i64),
    Other(IgnoredAny),
}

impl Seconds {
    fn time(&self) -> Option<Timestamp> {
        let seconds = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Other(_) => None,
        };
        seconds.filter(|seconds| *seconds > 0).and_then(Timestamp::from_unix_seconds)
    }
}

/// What it tells of a session's room; `None` for what can't be read or is of no use to a session. `now` stands in for a
/// time that is missing.
pub fn news(body: &[u8], now: Timestamp) -> Option<RoomNews> {
    let told: Told = serde_json::from_slice(body).ok()?;
    let event = match (&*told.event, told.participant) {
        ("participant_joined", Some(who)) => {
            RoomEvent::Joined { user: who.identity.parse().ok()?, connection: who.sid }
        }
        ("participant_left" | "participant_connection_aborted", Some(who)) => RoomEvent::Left {
            user: who.identity.parse().ok()?,
            since: who.joined_at.and_then(|joined| joined.time()),
            connection: who.sid,
        },
        ("room_finished", _) => RoomEvent::Closed,
        _ => return None,
    };
    let session = session_of_room(&told.room?.name)?;
    let at = told.created_at.and_then(|created| created.time()).unwrap_or(now);
    Some(RoomNews { session, provider: VideoProvider::Livekit, at, event })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::video::samples::{dana, then};

    const KEY: (&str, &str) = ("APIkey", "the secret of the test");

    fn token(body: &[u8], change: impl FnOnce(&mut Value)) -> String {
        let now = then().unix_seconds();
        let hash = STANDARD.encode(Sha256::digest(body));
        let mut claims = json!({ "iss": KEY.0, "sha256": hash, "nbf": now, "exp": now + 300 });
        change(&mut claims);
        jwt::sign(&json!({ "alg": "HS256" }), &claims, KEY.1)
    }

    #[test]
    fn a_token_answers_for_one_body_of_one_server_for_a_while() {
        let body = br#"{"event":"room_started"}"#;
        let signed = |token: &str, at| is_signed(body, token, KEY.0, KEY.1, at);
        let good = token(body, |_| {});
        assert!(signed(&good, then()));
        assert!(signed(&format!("Bearer {good}"), then()));
        assert!(!signed(&good, then().plus_seconds(600)), "too old");
        assert!(!signed(&good, then().plus_seconds(-600)), "from the future");
        assert!(!is_signed(b"{}", &good, KEY.0, KEY.1, then()), "another body");
        assert!(!is_signed(body, &good, KEY.0, "another secret", then()));
        assert!(!is_signed(body, &good, "APIother", KEY.1, then()));
        assert!(!is_signed(body, &good, "", "", then()), "nothing is configured");
        assert!(!signed(&token(body, |claims| claims["sha256"] = json!("")), then()));
        assert!(!signed(
            &token(body, |claims| drop(claims.as_object_mut().map(|map| map.remove("exp")))),
            then()
        ));
        assert!(!signed("", then()));
        let plain = jwt::sign(&json!({ "alg": "none" }), &json!({ "iss": KEY.0 }), KEY.1);
        assert!(!signed(&plain, then()));
    }

    fn told(event: &str) -> Option<RoomNews> {
        let guest = dana();
        let body = json!({
            "event": event,
            "id": "EV_1",
            "createdAt": "1764115230",
            "room": { "sid": "RM_1", "name": format!("session-{}", guest.session) },
            "participant": { "sid": "PA_1", "identity": guest.user, "joinedAt": "1764115200" },
        });
        news(body.to_string().as_bytes(), then())
    }

    #[test]
    fn who_comes_and_goes_is_understood() {
        let guest = dana();
        let (user, connection) = (guest.user, "PA_1".to_owned());
        let at = then().plus_seconds(30);
        let said =
            |event| Some(RoomNews { session: guest.session, provider: VideoProvider::Livekit, at, event });
        let joined = RoomEvent::Joined { user, connection: connection.clone() };
        assert_eq!(told("participant_joined"), said(joined));
        let left = RoomEvent::Left { user, connection, since: Some(then()) };
        assert_eq!(told("participant_left"), said(left.clone()));
        assert_eq!(told("participant_connection_aborted"), said(left));
        assert_eq!(told("room_finished"), said(RoomEvent::Closed));
        for other in ["track_published", "room_started", ""] {
            assert_eq!(told(other), None, "{other}");
        }
        for broken in [&b"{}"[..], b"", br#"{"event":"room_finished","room":{"name":"lobby"}}"#] {
            assert_eq!(news(broken, then()), None);
        }
    }
}
