//! What Twilio and LiveKit tell of their rooms, and the rooms that are made at Twilio.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::server::run_with;
use tests::twilio::{AUTH_TOKEN, FakeTwilio, signed};
use tests::{Answer, Backend, Meeting, Person, TestServer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::signal::accepted_video;
use super::video::pass;

const PUBLIC_URL: &str = "https://help.pitlane.test";
const LIVEKIT_SECRET: &str = "livekit-secret-of-the-test";

fn with_twilio(backend: Backend, body: impl AsyncFnOnce(&mut TestServer, &FakeTwilio)) {
    let twilio = FakeTwilio::start();
    let settings = [
        ("PITLANE_SERVER__PUBLIC_URL", PUBLIC_URL),
        ("PITLANE_VIDEO__PROVIDER", "twilio"),
        ("PITLANE_VIDEO__TWILIO_ACCOUNT_SID", "AC1"),
        ("PITLANE_VIDEO__TWILIO_API_KEY_SID", "SK1"),
        ("PITLANE_VIDEO__TWILIO_API_KEY_SECRET", "key-secret-of-the-test"),
        ("PITLANE_VIDEO__TWILIO_AUTH_TOKEN", AUTH_TOKEN),
        ("PITLANE_VIDEO__TWILIO_API_BASE", twilio.url.as_str()),
    ];
    run_with(backend, &settings, async |server| body(server, &twilio).await);
}

fn with_livekit(backend: Backend, body: impl AsyncFnOnce(&mut TestServer)) {
    let settings = [
        ("PITLANE_VIDEO__PROVIDER", "livekit"),
        ("PITLANE_VIDEO__LIVEKIT_URL", "wss://video.pitlane.test"),
        ("PITLANE_VIDEO__LIVEKIT_API_KEY", "APIkey"),
        ("PITLANE_VIDEO__LIVEKIT_API_SECRET", LIVEKIT_SECRET),
    ];
    run_with(backend, &settings, async |server| body(server).await);
}

/// Sends what Twilio would, signed as it signs.
async fn twilio_tells(server: &TestServer, fields: &[(&str, &str)]) -> Answer {
    let (body, signature) = signed(&format!("{PUBLIC_URL}/api/twilio/status"), fields);
    let client = server.guest().with_header("x-twilio-signature", &signature);
    client.post_bytes("/api/twilio/status", "application/x-www-form-urlencoded", body.as_bytes()).await
}

fn minutes_ago(minutes: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - time::Duration::minutes(minutes)
}

/// That somebody came or went, so many minutes ago.
async fn somebody(server: &TestServer, event: &str, who: (&str, &str), session: &str, ago: i64) {
    let (room, at) = (format!("session-{session}"), minutes_ago(ago).format(&Rfc3339).expect("a time"));
    let fields = [
        ("AccountSid", "AC1"),
        ("RoomName", room.as_str()),
        ("RoomSid", "RM1"),
        ("StatusCallbackEvent", event),
        ("Timestamp", at.as_str()),
        ("ParticipantIdentity", who.0),
        ("ParticipantSid", who.1),
        ("SequenceNumber", "0"),
    ];
    let answer = twilio_tells(server, &fields).await.expect_status(200);
    assert_eq!(answer.body, json!({ "received": true }));
}

/// How many stretches of somebody's go on, and how many are over.
fn stretches(server: &TestServer, who: &Person) -> (i64, i64) {
    let user = if server.database().is_sqlite() {
        format!("hex(user_id) = upper('{}')", who.id.replace('-', ""))
    } else {
        format!("user_id = '{}'", who.id)
    };
    let count =
        |open| server.database().count("session_media", &format!("{user} AND disconnected_at IS {open}"));
    (count("NULL"), count("NOT NULL"))
}

async fn twilio_tells_who_came(server: &mut TestServer, twilio: &FakeTwilio) {
    let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
    for person in [&dana, &max] {
        let pass = pass(person, &session).await.expect_status(200);
        assert_eq!(
            (&pass.body["provider"], &pass.body["room"]),
            (&json!("twilio"), &json!(format!("session-{session}")))
        );
        assert!(pass.body["token"].is_string());
    }
    let asked = twilio.asked();
    assert_eq!(asked.len(), 2, "a room that is there is as good as a new one");
    let basic = format!("Basic {}", STANDARD.encode("SK1:key-secret-of-the-test"));
    for room in &asked {
        assert_eq!(room.authorization, basic);
        assert_eq!(room.field("UniqueName"), format!("session-{session}"));
        assert_eq!((room.field("Type"), room.field("RecordParticipantsOnConnect")), ("group", "false"));
        assert_eq!(room.field("StatusCallback"), format!("{PUBLIC_URL}/api/twilio/status"));
    }

    for _ in 0..2 {
        somebody(server, "participant-connected", (&dana.id, "PA1"), &session, 9).await;
    }
    somebody(server, "participant-connected", (&max.id, "PM1"), &session, 8).await;
    assert_eq!((stretches(server, &dana), stretches(server, &max)), ((1, 0), (1, 0)));
    // The app was started again; the end of the first stay is told late, and the second one's before its beginning.
    somebody(server, "participant-connected", (&dana.id, "PA2"), &session, 7).await;
    somebody(server, "participant-disconnected", (&dana.id, "PA1"), &session, 6).await;
    assert_eq!(stretches(server, &dana), (1, 1));
    somebody(server, "participant-disconnected", (&dana.id, "PA3"), &session, 5).await;
    somebody(server, "participant-connected", (&dana.id, "PA3"), &session, 5).await;
    assert_eq!(stretches(server, &dana), (1, 2), "a stay that is over doesn't begin again");
    somebody(server, "room-ended", ("", ""), &session, 0).await;
    assert_eq!((stretches(server, &dana), stretches(server, &max)), ((0, 3), (0, 1)));

    // The end of a room is told late: who came after it is in a newer one.
    let Meeting { customer: carl, mechanic: mia, session: later } = accepted_video(server).await;
    somebody(server, "participant-connected", (&mia.id, "PM7"), &later, 9).await;
    somebody(server, "participant-connected", (&carl.id, "PC7"), &later, 8).await;
    somebody(server, "participant-connected", (&carl.id, "PC8"), &later, 3).await;
    somebody(server, "room-ended", ("", ""), &later, 5).await;
    assert_eq!((stretches(server, &carl), stretches(server, &mia)), ((1, 1), (0, 1)));
    somebody(server, "room-ended", ("", ""), &later, 1).await;
    assert_eq!((stretches(server, &carl), stretches(server, &mia)), ((0, 2), (0, 1)));

    // Nobody who is not in the session, no room that is none of ours, no chat.
    let eve = server.mechanic().await;
    somebody(server, "participant-connected", (&eve.id, "PE1"), &session, 0).await;
    somebody(server, "participant-connected", ("somebody", "PX1"), &session, 0).await;
    somebody(server, "participant-connected", (&dana.id, "PA4"), "lobby", 0).await;
    somebody(server, "track-added", (&dana.id, "PA4"), &session, 0).await;
    let chat = dana.paid_session("chat10").await;
    somebody(server, "participant-connected", (&dana.id, "PA5"), &chat, 0).await;
    assert_eq!(server.database().count("session_media", "true"), 7);
    assert_eq!(server.database().count("session_media", "provider = 'twilio'"), 7);
}

#[test]
fn twilio_tells_who_came_on_sqlite() {
    with_twilio(Backend::Sqlite, twilio_tells_who_came);
}

#[test]
fn twilio_tells_who_came_on_postgres() {
    with_twilio(Backend::Postgres, twilio_tells_who_came);
}

#[test]
fn who_is_not_twilio_is_not_heard_and_a_room_that_cannot_be_made_is_said_so() {
    with_twilio(Backend::Sqlite, async |server, twilio| {
        let Meeting { customer: dana, mechanic: _, session } = accepted_video(server).await;
        let room = format!("session-{session}");
        let fields = [
            ("RoomName", room.as_str()),
            ("StatusCallbackEvent", "participant-connected"),
            ("ParticipantIdentity", dana.id.as_str()),
            ("ParticipantSid", "PA1"),
        ];
        let (body, elsewhere) = signed("https://evil.test/api/twilio/status", &fields);
        for signature in ["", "AAAA", elsewhere.as_str()] {
            let client = server.guest().with_header("x-twilio-signature", signature);
            let answer =
                client.post_bytes("/api/twilio/status", "application/x-www-form-urlencoded", body.as_bytes());
            answer.await.refused(400, "bad_signature");
        }
        server.guest().post_nothing("/api/twilio/status").await.refused(400, "bad_signature");
        server.guest().post_nothing("/api/livekit/webhook").await.refused(400, "bad_signature");
        assert_eq!(server.database().count("session_media", "true"), 0);

        twilio.is_down(true);
        let path = format!("/api/sessions/{session}/video-token");
        let request = dana.client.request(Method::POST, &path);
        let refused = dana.client.attempt(format!("POST {path}"), request).await;
        refused.refused(503, "video_unavailable");
        assert!(!refused.body.to_string().contains("20500"), "the cause is for the log: {refused:?}");
        assert!(server.log().contains("20500"), "and there it is");
        twilio.is_down(false);
        pass(&dana, &session).await.expect_status(200);
    });
}

/// A body, and the token that answers for it.
fn livekit_token(body: &str) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let hash = STANDARD.encode(Sha256::digest(body.as_bytes()));
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": "APIkey", "sha256": hash, "nbf": now, "exp": now + 300 });
    let text = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(LIVEKIT_SECRET.as_bytes()).expect("any key");
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn livekit_tells(server: &TestServer, body: &str, token: &str) -> Answer {
    let client = server.guest().with_header("authorization", token);
    client.post_bytes("/api/livekit/webhook", "application/webhook+json", body.as_bytes()).await
}

async fn livekit_tells_who_came(server: &mut TestServer) {
    let Meeting { customer: dana, mechanic: _, session } = accepted_video(server).await;
    pass(&dana, &session).await.expect_status(200);
    let told = |event: &str, ago: i64| {
        json!({
            "event": event,
            "id": "EV_1",
            "createdAt": minutes_ago(ago).unix_timestamp().to_string(),
            "room": { "sid": "RM_1", "name": format!("session-{session}") },
            "participant": { "sid": "PA_1", "identity": dana.id, "state": "ACTIVE" },
        })
        .to_string()
    };
    let joined = told("participant_joined", 5);
    livekit_tells(server, &joined, "").await.refused(400, "bad_signature");
    livekit_tells(server, &joined, &livekit_token("another body")).await.refused(400, "bad_signature");
    assert_eq!(stretches(server, &dana), (0, 0));
    livekit_tells(server, &joined, &livekit_token(&joined)).await.expect_status(200);
    livekit_tells(server, &joined, &livekit_token(&joined)).await.expect_status(200);
    assert_eq!(stretches(server, &dana), (1, 0));
    let left = told("participant_left", 1);
    livekit_tells(server, &left, &livekit_token(&left)).await.expect_status(200);
    assert_eq!(stretches(server, &dana), (0, 1));
    assert_eq!(server.database().count("session_media", "provider = 'livekit'"), 1);
    livekit_tells(server, "not json", &livekit_token("not json")).await.expect_status(200);
}

#[test]
fn livekit_tells_who_came_on_sqlite() {
    with_livekit(Backend::Sqlite, livekit_tells_who_came);
}

#[test]
fn livekit_tells_who_came_on_postgres() {
    with_livekit(Backend::Postgres, livekit_tells_who_came);
}
