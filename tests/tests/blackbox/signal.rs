//! `signal` on `/ws`: WebRTC's offers, answers and candidates, from one participant to another.

use serde_json::{Value, json};
use tests::{Meeting, Socket, TestServer, on_both};
use uuid::Uuid;

/// A paid video session that a mechanic has accepted.
pub(super) async fn accepted_video(server: &TestServer) -> Meeting {
    let (customer, mechanic) = (server.customer().await, server.mechanic().await);
    let session = customer.paid_session("video15").await;
    mechanic.accept(&session).await;
    Meeting { customer, mechanic, session }
}

fn signal(session: &str, to: &str, data: Value) -> Value {
    json!({ "type": "signal", "channel": format!("session:{session}"), "to": to, "data": data, "ref": "s" })
}

/// Sends a signal that must be refused, and answers nothing but the error.
async fn refused(socket: &mut Socket, frame: Value, code: &str) {
    socket.send(frame.clone()).await;
    let error = socket.of_type("error").await;
    assert_eq!((&error["code"], &error["ref"]), (&json!(code), &json!("s")), "{frame}: {error}");
}

on_both! {
    async fn a_signal_reaches_the_named_participant_and_nobody_else(server) {
        let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
        let channel = format!("session:{session}");
        let admin = server.admin().await;
        let observe = format!("/api/admin/sessions/{session}/observe");
        let answer = admin.client.post_nothing(&observe).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        let (mut phone, mut tablet) = (dana.socket(server).await, dana.socket(server).await);
        let (mut desk, mut watching) = (max.socket(server).await, admin.socket(server).await);
        for socket in [&mut phone, &mut tablet, &mut desk, &mut watching] {
            socket.join(&channel, 0).await;
        }
        // Video is negotiated while the mechanic is about to start, and renegotiated afterwards.
        let offer = json!({ "type": "offer", "sdp": "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n" });
        phone.send(signal(&session, &max.id, offer.clone())).await;
        let heard = desk.of_type("signal").await;
        assert_eq!(heard, json!({ "type": "signal", "channel": channel, "from": dana.id, "data": offer }));
        max.step(&session, "start").await.expect_status(200);
        for number in 0..20 {
            phone.send(signal(&session, &max.id, json!({ "candidate": number }))).await;
        }
        for number in 0..20 {
            assert_eq!(desk.of_type("signal").await["data"]["candidate"], number);
        }
        phone.say(&session, "d1", "Do you see me?").await;
        for socket in [&mut phone, &mut tablet, &mut desk, &mut watching] {
            socket.event("message").await;
            socket.heard_no("signal");
        }
        let answer = json!({ "type": "answer", "sdp": "v=0" });
        desk.send(signal(&session, &dana.id, answer.clone())).await;
        // Which of the customer's devices takes the call is theirs to agree on.
        for socket in [&mut phone, &mut tablet] {
            let heard = socket.of_type("signal").await;
            assert_eq!((&heard["from"], &heard["data"]), (&json!(max.id), &answer));
        }
        desk.say(&session, "m1", "I do").await;
        for socket in [&mut phone, &mut tablet, &mut desk, &mut watching] {
            socket.event("message").await;
            socket.heard_no("signal");
            socket.heard_no("error");
        }
        let kinds: Vec<String> = dana.events(&session).await.iter().map(|event| event["kind"].to_string()).collect();
        assert!(!kinds.iter().any(|kind| kind.contains("signal")), "signals are in no log: {kinds:?}");
    }

    async fn a_signal_is_refused_to_nobody_and_from_outside(server) {
        let Meeting { customer: dana, mechanic: max, session } = accepted_video(server).await;
        let channel = format!("session:{session}");
        let eve = server.mechanic().await;
        let mut desk = max.socket(server).await;
        desk.join(&channel, 0).await;
        // Not joined: a participant's other socket, and a stranger, who can't join.
        let mut outside = dana.socket(server).await;
        refused(&mut outside, signal(&session, &max.id, json!({})), "not_joined").await;
        let mut stranger = eve.socket(server).await;
        refused(&mut stranger, signal(&session, &max.id, json!({})), "not_joined").await;
        outside.join(&channel, 0).await;
        for to in [Uuid::new_v4().to_string(), eve.id.clone()] {
            refused(&mut outside, signal(&session, &to, json!({})), "not_found").await;
        }
        for to in [json!("somebody"), json!(null), json!(5), json!([max.id])] {
            let mut frame = signal(&session, "", json!({}));
            frame["to"] = to;
            refused(&mut outside, frame, "invalid").await;
        }
        let without = json!({ "type": "signal", "channel": channel, "to": max.id, "ref": "s" });
        refused(&mut outside, without, "invalid").await;
        let elsewhere = json!({
            "type": "signal", "channel": dana.channel("customer"), "to": max.id, "data": {}, "ref": "s",
        });
        outside.join(&dana.channel("customer"), 0).await;
        refused(&mut outside, elsewhere, "invalid").await;
        // A large one passes; one that is too large is answered before the end.
        outside.send(signal(&session, &max.id, json!("x".repeat(60_000)))).await;
        assert_eq!(desk.of_type("signal").await["data"].as_str().map(str::len), Some(60_000));
        outside.send(signal(&session, &max.id, json!("x".repeat(70_000)))).await;
        outside.refused("frame_too_big").await;
        outside.closed().await;
        dana.say(&session, "d1", "fence").await.expect_status(201);
        desk.event("message").await;
        desk.heard_no("signal");
    }

    async fn a_signal_needs_paid_video_that_two_take_part_in(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        // A chat has no video, whoever has met.
        let chat = dana.paid_session("chat10").await;
        max.accept(&chat).await;
        let (mut phone, mut desk) = (dana.socket(server).await, max.socket(server).await);
        phone.join(&format!("session:{chat}"), 0).await;
        desk.join(&format!("session:{chat}"), 0).await;
        refused(&mut phone, signal(&chat, &max.id, json!({})), "video_not_included").await;
        refused(&mut desk, signal(&chat, &dana.id, json!({})), "video_not_included").await;
        // Paid, and nobody has accepted yet.
        let session = dana.paid_session("video15").await;
        let channel = format!("session:{session}");
        phone.join(&channel, 0).await;
        refused(&mut phone, signal(&session, &dana.id, json!({})), "video_not_included").await;
        max.accept(&session).await;
        desk.join(&channel, 0).await;
        phone.send(signal(&session, &max.id, json!("hello"))).await;
        desk.of_type("signal").await;
        max.step(&session, "start").await.expect_status(200);
        dana.step(&session, "end").await.expect_status(200);
        desk.event("ended").await;
        refused(&mut phone, signal(&session, &max.id, json!({})), "session_closed").await;
        refused(&mut desk, signal(&session, &dana.id, json!({})), "session_closed").await;
        desk.heard_no("signal");
    }
}
