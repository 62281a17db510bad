//! `/ws`: joining, sending, who hears what, what is refused, and what happens to those who may no longer listen.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Client, Socket, on_both, until};
use uuid::Uuid;

on_both! {
    async fn what_one_says_the_other_hears_live_and_in_order(server) {
        let meeting = server.meeting().await;
        let session = &meeting.session;
        let channel = format!("session:{session}");
        let (mut dana, mut max) = (meeting.customer.socket(server).await, meeting.mechanic.socket(server).await);
        let joined = dana.join(&channel, 0).await;
        assert_eq!(joined["last_seq"], 4);
        let seqs: Vec<Value> = joined["events"].as_array().expect("events").iter().map(|event| event["seq"].clone()).collect();
        assert_eq!(seqs, [1, 2, 3, 4]);
        assert_eq!(joined["participants"].as_array().map(Vec::len), Some(2));
        max.join(&channel, 4).await;
        for number in 0..20_u64 {
            let text = format!("number {number}");
            let seq = dana.say(session, &format!("d{number}"), &text).await;
            assert_eq!(seq, 5 + number);
            let heard = max.event("message").await;
            assert_eq!((&heard["seq"], &heard["body"]["text"]), (&json!(seq), &json!(text)));
            assert_eq!(heard["actor"]["role"], "customer");
            // The sender's other views need the event too.
            assert_eq!(dana.event("message").await["seq"], seq);
        }
    }

    async fn where_the_log_ends_is_told_without_being_asked(server) {
        let meeting = server.meeting().await;
        let channel = format!("session:{}", meeting.session);
        let mut dana = meeting.customer.socket(server).await;
        dana.join(&channel, 0).await;
        let end = dana.say(&meeting.session, "1", "Hello").await;
        // Each session has its own second of fifteen.
        let is_tick = |frame: &Value| {
            frame["type"] == "tick" && frame["channel"] == channel.as_str() && frame["last_seq"] == end
        };
        dana.frame("a tick", is_tick).await;
        let first = Instant::now();
        dana.frame("the next tick", is_tick).await;
        assert!(first.elapsed() > Duration::from_secs(5), "every fifteen seconds, not in each part of them");
    }

    async fn a_message_sent_again_is_acknowledged_again_and_heard_once(server) {
        let meeting = server.meeting().await;
        let (session, channel) = (&meeting.session, format!("session:{}", meeting.session));
        let (mut dana, mut max) = (meeting.customer.socket(server).await, meeting.mechanic.socket(server).await);
        dana.join(&channel, 0).await;
        max.join(&channel, 0).await;
        let first = dana.say(session, "same", "Hello").await;
        assert_eq!(dana.say(session, "same", "Hello").await, first);
        dana.say(session, "next", "Next").await;
        assert_eq!(max.event("message").await["seq"], first);
        assert_eq!(max.event("message").await["body"]["client_ref"], "next");
    }

    async fn a_socket_that_comes_back_catches_up_without_a_gap(server) {
        let meeting = server.meeting().await;
        let (session, channel) = (&meeting.session, format!("session:{}", meeting.session));
        let mut dana = meeting.customer.socket(server).await;
        dana.join(&channel, 0).await;
        let last = dana.say(session, "d0", "before").await;
        drop(dana);
        for number in 0..5 {
            meeting.mechanic.say(session, &format!("m{number}"), "while away").await.expect_status(201);
        }
        let mut dana = meeting.customer.socket(server).await;
        let joined = dana.join(&channel, last).await;
        let seqs: Vec<u64> = joined["events"].as_array().expect("events").iter().filter_map(|event| event["seq"].as_u64()).collect();
        assert_eq!(seqs, (last + 1..=last + 5).collect::<Vec<_>>());
    }

    async fn joining_while_messages_fly_misses_none_and_repeats_none(server) {
        let meeting = server.meeting().await;
        let (session, channel) = (&meeting.session, format!("session:{}", meeting.session));
        let total = 60;
        let saying = async {
            for number in 0..total {
                meeting.mechanic.say(session, &format!("m{number}"), "on and on").await.expect_status(201);
            }
        };
        let listening = async {
            let mut dana = meeting.customer.socket(server).await;
            let joined = dana.join(&channel, 4).await;
            let mut seqs: Vec<u64> = joined["events"].as_array().expect("events").iter().filter_map(|event| event["seq"].as_u64()).collect();
            while seqs.len() < total {
                seqs.push(dana.event("message").await["seq"].as_u64().expect("a number"));
            }
            seqs
        };
        let ((), seqs) = futures_util::future::join(saying, listening).await;
        assert_eq!(seqs, (5..).take(total).collect::<Vec<u64>>());
    }

    async fn typing_reading_and_reacting_reach_the_other(server) {
        let meeting = server.meeting().await;
        let (session, channel) = (&meeting.session, format!("session:{}", meeting.session));
        let (mut dana, mut max) = (meeting.customer.socket(server).await, meeting.mechanic.socket(server).await);
        dana.join(&channel, 0).await;
        max.join(&channel, 0).await;
        max.send(json!({ "type": "typing", "channel": channel })).await;
        let typing = dana.of_type("typing").await;
        assert_eq!(typing["user_id"], meeting.mechanic.id.as_str());
        let seq = max.say(session, "m1", "Since when?").await;
        dana.send(json!({ "type": "read", "channel": channel, "seq": seq })).await;
        let read = max.of_type("read").await;
        assert_eq!((&read["user_id"], &read["seq"]), (&json!(meeting.customer.id), &json!(seq)));
        dana.send(json!({ "type": "react", "channel": channel, "seq": seq, "emoji": "👍", "on": true })).await;
        let reaction = max.event("reaction").await;
        assert_eq!(reaction["body"], json!({ "target_seq": seq, "emoji": "👍", "on": true }));
        dana.send(json!({ "type": "react", "channel": channel, "seq": seq, "emoji": "👍", "on": false })).await;
        assert_eq!(max.event("reaction").await["body"]["on"], false);
        let log = meeting.customer.events(session).await;
        assert!(log.iter().all(|event| event["kind"] != "typing" && event["kind"] != "read"));
    }

    async fn presence_counts_tabs(server) {
        let meeting = server.meeting().await;
        let channel = format!("session:{}", meeting.session);
        let mut dana = meeting.customer.socket(server).await;
        dana.join(&channel, 0).await;
        let mut first = meeting.mechanic.socket(server).await;
        first.join(&channel, 0).await;
        // Who comes is told that they are in before anything else.
        first.heard_no("presence");
        let max = meeting.mechanic.id.clone();
        let online = dana.frame("presence", |frame| frame["type"] == "presence" && frame["participant"] == max.as_str()).await;
        assert_eq!(online["online"], true);
        let mut second = meeting.mechanic.socket(server).await;
        second.join(&channel, 0).await;
        drop(first);
        server.advance_clock(60).await;
        // One tab is left: nobody is told that the mechanic went.
        second.say(&meeting.session, "m1", "still here").await;
        dana.event("message").await;
        dana.heard_no("presence");
        drop(second);
        // A reload is no departure: it takes longer than the grace period.
        let mut third = meeting.mechanic.socket(server).await;
        third.join(&channel, 0).await;
        server.advance_clock(60).await;
        third.say(&meeting.session, "m2", "here again").await;
        dana.event("message").await;
        dana.heard_no("presence");
        drop(third);
        until("the last tab to be missed", async || {
            server.advance_clock(60).await;
            dana.still_answers().await;
            dana.seen("presence")
        })
        .await;
        let offline = dana.of_type("presence").await;
        assert_eq!((&offline["participant"], &offline["online"]), (&json!(max), &json!(false)));
    }

    async fn strangers_can_not_join_and_learn_nothing(server) {
        let meeting = server.meeting().await;
        let eve = server.customer().await;
        let mut socket = eve.socket(server).await;
        let foreign = [
            format!("session:{}", meeting.session), format!("session:{}", Uuid::new_v4()),
            meeting.customer.channel("customer"), meeting.mechanic.channel("mechanic"), "admin".to_owned(),
        ];
        for channel in foreign {
            socket.send(json!({ "type": "join", "channel": channel, "ref": "r" })).await;
            let refused = socket.of_type("error").await;
            assert!(refused["code"] == "not_found" || refused["code"] == "wrong_role", "{channel}: {refused}");
            assert_eq!(refused["ref"], "r");
        }
        socket.send(json!({ "type": "send", "channel": format!("session:{}", meeting.session), "client_ref": "x", "text": "Let me in" })).await;
        socket.of_type("error").await;
        socket.join(&eve.channel("customer"), 0).await;
        let admin = server.admin().await;
        let mut watching = admin.socket(server).await;
        watching.send(json!({ "type": "join", "channel": format!("session:{}", meeting.session) })).await;
        watching.of_type("error").await;
        let observe = format!("/api/admin/sessions/{}/observe", meeting.session);
        let answer = admin.client.post_nothing(&observe).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        watching.join(&format!("session:{}", meeting.session), 0).await;
        assert_eq!(meeting.customer.events(&meeting.session).await.last().expect("an event")["kind"], "observer_joined");
    }

    async fn a_frame_that_makes_no_sense_is_refused_and_the_socket_stays(server) {
        let meeting = server.meeting().await;
        let channel = format!("session:{}", meeting.session);
        let mut dana = meeting.customer.socket(server).await;
        dana.join(&channel, 0).await;
        let frames = [
            "", "{", "nonsense", "[]", "null", "5", "{}", "{\"type\":5}", "{\"type\":\"explode\"}",
            "{\"type\":\"join\"}", "{\"type\":\"join\",\"channel\":\"nowhere\"}", "{\"type\":\"join\",\"channel\":5}",
            "{\"type\":\"ping\",\"extra\":1}",
        ];
        for frame in frames {
            dana.send_text(frame.to_owned()).await;
            let refused = dana.of_type("error").await;
            assert!(refused["code"].is_string(), "{frame}: {refused}");
        }
        let send = |text: Value, reference: Value| json!({ "type": "send", "channel": channel, "client_ref": reference, "text": text });
        let long = "x".repeat(4001);
        for frame in [
            send(json!(""), json!("a")), send(json!(long), json!("a")), send(json!("a"), json!("")), send(json!(5), json!("a")),
            send(json!("a"), json!("r".repeat(5000))),
            json!({ "type": "read", "channel": channel, "seq": 999_999 }), json!({ "type": "read", "channel": channel, "seq": -1 }),
            json!({ "type": "react", "channel": channel, "seq": 999_999, "emoji": "👍", "on": true }),
            json!({ "type": "react", "channel": channel, "seq": 1, "emoji": "not an emoji at all", "on": true }),
            json!({ "type": "signal", "channel": channel, "to": meeting.mechanic.id, "data": {} }),
        ] {
            dana.send(frame.clone()).await;
            let shown: String = frame.to_string().chars().take(100).collect();
            let refused = dana.of_type("error").await;
            assert!(refused["code"].is_string(), "{shown}: {refused}");
            if frame["type"] == "signal" {
                assert_eq!(refused["code"], "video_not_included");
            }
        }
        dana.still_answers().await;
        assert_eq!(meeting.customer.events(&meeting.session).await.len(), 4);
    }

    async fn a_frame_that_is_too_big_is_answered_before_the_end(server) {
        let dana = server.demo("customer").await;
        let mut socket = dana.socket(server).await;
        socket.send_text(format!("{{\"type\":\"ping\",\"x\":\"{}\"}}", "x".repeat(1_000_000))).await;
        socket.closed().await;
        let mut socket = dana.socket(server).await;
        socket.still_answers().await;
    }

    async fn a_foreign_page_can_not_open_a_socket(server) {
        let dana = server.demo("customer").await;
        for origin in ["https://evil.example", "null", "http://localhost", "http://localhost:1"] {
            let refused = Socket::try_connect(server, &dana.client, Some(origin)).await.err();
            assert_eq!(refused, Some(403), "{origin}");
        }
        let own = server.url();
        assert!(Socket::try_connect(server, &dana.client, Some(&own)).await.is_ok());
    }

    async fn a_native_client_authenticates_by_a_frame(server) {
        let dana = server.demo("customer").await;
        let made = dana.client.post("/api/me/tokens", json!({ "name": "phone" })).await.expect_status(201);
        let token = made.text_at("token");
        let mut socket = Socket::connect(server, &Client::new(server.url())).await;
        socket.send(json!({ "type": "join", "channel": dana.channel("customer") })).await;
        socket.of_type("error").await;
        let mut guessing = Socket::connect(server, &Client::new(server.url())).await;
        guessing.send(json!({ "type": "authenticate", "token": "nonsense" })).await;
        guessing.refused("not_authenticated").await;
        guessing.send(json!({ "type": "authenticate", "token": token })).await;
        guessing.of_type("authenticated").await;
        socket.send(json!({ "type": "authenticate", "token": token })).await;
        let told = socket.of_type("authenticated").await;
        assert_eq!(told["user"]["id"], dana.id.as_str());
        socket.join(&dana.channel("customer"), 0).await;
        let header = Client::new(server.url()).with_token(&token);
        Socket::connect(server, &header).await.join(&dana.channel("customer"), 0).await;
    }

    async fn a_token_that_is_taken_back_ends_its_own_sockets_alone(server) {
        let dana = server.customer().await;
        let mut sockets = Vec::new();
        let mut ids = Vec::new();
        for name in ["phone", "car"] {
            let made = dana.client.post("/api/me/tokens", json!({ "name": name })).await.expect_status(201);
            ids.push(made.text_at("id"));
            let client = Client::new(server.url()).with_token(&made.text_at("token"));
            sockets.push(Socket::connect(server, &client).await);
        }
        sockets.push(dana.socket(server).await);
        for socket in &mut sockets {
            socket.join(&dana.channel("customer"), 0).await;
        }
        let path = format!("/api/me/tokens/{}", ids[0]);
        dana.client.send(reqwest::Method::DELETE, &path, None).await.expect_status(204);
        sockets.remove(0).closed().await;
        for socket in &mut sockets {
            socket.still_answers().await;
        }
    }

    async fn signing_out_ends_the_sockets_of_that_sign_in(server) {
        let dana = server.customer().await;
        let other = server.sign_in(&dana.email, tests::people::PASSWORD).await;
        let (mut gone, mut stays) = (dana.socket(server).await, other.socket(server).await);
        gone.join(&dana.channel("customer"), 0).await;
        stays.join(&dana.channel("customer"), 0).await;
        dana.client.post_nothing("/api/auth/logout").await.expect_status(204);
        gone.closed().await;
        stays.still_answers().await;
    }

    async fn a_request_reaches_the_mechanic_and_its_answer_the_customer_live(server) {
        let (dana, max, other) = (server.customer().await, server.mechanic().await, server.mechanic().await);
        let mut queue = max.socket(server).await;
        queue.join(&max.channel("mechanic"), 0).await;
        let mut second = other.socket(server).await;
        second.join(&other.channel("mechanic"), 0).await;
        let mut waiting = dana.socket(server).await;
        waiting.join(&dana.channel("customer"), 0).await;
        let session = dana.paid_session("chat10").await;
        waiting.join(&format!("session:{session}"), 0).await;
        let mut elsewhere = dana.socket(server).await;
        elsewhere.join(&dana.channel("customer"), 0).await;
        let offered = queue.of_type("request_offered").await;
        assert!(offered["event_id"].is_string(), "{offered}");
        second.of_type("request_offered").await;
        max.accept(&session).await;
        waiting.of_type("request_accepted").await;
        second.of_type("request_withdrawn").await;
        assert_eq!(waiting.event("joined").await["body"]["role"].as_str().unwrap_or("mechanic"), "mechanic");
        max.step(&session, "start").await.expect_status(200);
        waiting.event("started").await;
        // Who is not in the room learns it from the personal channels, on both sides.
        for socket in [&mut elsewhere, &mut queue] {
            let changed = socket.of_type("session_changed").await;
            assert_eq!((&changed["session_id"], &changed["status"]), (&json!(session), &json!("in_progress")));
        }
        max.step(&session, "end").await.expect_status(200);
        waiting.event("ended").await;
        for socket in [&mut elsewhere, &mut queue] {
            assert_eq!(socket.of_type("session_changed").await["status"], "completed");
        }
        waiting.send(json!({ "type": "send", "channel": format!("session:{session}"), "client_ref": "late", "text": "Wait" })).await;
        waiting.refused("session_closed").await;
    }

    async fn a_socket_that_waits_for_each_ack_never_floods(server) {
        let meeting = server.meeting().await;
        let mut dana = meeting.customer.socket(server).await;
        dana.join(&format!("session:{}", meeting.session), 0).await;
        for number in 0..300 {
            dana.say(&meeting.session, &format!("d{number}"), "quick").await;
        }
    }

    async fn a_flood_is_ended_and_nobody_else_notices(server) {
        let meeting = server.meeting().await;
        let channel = format!("session:{}", meeting.session);
        let mut max = meeting.mechanic.socket(server).await;
        max.join(&channel, 0).await;
        let mut flooding = meeting.customer.socket(server).await;
        flooding.join(&channel, 0).await;
        flooding.flood(&json!({ "type": "typing", "channel": channel }), 20_000).await;
        max.say(&meeting.session, "m1", "still fine").await;
        max.still_answers().await;
    }
}

/// These take their time whatever the clock of the process says: a test that moves it would lose its sockets.
#[test]
fn who_says_nothing_is_let_go() {
    tests::server::run_with(tests::Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        let ended_after = async |mut socket: Socket| {
            let begun = Instant::now();
            let code = socket.closed_within(Duration::from_secs(70)).await;
            (code, begun.elapsed().as_secs())
        };
        let unknown = Socket::connect(server, &Client::new(server.url())).await;
        let mut silent = dana.socket(server).await;
        silent.join(&dana.channel("customer"), 0).await;
        let ((refused, unknown), (lost, silent)) =
            futures_util::future::join(ended_after(unknown), ended_after(silent)).await;
        assert!((9..15).contains(&unknown), "after {unknown} s");
        assert!((58..66).contains(&silent), "after {silent} s");
        assert!(refused.is_some() && lost.is_some(), "{refused:?} {lost:?}");
    });
}
