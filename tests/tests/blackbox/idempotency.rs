//! `Idempotency-Key`: what is sent twice happens once, for every endpoint that takes a key.

use serde_json::{Value, json};
use tests::money::{GOOD_CARD, intake_body};
use tests::people::Person;
use tests::pictures::PNG;
use tests::{Answer, on_both};
use uuid::Uuid;

/// The field of an answer that is new whenever something new is made.
fn is_replay(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

/// Sends a request twice under one key and asserts that the second answer is the first one.
async fn once(person: &Person, path: &str, body: Value, status: u16) -> Answer {
    let key = Uuid::new_v4().to_string();
    let first = person.client.post_once(path, &key, body.clone()).await.expect_status(status);
    assert!(!is_replay(&first), "{first:?}");
    let again = person.client.post_once(path, &key, body).await.expect_status(status);
    assert_eq!(again.body, first.body, "{path}");
    assert!(is_replay(&again), "{again:?}");
    let other = person.client.post_once(path, &key, json!({ "client_ref": "other", "text": "other" })).await;
    assert!(other.status == 422, "{other:?}");
    first
}

on_both! {
    async fn every_endpoint_that_takes_a_key_answers_again_as_it_did(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let intake = once(&dana, "/api/intake/start", intake_body("chat10"), 201).await.text_at("intake_id");
        let checkout = once(&dana, "/api/checkout", json!({ "intake_id": intake }), 201).await;
        let checkout = tests::money::Checkout {
            order_id: checkout.text_at("order_id"),
            id: checkout.text_at("checkout_session_id"),
            url: checkout.text_at("checkout_url"),
        };
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let path = |verb: &str| format!("/api/sessions/{session}/{verb}");
        let hello = json!({ "client_ref": "d1", "text": "Hello" });
        once(&dana, &path("messages"), hello, 201).await;
        let offer = max.offer_of(&session).await;
        let offer = offer["id"].as_str().expect("an id").to_owned();
        once(&max, &format!("/api/requests/{offer}/accept"), json!({}), 200).await;
        // Without its key the second call would be an illegal step.
        once(&max, &path("start"), json!({}), 200).await;
        max.step(&session, "start").await.refused(409, "invalid_transition");
        once(&dana, &path("end"), json!({}), 200).await;
        let second = dana.paid_session("chat10").await;
        let admin = server.admin().await;
        once(&admin, &format!("/api/admin/sessions/{second}/observe"), json!({}), 200).await;
        once(&admin, &format!("/api/admin/sessions/{second}/assign"), json!({ "mechanic_id": max.id }), 200).await;
        once(&dana, &format!("/api/sessions/{second}/cancel"), json!({}), 200).await;
        let kinds: Vec<Value> = dana.events(&session).await.iter().map(|event| event["kind"].clone()).collect();
        assert_eq!(kinds, ["joined", "payment", "message", "joined", "started", "ended"]);
        assert_eq!(server.database().count("intakes", "1 = 1"), 2);
    }

    async fn a_file_sent_again_in_another_envelope_is_kept_once(server) {
        let dana = server.customer().await;
        let send = async |boundary: &str, name: &str| {
            let mut body = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: image/png\r\n\r\n"
            )
            .into_bytes();
            body.extend_from_slice(PNG);
            body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
            let request = dana
                .client
                .request(reqwest::Method::POST, "/api/files")
                .header("idempotency-key", "photo")
                .header("content-type", format!("multipart/form-data; boundary={boundary}"))
                .body(body);
            dana.client.perform(format!("POST /api/files ({boundary})"), request).await
        };
        let first = send("one", "brakes.png").await.expect_status(201);
        let again = send("two", "brakes.png").await.expect_status(201);
        assert_eq!(again.body, first.body);
        assert!(is_replay(&again) && !is_replay(&first));
        send("three", "wheels.png").await.refused(422, "idempotency_mismatch");
        assert_eq!(server.database().count("files", "1 = 1"), 1);
    }

    async fn a_token_comes_again_with_its_secret_which_is_kept_nowhere(server) {
        let dana = server.customer().await;
        let asked = json!({ "name": "phone" });
        let first = once(&dana, "/api/me/tokens", asked.clone(), 201).await;
        let token = first.text_at("token");
        tests::Client::new(server.url()).with_token(&token).get("/api/me").await.expect_status(200);
        assert_eq!(server.database().places(&token), Vec::<String>::new());
        let listed = dana.client.get("/api/me/tokens").await.expect_status(200);
        assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(1));
        let other = dana.client.post("/api/me/tokens", asked).await.expect_status(201);
        assert_ne!(other.text_at("token"), token, "without a key there is another");
    }

    async fn a_key_with_another_body_is_refused_and_changes_nothing(server) {
        let dana = server.customer().await;
        let path = "/api/intake/start";
        dana.client.post_once(path, "k", intake_body("chat10")).await.expect_status(201);
        dana.client.post_once(path, "k", intake_body("video15")).await.refused(422, "idempotency_mismatch");
        // The query is part of the request.
        let queried = dana.client.post_once(&format!("{path}?more=1"), "k", intake_body("chat10")).await;
        queried.refused(422, "idempotency_mismatch");
        assert_eq!(server.database().count("intakes", "1 = 1"), 1);
    }

    async fn a_key_belongs_to_one_person_and_one_route(server) {
        let (dana, eve) = (server.customer().await, server.customer().await);
        let path = "/api/intake/start";
        let first = dana.client.post_once(path, "k", intake_body("chat10")).await.expect_status(201);
        let own = eve.client.post_once(path, "k", intake_body("chat10")).await.expect_status(201);
        assert_ne!(own.body["intake_id"], first.body["intake_id"]);
        let intake = first.text_at("intake_id");
        let checkout = dana.client.post_once("/api/checkout", "k", json!({ "intake_id": intake })).await;
        assert!(!is_replay(&checkout.expect_status(201)));
        let sessions = [dana.paid_session("chat10").await, dana.paid_session("chat10").await];
        for session in &sessions {
            let hello = json!({ "client_ref": "d1", "text": "Hello" });
            let said = dana.client.post_once(&format!("/api/sessions/{session}/messages"), "k", hello).await;
            assert_eq!(said.expect_status(201).text_at("session_id"), *session);
        }
    }

    async fn many_at_once_under_one_key_are_carried_out_once(server) {
        let dana = server.customer().await;
        let asked = (0..12).map(|_| dana.client.post_once("/api/intake/start", "k", intake_body("chat10")));
        let answers = futures_util::future::join_all(asked).await;
        let first = answers[0].body.clone();
        for answer in answers {
            assert_eq!(answer.expect_status(201).body, first);
        }
        assert_eq!(server.database().count("intakes", "1 = 1"), 1);
        // Of different requests under one key exactly one is carried out.
        let plans = ["chat10", "video15", "diagnostic", "chat10", "video15", "diagnostic"];
        let asked = plans.map(|plan| dana.client.post_once("/api/intake/start", "other", intake_body(plan)));
        let answers = futures_util::future::join_all(asked).await;
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 2, "{answers:?}");
        assert_eq!(made[0].body, made[1].body);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.refused(422, "idempotency_mismatch");
        }
        assert_eq!(server.database().count("intakes", "1 = 1"), 2);
    }

    async fn a_request_that_was_refused_gives_its_key_back(server) {
        let dana = server.customer().await;
        let path = "/api/intake/start";
        let mut wrong = intake_body("chat10");
        wrong["concern"] = json!("");
        dana.client.post_once(path, "k", wrong.clone()).await.refused(422, "invalid");
        dana.client.post_once(path, "k", wrong).await.refused(422, "invalid");
        dana.client.post_once(path, "k", intake_body("chat10")).await.expect_status(201);
        assert_eq!(server.database().count("intakes", "1 = 1"), 1);
    }

    async fn a_key_is_forgotten_after_a_day(server) {
        let dana = server.customer().await;
        let path = "/api/intake/start";
        let first = dana.client.post_once(path, "k", intake_body("chat10")).await.expect_status(201);
        server.advance_clock(24 * 3600 - 60).await;
        let again = dana.client.post_once(path, "k", intake_body("chat10")).await.expect_status(201);
        assert_eq!(again.body, first.body);
        server.advance_clock(61).await;
        let fresh = dana.client.post_once(path, "k", intake_body("video15")).await.expect_status(201);
        assert!(!is_replay(&fresh) && fresh.body["intake_id"] != first.body["intake_id"], "{fresh:?}");
    }

    async fn what_is_no_key_is_refused_and_nothing_is_carried_out(server) {
        let dana = server.customer().await;
        let path = "/api/intake/start";
        let long = "x".repeat(256);
        let keys: [&[u8]; 6] =
            [b"", b"   ", long.as_bytes(), "schl\u{fc}ssel".as_bytes(), b"two words", b"\xff\xfe"];
        for key in keys {
            let request = dana.client.request(reqwest::Method::POST, path).json(&intake_body("chat10"));
            let value = reqwest::header::HeaderValue::from_bytes(key).expect("a header value");
            let answer = dana.client.perform(format!("{key:?}"), request.header("idempotency-key", value)).await;
            assert_eq!(answer.body["errors"][0]["field"], "Idempotency-Key", "{answer:?}");
            answer.refused(422, "invalid");
        }
        let request = dana.client.request(reqwest::Method::POST, path).json(&intake_body("chat10"));
        let request = request.header("idempotency-key", "a").header("idempotency-key", "b");
        dana.client.perform("two keys".to_owned(), request).await.refused(400, "bad_request");
        assert_eq!(server.database().count("intakes", "1 = 1"), 0);
        dana.client.post_once(path, &"x".repeat(255), intake_body("chat10")).await.expect_status(201);
    }
}
