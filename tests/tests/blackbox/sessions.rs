//! Sessions and requests over REST: who may do what, when, and who wins.

use serde_json::{Value, json};
use tests::on_both;
use uuid::Uuid;

on_both! {
    async fn a_session_runs_from_paid_to_completed(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let seen = dana.session(session).await;
        assert_eq!(seen["status"], "in_progress");
        assert!(seen["started_at"].is_string() && seen["ended_at"].is_null(), "{seen}");
        dana.say(session, "d1", "It grinds when I brake.").await.expect_status(201);
        max.say(session, "m1", "Since when?").await.expect_status(201);
        server.message_to(&dana.email, "mechanic_assigned").await;
        let ended = max.step(session, "end").await.expect_status(200);
        assert_eq!((&ended.body["status"], &ended.body["end_reason"]), (&json!("completed"), &json!("mechanic")));
        let events = dana.events(session).await;
        let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
        assert_eq!(kinds, ["joined", "payment", "joined", "started", "message", "message", "ended"]);
        assert_eq!(events[4]["body"]["text"], "It grinds when I brake.");
        assert_eq!(events[4]["actor"]["id"], dana.id.as_str());
        assert_eq!(events[4]["actor"]["role"], "customer");
        assert_eq!(dana.session(session).await["last_seq"], 7);
    }

    async fn an_illegal_step_is_refused_and_changes_nothing(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        dana.step(&session, "end").await.refused(409, "invalid_transition");
        max.accept(&session).await;
        dana.step(&session, "end").await.refused(409, "invalid_transition");
        max.step(&session, "end").await.refused(409, "invalid_transition");
        dana.step(&session, "start").await.refused(403, "wrong_role");
        max.step(&session, "start").await.expect_status(200);
        let before = dana.events(&session).await;
        max.step(&session, "start").await.refused(409, "invalid_transition");
        dana.step(&session, "cancel").await.refused(409, "invalid_transition");
        assert_eq!(dana.events(&session).await, before);
        dana.step(&session, "end").await.expect_status(200);
        for step in ["end", "cancel"] {
            dana.step(&session, step).await.refused(409, "invalid_transition");
        }
        max.step(&session, "start").await.refused(409, "invalid_transition");
        dana.say(&session, "late", "One more thing").await.refused(409, "session_closed");
        max.say(&session, "late", "Yes?").await.refused(409, "session_closed");
    }

    async fn a_customer_may_write_before_a_mechanic_comes_and_the_mechanic_reads_it(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        dana.say(&session, "d1", "Anyone there?").await.expect_status(201);
        max.say(&session, "m1", "Not yet mine").await.refused(404, "not_found");
        max.accept(&session).await;
        max.say(&session, "m1", "Here I am").await.expect_status(201);
        let texts: Vec<Value> = max.events(&session).await.into_iter()
            .filter(|event| event["kind"] == "message").map(|event| event["body"]["text"].clone()).collect();
        assert_eq!(texts, [json!("Anyone there?"), json!("Here I am")]);
    }

    async fn the_same_message_sent_again_is_the_same_event(server) {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        let first = dana.say(session, "ref-1", "Hello").await.expect_status(201);
        let again = dana.say(session, "ref-1", "Hello").await.expect_status(200);
        assert_eq!(first.body, again.body);
        let asked = (0..10).map(|_| dana.say(session, "ref-2", "At once"));
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.body["seq"] == answers[0].body["seq"]), "{answers:?}");
        let count = dana.events(session).await.iter().filter(|event| event["kind"] == "message").count();
        assert_eq!(count, 2);
    }

    async fn a_bad_message_is_refused(server) {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        let path = format!("/api/sessions/{session}/messages");
        let long = "ü".repeat(2001);
        let cases = [
            json!({}), json!([]), json!({ "client_ref": "a" }), json!({ "text": "a" }),
            json!({ "client_ref": "", "text": "a" }), json!({ "client_ref": "a", "text": "" }),
            json!({ "client_ref": "a", "text": "   " }), json!({ "client_ref": "a", "text": 5 }),
            json!({ "client_ref": 5, "text": "a" }), json!({ "client_ref": "a".repeat(10_000), "text": "a" }),
            json!({ "client_ref": "a", "text": long }), json!({ "client_ref": "a", "text": "a", "html": "b" }),
            json!({ "client_ref": "a", "text": "a", "file_ids": ["x"] }),
            json!({ "client_ref": "a", "text": "a", "file_ids": [Uuid::new_v4().to_string()] }),
        ];
        let before = dana.events(session).await.len();
        for body in cases {
            let answer = dana.client.post(&path, body.clone()).await;
            let shown: String = body.to_string().chars().take(80).collect();
            assert!(answer.status == 422 || answer.status == 404, "{shown}: {answer:?}");
            answer.assert_is_problem();
        }
        assert_eq!(dana.events(session).await.len(), before);
    }

    async fn a_session_does_not_exist_for_strangers(server) {
        let meeting = server.meeting().await;
        let session = &meeting.session;
        let (eve, other) = (server.customer().await, server.mechanic().await);
        for stranger in [&eve, &other] {
            for path in ["", "/events"] {
                stranger.client.get(&format!("/api/sessions/{session}{path}")).await.refused(404, "not_found");
            }
            for step in ["end", "cancel"] {
                stranger.step(session, step).await.refused(404, "not_found");
            }
            stranger.say(session, "x", "Let me in").await.refused(404, "not_found");
            let list = stranger.client.get("/api/sessions").await.expect_status(200);
            assert_eq!(list.body["items"], json!([]));
        }
        let guest = server.guest();
        guest.get(&format!("/api/sessions/{session}")).await.refused(401, "not_signed_in");
        let page = eve.client.get(&format!("/chat/{session}")).await;
        assert_eq!(page.status, 404, "{page:?}");
        let admin = server.admin().await;
        admin.client.get(&format!("/api/sessions/{session}")).await.expect_status(200);
        assert!(server.database().count("audit_log", "1 = 1") > 0, "an admin's look is written down");
    }

    async fn events_come_in_pages_without_a_gap(server) {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        for number in 0..12 {
            dana.say(session, &format!("r{number}"), &format!("number {number}")).await.expect_status(201);
        }
        let mut after = 0;
        let mut seen = Vec::new();
        loop {
            let path = format!("/api/sessions/{session}/events?after_seq={after}&limit=4");
            let page = dana.client.get(&path).await.expect_status(200);
            let items = page.body["items"].as_array().expect("a list").clone();
            assert!(items.len() <= 4);
            assert_eq!(page.body["last_seq"], 16);
            let Some(last) = items.last() else { break };
            after = last["seq"].as_u64().expect("a number");
            seen.extend(items.iter().filter_map(|event| event["seq"].as_u64()));
        }
        assert_eq!(seen, (1..=16).collect::<Vec<u64>>());
        for query in ["after_seq=-1", "after_seq=x", "limit=x", "after_seq=99999999999999999999999"] {
            let answer = dana.client.get(&format!("/api/sessions/{session}/events?{query}")).await;
            assert_eq!(answer.status, 422, "{query}: {answer:?}");
        }
    }

    async fn of_many_mechanics_that_accept_at_once_one_wins(server) {
        let dana = server.customer().await;
        let mut mechanics = Vec::new();
        for _ in 0..4 {
            mechanics.push(server.mechanic().await);
        }
        let session = dana.paid_session("chat10").await;
        let mut paths = Vec::new();
        for mechanic in &mechanics {
            let offer = mechanic.offer_of(&session).await;
            paths.push(format!("/api/requests/{}/accept", offer["id"].as_str().expect("an id")));
        }
        let asked = mechanics.iter().zip(&paths).map(|(mechanic, path)| mechanic.client.post_nothing(path));
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "already_taken");
        }
        let winner = answers.iter().position(|answer| answer.status == 200).expect("a winner");
        let seen = dana.session(&session).await;
        assert_eq!(seen["mechanic"]["id"], mechanics[winner].id.as_str());
        assert_eq!(seen["status"], "accepted");
        for mechanic in &mechanics {
            let open = mechanic.client.get("/api/requests").await.expect_status(200);
            assert_eq!(open.body["items"], json!([]));
        }
    }

    async fn an_offer_shows_the_car_without_its_vin(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let mut body = tests::money::intake_body("chat10");
        body["vehicle"]["year"] = json!(2003);
        body["vehicle"]["vin"] = json!("1HGCM82633A004352");
        let intake = dana.client.post("/api/intake/start", body).await.expect_status(201).text_at("intake_id");
        let checkout = dana.checkout_of(&intake).await;
        dana.pay(&checkout, tests::money::GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let offer = max.offer_of(&session).await;
        assert_eq!(offer["vehicle"]["make"], "Honda");
        assert_eq!(offer["plan"], "chat10");
        assert!(offer["concern"].as_str().is_some_and(|concern| concern.contains("grinding")), "{offer}");
        assert!(!offer.to_string().contains("1HGCM82633A004352"), "{offer}");
    }

    async fn a_mechanic_off_duty_is_not_offered_anything_and_a_declined_offer_is_gone(server) {
        let (dana, on, off) = (server.customer().await, server.mechanic().await, server.mechanic().await);
        off.client.put_duty(false).await;
        let session = dana.paid_session("chat10").await;
        let offer = on.offer_of(&session).await;
        let open = off.client.get("/api/requests").await.expect_status(200);
        assert_eq!(open.body["items"], json!([]));
        let id = offer["id"].as_str().expect("an id");
        let declined = on.client.post_nothing(&format!("/api/requests/{id}/decline")).await;
        assert!((200..300).contains(&declined.status), "{declined:?}");
        let open = on.client.get("/api/requests").await.expect_status(200);
        assert_eq!(open.body["items"], json!([]));
    }

    async fn an_admin_assigns_by_hand(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        let path = format!("/api/admin/sessions/{session}/assign");
        let body = json!({ "mechanic_id": max.id });
        max.client.post(&path, body.clone()).await.refused(403, "wrong_role");
        let admin = server.admin().await;
        let unknown = admin.client.post(&path, json!({ "mechanic_id": Uuid::new_v4().to_string() })).await;
        assert!(unknown.status == 404 || unknown.status == 422, "{unknown:?}");
        let customer = admin.client.post(&path, json!({ "mechanic_id": dana.id })).await;
        assert!(customer.status == 404 || customer.status == 409 || customer.status == 422, "{customer:?}");
        let answer = admin.client.post(&path, body).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        assert_eq!(dana.session(&session).await["mechanic"]["id"], max.id.as_str());
        max.step(&session, "start").await.expect_status(200);
        let active = admin.client.get("/api/admin/sessions/active").await.expect_status(200);
        assert!(active.text.contains(&session), "{}", active.text);
    }

    async fn a_cancelled_session_is_closed_for_both(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        dana.step(&session, "cancel").await.expect_status(200);
        assert_eq!(dana.session(&session).await["status"], "cancelled");
        max.step(&session, "start").await.refused(409, "invalid_transition");
        dana.say(&session, "x", "Hello?").await.refused(409, "session_closed");
    }
}
