//! What Twilio tells of its rooms (<https://www.twilio.com/docs/video/api/status-callbacks>), and the proof that it was
//! Twilio (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use sessions::{RoomEvent, RoomNews, VideoProvider, session_of_room};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// The fields of a callback, each by its name.
pub struct Status<'b>(BTreeMap<Cow<'b, str>, Cow<'b, str>>);

impl<'b> Status<'b> {
    /// Reads a body as Twilio sends it, `application/x-www-form-urlencoded`.
    pub fn read(body: &'b [u8]) -> Self {
        Self(form_urlencoded::parse(body).collect())
    }

    /// Whether one of these auth tokens signed it for that address, `url`, which is ours as Twilio knows it.
    pub fn is_signed<'s>(
        &self,
        url: &str,
        signature: &str,
        auth_tokens: impl IntoIterator<Item = &'s str>,
    ) -> bool {
        let Ok(given) = STANDARD.decode(signature) else { return false };
        // No short circuit: the signature is compared with every token's.
        auth_tokens
            .into_iter()
            .fold(false, |found, token| bool::from(self.sign(url, token).as_slice().ct_eq(&given)) | found)
    }

    fn sign(&self, url: &str, auth_token: &str) -> Vec<u8> {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes a key of any length");
        mac.update(url.as_bytes());
        for (name, value) in &self.0 {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        mac.finalize().into_bytes().to_vec()
    }

    /// What it tells of a session's room; `None` for what is of no use to a session. `now` stands in for a time that is
    /// missing.
    pub fn news(&self, now: Timestamp) -> Option<RoomNews> {
        let at = self.field("Timestamp").and_then(|time| time.parse().ok()).unwrap_or(now);
        let person = || {
            let user = self.field("ParticipantIdentity")?.parse().ok()?;
            Some((user, self.field("ParticipantSid")?.to_owned()))
        };
        let event = match self.field("StatusCallbackEvent")? {
            "participant-connected" => {
                let (user, connection) = person()?;
                RoomEvent::Joined { user, connection }
            }
            "participant-disconnected" => {
                let (user, connection) = person()?;
                let seconds = self.field("ParticipantDuration").and_then(|text| text.parse::<i64>().ok());
                let since = seconds.filter(|length| *length >= 0).map(|length| at.plus_seconds(-length));
                RoomEvent::Left { user, connection, since }
            }
            "room-ended" => RoomEvent::Closed,
            _ => return None,
        };
        let session = session_of_room(self.field("RoomName")?)?;
        Some(RoomNews { session, provider: VideoProvider::Twilio, at, event })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::samples::{dana, then};

    // The address, the fields, the token and the signature are those of Twilio's own description.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const BODY: &[u8] =
        b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    #[test]
    fn a_signature_holds_for_this_address_these_fields_and_a_token_of_ours() {
        let status = Status::read(BODY);
        assert!(status.is_signed(URL, SIGNATURE, ["12345"]));
        assert!(status.is_signed(URL, SIGNATURE, ["new", "12345"]), "while the token is replaced");
        assert!(!status.is_signed(URL, SIGNATURE, ["54321"]));
        assert!(!status.is_signed(URL, SIGNATURE, []), "no token, no proof");
        assert!(!status.is_signed("https://mycompany.com/myapp.php", SIGNATURE, ["12345"]));
        assert!(!status.is_signed(URL, "", ["12345"]));
        assert!(!status.is_signed(URL, "no base64", ["12345"]));
        assert!(!Status::read(b"Digits=1235").is_signed(URL, SIGNATURE, ["12345"]));
    }

    fn news(event: &str, more: &str) -> Option<RoomNews> {
        let guest = dana();
        let body = format!(
            "RoomName=session-{}&ParticipantIdentity={}&ParticipantSid=PA1&StatusCallbackEvent={event}\
             &Timestamp=2025-11-26T00%3A00%3A00.000Z{more}",
            guest.session, guest.user
        );
        Status::read(body.as_bytes()).news(then().plus_seconds(5))
    }

    #[test]
    fn who_comes_and_goes_is_understood() {
        let guest = dana();
        let said = |event| RoomNews {
            session: guest.session,
            provider: VideoProvider::Twilio,
            at: "2025-11-26T00:00:00Z".parse().expect("a time"),
            event,
        };
        let (user, connection) = (guest.user, "PA1".to_owned());
        let joined = RoomEvent::Joined { user, connection: connection.clone() };
        assert_eq!(news("participant-connected", ""), Some(said(joined)));
        let since = Some("2025-11-25T23:59:30Z".parse().expect("a time"));
        let left = RoomEvent::Left { user, connection, since };
        assert_eq!(news("participant-disconnected", "&ParticipantDuration=30"), Some(said(left)));
        assert_eq!(news("room-ended", ""), Some(said(RoomEvent::Closed)));
        for other in ["track-added", "room-created", ""] {
            assert_eq!(news(other, ""), None, "{other}");
        }
        let foreign = b"RoomName=lobby&StatusCallbackEvent=room-ended";
        assert_eq!(Status::read(foreign).news(then()), None);
    }
}
