//! What opens the room of a video session.

use serde_json::{Value, json};
use tests::server::run_with;
use tests::{Answer, Backend, Meeting, Person, TestServer, on_both};

use super::signal::accepted_video;

/// Two finders and a relay.
const SERVERS: [(&str, &str); 2] = [
    ("PITLANE_VIDEO__ICE_SERVERS", "stun:stun.example.com,turn:turn.example.com:3478,turns:turn.example.com"),
    ("PITLANE_VIDEO__TURN_SECRET", "turn-secret-of-the-test"),
];

/// Asks for a pass.
pub(super) async fn pass(person: &Person, session: &str) -> Answer {
    person.client.post_nothing(&format!("/api/sessions/{session}/video-token")).await
}

/// Tells whether the other side is seen.
async fn tells(person: &Person, session: &str, state: &str, connection: Option<&str>) -> Answer {
    let body = json!({ "state": state, "connection_id": connection });
    person.client.post(&format!("/api/sessions/{session}/media"), body).await
}

on_both! {
    async fn both_sides_get_a_pass_into_the_one_room_of_their_session(server) {
        let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
        for person in [&dana, &max] {
            let pass = pass(person, &session).await.expect_status(200);
            assert_eq!(pass.body["provider"], "p2p");
            assert_eq!(pass.body["room"], format!("session-{session}"));
            assert_eq!(pass.body["identity"], person.id);
            assert_eq!(pass.body["ice_servers"], json!([]));
            assert!(pass.body.get("token").is_none(), "two browsers need no token: {pass:?}");
        }
        max.step(&session, "start").await.expect_status(200);
        pass(&dana, &session).await.expect_status(200);
    }

    async fn nobody_else_gets_in_and_nobody_before_or_after(server) {
        let (dana, max, eve) = (server.customer().await, server.mechanic().await, server.mechanic().await);
        let chat = dana.paid_session("chat10").await;
        max.accept(&chat).await;
        for person in [&dana, &max] {
            pass(person, &chat).await.refused(409, "video_not_included");
        }
        let session = dana.paid_session("video15").await;
        pass(&dana, &session).await.refused(409, "video_not_included");
        pass(&max, &session).await.refused(404, "not_found");
        max.accept(&session).await;
        pass(&eve, &session).await.refused(404, "not_found");
        let admin = server.admin().await;
        pass(&admin, &session).await.refused(404, "not_found");
        admin.client.post_nothing(&format!("/api/admin/sessions/{session}/observe")).await;
        pass(&admin, &session).await.refused(403, "wrong_role");
        let path = format!("/api/sessions/{session}/video-token");
        dana.client.post(&path, json!({ "room": "session-1" })).await.refused(422, "unknown_field");
        max.step(&session, "start").await.expect_status(200);
        max.step(&session, "end").await.expect_status(200);
        for person in [&dana, &max] {
            pass(person, &session).await.refused(409, "video_not_included");
        }
    }

    async fn who_saw_whom_is_kept_once_however_often_it_is_told(server) {
        let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
        let stretches = |who: &Person, open: &str| {
            let user = if server.database().is_sqlite() {
                format!("hex(user_id) = upper('{}')", who.id.replace('-', ""))
            } else {
                format!("user_id = '{}'", who.id)
            };
            server.database().count("session_media", &format!("{user} AND disconnected_at IS {open}"))
        };
        for _ in 0..3 {
            tells(&dana, &session, "connected", Some("a")).await.expect_status(204);
        }
        assert_eq!((stretches(&dana, "NULL"), stretches(&dana, "NOT NULL")), (1, 0));
        tells(&max, &session, "connected", Some("m")).await.expect_status(204);
        // The page was loaded again: the new connection takes the place of the old one, whose end comes late.
        tells(&dana, &session, "connected", Some("b")).await.expect_status(204);
        tells(&dana, &session, "disconnected", Some("a")).await.expect_status(204);
        assert_eq!((stretches(&dana, "NULL"), stretches(&dana, "NOT NULL")), (1, 1));
        tells(&dana, &session, "disconnected", None).await.expect_status(204);
        tells(&dana, &session, "disconnected", None).await.expect_status(204);
        assert_eq!((stretches(&dana, "NULL"), stretches(&dana, "NOT NULL")), (0, 2));
        assert_eq!((stretches(&max, "NULL"), stretches(&max, "NOT NULL")), (1, 0));
        max.step(&session, "start").await.expect_status(200);
        max.step(&session, "end").await.expect_status(200);
        tells(&max, &session, "connected", Some("n")).await.refused(409, "video_not_included");
        tells(&max, &session, "disconnected", Some("m")).await.expect_status(204);
        assert_eq!(stretches(&max, "NULL"), 0, "an end is noted after the session's end too");
    }

    async fn only_the_two_sides_of_a_video_session_tell_of_their_connection(server) {
        let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
        let eve = server.mechanic().await;
        tells(&eve, &session, "connected", None).await.refused(404, "not_found");
        let admin = server.admin().await;
        tells(&admin, &session, "connected", None).await.refused(404, "not_found");
        admin.client.post_nothing(&format!("/api/admin/sessions/{session}/observe")).await;
        tells(&admin, &session, "connected", None).await.refused(403, "wrong_role");
        tells(&dana, &session, "connected", Some("")).await.refused(422, "invalid");
        tells(&dana, &session, "connected", Some(&"x".repeat(65))).await.refused(422, "invalid");
        tells(&dana, &session, "paused", None).await.refused(422, "invalid");
        let chat = dana.paid_session("chat10").await;
        max.accept(&chat).await;
        for state in ["connected", "disconnected"] {
            tells(&dana, &chat, state, None).await.refused(409, "video_not_included");
        }
        assert_eq!(server.database().count("session_media", "true"), 0);
    }
}

async fn a_relay_gets_a_password_that_ends(server: &TestServer) {
    let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
    let first = pass(&dana, &session).await.expect_status(200);
    let servers = first.body["ice_servers"].as_array().expect("servers").clone();
    assert_eq!(servers.len(), 2, "{servers:?}");
    assert_eq!(servers[0], json!({ "urls": ["stun:stun.example.com"] }));
    assert_eq!(servers[1]["urls"], json!(["turn:turn.example.com:3478", "turns:turn.example.com"]));
    let ends = |pass: &Value| {
        let name = pass["ice_servers"][1]["username"].as_str().expect("a name").to_owned();
        let (seconds, identity) = name.split_once(':').expect("an end and an owner");
        assert_eq!(identity, pass["identity"].as_str().expect("an identity"));
        seconds.parse::<i64>().expect("seconds since 1970")
    };
    let other = pass(&max, &session).await.expect_status(200);
    assert_ne!(servers[1]["credential"], other.body["ice_servers"][1]["credential"], "each has their own");
    server.advance_clock(600).await;
    let second = pass(&dana, &session).await.expect_status(200);
    let later = ends(&second.body) - ends(&first.body);
    assert!((600..700).contains(&later), "a pass lives from when it is asked for: {later}");
}

#[test]
fn a_relay_gets_a_password_that_ends_on_sqlite() {
    run_with(Backend::Sqlite, &SERVERS, async |server| a_relay_gets_a_password_that_ends(server).await);
}
