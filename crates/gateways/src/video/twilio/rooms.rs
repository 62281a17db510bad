//! The rooms of an account: each is made before somebody comes, so that its kind and where it calls back don't depend on
//! the account's settings.

use std::time::Duration;

use http_body_util::{BodyExt, Collected, Limited};
use sessions::RoomError;

use crate::https::{self, Http};
use crate::twilio::post;
use crate::twilio::wire::Refusal;

const API_BASE: &str = "https://video.twilio.com";
// Somebody waits for the camera meanwhile.
const TIMEOUT: Duration = Duration::from_secs(8);
const ANSWER_MAX_BYTES: usize = 64 * 1_024;
/// A room of that name is in progress.
const EXISTS: u32 = 53113;

/// Makes rooms.
pub struct Rooms {
    http: Http,
    api_base: String,
    callback: Option<String>,
}

impl Rooms {
    /// Rooms made at that origin, Twilio's own when it is empty, which tell of themselves at `callback`. Nothing is
    /// called yet.
    pub fn new(api_base: String, callback: Option<String>) -> Self {
        let api_base = if api_base.is_empty() { API_BASE.to_owned() } else { api_base };
        Self { http: https::client(), api_base, callback }
    }

    /// Makes the room of that name unless it is there.
    pub(super) async fn open(&self, name: &str, key: &str, secret: &str) -> Result<(), RoomError> {
        let form = form(name, self.callback.as_deref());
        let url = format!("{}/v1/Rooms", self.api_base);
        let request = post(&url, key, secret, form).map_err(RoomError)?;
        let answered = async {
            let answer = self.http.request(request).await.map_err(|error| RoomError(https::chain(&error)))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
            judge(status, &body.map(Collected::to_bytes).unwrap_or_default())
        };
        let late = |_| RoomError(format!("no answer within {} seconds", TIMEOUT.as_secs()));
        tokio::time::timeout(TIMEOUT, answered).await.map_err(late)?
    }
}

// Two sides, and each of them once more while a page that was loaded again takes the place of the one before.
fn form(name: &str, callback: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("UniqueName", name).append_pair("Type", "group").append_pair("MaxParticipants", "4");
    form.append_pair("RecordParticipantsOnConnect", "false");
    if let Some(url) = callback {
        form.append_pair("StatusCallback", url).append_pair("StatusCallbackMethod", "POST");
    }
    form.finish()
}

fn judge(status: u16, body: &[u8]) -> Result<(), RoomError> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    let Refusal { code, message } = Refusal::read(body);
    if code == EXISTS {
        return Ok(());
    }
    Err(RoomError(format!("Twilio answered {status}: {message} ({code})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_a_group_that_calls_back_and_records_nothing() {
        assert_eq!(
            form("session-1", Some("https://help.example.com/api/twilio/status")),
            "UniqueName=session-1&Type=group&MaxParticipants=4&RecordParticipantsOnConnect=false\
             &StatusCallback=https%3A%2F%2Fhelp.example.com%2Fapi%2Ftwilio%2Fstatus&StatusCallbackMethod=POST"
        );
        assert!(!form("session-1", None).contains("StatusCallback"));
    }

    #[test]
    fn a_room_that_is_there_is_as_good_as_a_new_one() {
        assert_eq!(judge(201, b"{}"), Ok(()));
        assert_eq!(judge(400, br#"{"code":53113,"message":"Room exists"}"#), Ok(()));
        let refused = judge(401, br#"{"code":20003,"message":"Authenticate"}"#);
        assert_eq!(refused, Err(RoomError("Twilio answered 401: Authenticate (20003)".to_owned())));
        assert!(judge(502, b"<html>").is_err());
    }
}
