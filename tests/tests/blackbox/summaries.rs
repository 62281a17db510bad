//! The mechanic's written summary, its draft, and the page that a customer takes home.

use serde_json::{Value, json};
use tests::client::{Answer, Client};
use tests::{Person, on_both};

use super::files::photo;

fn path(session: &str) -> String {
    format!("/api/sessions/{session}/summary")
}

fn draft_path(session: &str) -> String {
    format!("{}/draft", path(session))
}

fn coil() -> Value {
    json!({
        "findings": "The third coil fails.\nSafe to drive gently.",
        "steps_taken": "Swapped coils 2 and 3; the fault moved.",
        "parts_needed": "Ignition coil, $55 to $80",
        "next_steps": "Change it within two weeks.",
        "photo_file_ids": [],
    })
}

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    client.send(reqwest::Method::PUT, path, Some(body)).await
}

async fn kinds(person: &Person, session: &str) -> Vec<String> {
    let events = person.events(session).await;
    events.iter().filter_map(|event| event["kind"].as_str().map(str::to_owned)).collect()
}

on_both! {
    async fn a_summary_counts_as_viewed_once_it_was_really_shown_to_its_customer(server) {
        for read in ["/sessions/{id}/complete", "/sessions/{id}/summary", "/api/sessions/{id}/summary"] {
            let meeting = server.meeting().await;
            let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
            max.step(session, "end").await.expect_status(200);
            let views = format!("interaction_type = 'summary_viewed' AND customer_id = (SELECT id FROM users WHERE email = '{}')", dana.email);
            let viewed = || server.database().count("crm_interactions", &views);
            let path = read.replace("{id}", session);
            dana.client.get(&path).await;
            assert_eq!(viewed(), 0, "{read}: there is nothing to view yet");
            let summary = json!({ "findings": "The third coil." });
            max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
            max.client.get(&path).await.expect_status(200);
            assert_eq!(viewed(), 0, "{read}: the mechanic wrote it");
            for _ in 0..2 {
                dana.client.get(&path).await.expect_status(200);
            }
            assert_eq!(viewed(), 1, "{read}");
        }
    }

    async fn a_summary_is_written_once_corrected_at_will_and_mailed_once(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        dana.client.get(&path(session)).await.refused(404, "summary_not_written");
        let first = max.client.post(&path(session), coil()).await.expect_status(201);
        assert_eq!(first.body["findings"], coil()["findings"]);
        assert_eq!((&first.body["mechanic"]["id"], &first.body["revision"]), (&json!(max.id), &json!(1)));
        assert_eq!(max.client.post(&path(session), coil()).await.expect_status(200).body, first.body);
        assert_eq!(dana.client.get(&path(session)).await.expect_status(200).body, first.body);
        max.step(session, "end").await.expect_status(200);
        let mut corrected = coil();
        corrected["next_steps"] = json!("Change it this week.");
        let second = max.client.post(&path(session), corrected).await.expect_status(200);
        assert_eq!((&second.body["revision"], &second.body["submitted_at"]), (&json!(2), &first.body["submitted_at"]));
        let events = kinds(dana, session).await;
        assert_eq!(events.iter().filter(|kind| *kind == "summary").count(), 2, "{events:?}");
        let room = dana.client.get(&format!("/chat/{session}")).await.expect_status(200);
        let told = |what: &str| room.text.matches(&format!("Max Mechanic {what} the summary.")).count();
        assert_eq!((told("wrote"), told("corrected")), (1, 1), "{}", room.text);

        let mail = server.message_to(&dana.email, "summary_delivered").await;
        let text = mail["text"].as_str().expect("text");
        assert!(text.contains("The third coil fails.\nSafe to drive gently."), "{text}");
        assert!(text.contains(&format!("/sessions/{session}/complete")), "{text}");
        assert!(mail["html"].as_str().expect("html").contains("Ignition coil, $55 to $80"));
        server.advance_clock(60).await;
        let mails = server.messages_to(&dana.email).await;
        assert_eq!(mails.iter().filter(|mail| mail["milestone"] == "summary_delivered").count(), 1);
    }

    async fn the_mail_about_the_end_says_what_comes_unless_it_is_there(server) {
        for early in [false, true] {
            let meeting = server.meeting().await;
            let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
            if early {
                max.client.post(&path(session), coil()).await.expect_status(201);
            }
            max.step(session, "end").await.expect_status(200);
            let mail = server.message_to(&dana.email, "session_ended").await;
            let text = mail["text"].as_str().expect("text");
            let follows = text.contains("Max Mechanic writes down") && text.contains("get that summary by mail");
            assert_eq!(follows, !early, "{text}");
        }
    }

    async fn only_the_sessions_mechanic_writes_and_only_from_the_start_on(server) {
        let (dana, max, eve) = (server.customer().await, server.mechanic().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        max.client.post(&path(&session), coil()).await.refused(404, "not_found");
        max.accept(&session).await;
        max.client.post(&path(&session), coil()).await.refused(409, "session_not_started");
        put(&max.client, &draft_path(&session), coil()).await.refused(409, "session_not_started");
        max.step(&session, "start").await.expect_status(200);
        dana.client.post(&path(&session), coil()).await.refused(403, "wrong_role");
        put(&dana.client, &draft_path(&session), coil()).await.refused(403, "wrong_role");
        dana.client.get(&draft_path(&session)).await.refused(403, "wrong_role");
        for asked in [path(&session), draft_path(&session)] {
            eve.client.get(&asked).await.refused(404, "not_found");
        }
        eve.client.post(&path(&session), coil()).await.refused(404, "not_found");
        let admin = server.admin().await;
        admin.client.get(&path(&session)).await.refused(404, "summary_not_written");
        admin.client.post(&path(&session), coil()).await.refused(404, "not_found");

        let called_off = dana.paid_session("chat10").await;
        max.accept(&called_off).await;
        max.step(&called_off, "cancel").await.expect_status(200);
        max.client.post(&path(&called_off), coil()).await.refused(409, "session_closed");
    }

    async fn a_bad_summary_is_refused_field_by_field_and_leaves_nothing(server) {
        let meeting = server.meeting().await;
        let (max, session) = (&meeting.mechanic, &meeting.session);
        let with = |field: &str, value: Value| {
            let mut body = coil();
            body[field] = value;
            body
        };
        let foreign = photo(&server.mechanic().await.client).await;
        for (body, field, code) in [
            (with("findings", json!(" \n")), "findings", "blank"),
            (with("findings", json!("x".repeat(4_001))), "findings", "too_long"),
            (with("next_steps", json!("a\0b")), "next_steps", "invalid_characters"),
            (with("photo_file_ids", json!([foreign])), "photo_file_ids", "unusable_file"),
            (with("photo_file_ids", json!(vec![uuid::Uuid::nil(); 11])), "photo_file_ids", "too_many"),
        ] {
            let refused = max.client.post(&path(session), body).await.expect_status(422);
            let told: Vec<_> = refused.body["errors"].as_array().expect("errors").iter()
                .map(|error| (error["field"].as_str(), error["code"].as_str())).collect();
            assert_eq!(told, [(Some(field), Some(code))]);
        }
        max.client.post(&path(session), with("findings", json!(7))).await.refused(422, "invalid");
        max.client.post(&path(session), with("finding", json!("x"))).await.refused(422, "unknown_field");
        max.client.get(&path(session)).await.refused(404, "summary_not_written");
        assert!(!kinds(max, session).await.contains(&"summary".to_owned()));
    }

    async fn a_draft_is_the_mechanics_alone_until_it_is_sent(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        max.client.get(&draft_path(session)).await.refused(404, "not_found");
        let half = json!({ "findings": "The third" });
        let kept = put(&max.client, &draft_path(session), half).await.expect_status(200);
        assert_eq!((&kept.body["findings"], &kept.body["parts_needed"]), (&json!("The third"), &json!("")));
        assert_eq!(max.client.get(&draft_path(session)).await.expect_status(200).body, kept.body);
        dana.client.get(&path(session)).await.refused(404, "summary_not_written");
        server.admin().await.client.get(&draft_path(session)).await.refused(404, "not_found");
        put(&max.client, &draft_path(session), json!({})).await.expect_status(200);
        max.client.post(&path(session), coil()).await.expect_status(201);
        max.client.get(&draft_path(session)).await.refused(404, "not_found");
    }

    async fn a_body_that_got_lost_on_its_way_wipes_no_draft(server) {
        let meeting = server.meeting().await;
        let (max, session) = (&meeting.mechanic, &meeting.session);
        let kept = put(&max.client, &draft_path(session), coil()).await.expect_status(200);
        for path in [draft_path(session), path(session)] {
            let method = if path == draft_path(session) { reqwest::Method::PUT } else { reqwest::Method::POST };
            max.client.send(method.clone(), &path, None).await.refused(415, "unsupported_media_type");
            for blank in ["", " \n"] {
                let request = max.client.request(method.clone(), &path);
                let request = request.header("content-type", "application/json").body(blank);
                let answer = max.client.perform(format!("{method} {path} {blank:?}"), request).await;
                answer.refused(400, "malformed_json");
            }
        }
        assert_eq!(max.client.get(&draft_path(session)).await.expect_status(200).body, kept.body);
    }

    async fn photos_of_a_summary_are_the_sessions_or_the_mechanics_own(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let (hers, his) = (photo(&dana.client).await, photo(&max.client).await);
        let mut body = coil();
        body["photo_file_ids"] = json!([hers]);
        max.client.post(&path(session), body.clone()).await.expect_status(422);
        let said = json!({ "client_ref": "p", "text": "", "file_ids": [hers] });
        dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
        body["photo_file_ids"] = json!([his, hers]);
        dana.client.get(&format!("/api/files/{his}")).await.refused(404, "not_found");
        let written = max.client.post(&path(session), body).await.expect_status(201);
        assert_eq!(written.body["photo_file_ids"], json!([his, hers]));
        dana.client.get(&format!("/api/files/{his}")).await.expect_status(303);
        server.advance_clock(3 * 86_400).await;
        max.client.get(&format!("/api/files/{his}")).await.expect_status(303);
    }

    async fn two_tabs_that_send_at_once_write_one_summary(server) {
        let meeting = server.meeting().await;
        let (max, session) = (&meeting.mechanic, &meeting.session);
        let path = path(session);
        let sent = (0..8).map(|_| max.client.post(&path, coil()));
        let answers = futures_util::future::join_all(sent).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.body["revision"] == 1), "{answers:?}");
        assert_eq!(kinds(max, session).await.iter().filter(|kind| *kind == "summary").count(), 1);
    }

    async fn the_completion_page_shows_everything_and_its_first_view_is_a_step_of_the_journey(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let page = format!("/sessions/{session}/complete");
        assert_eq!(dana.client.get(&page).await.expect_status(303).location(), format!("/chat/{session}"));
        dana.say(session, "1", "It shakes <b>badly</b>.").await.expect_status(201);
        max.step(session, "end").await.expect_status(200);
        assert!(dana.client.get(&page).await.expect_status(200).text.contains("The summary is on its way"));
        max.client.post(&path(session), coil()).await.expect_status(201);
        let shown = dana.client.get(&page).await.expect_status(200).text;
        for part in ["<h1 class=\"measure\">The third coil fails.</h1>", "Safe to drive gently.", "$9.99", "2016 Honda Civic, 84,000 miles", "A grinding noise from the front left", "It shakes &#60;b&#62;badly&#60;/b&#62;."] {
            assert!(shown.contains(part), "no {part} in {shown}");
        }
        let old = dana.client.get(&format!("/session/{session}/complete")).await.expect_status(303);
        assert_eq!(old.location(), page);
        let his = max.client.get(&page).await.expect_status(200).text;
        assert!(!his.contains("$9.99"), "the mechanic sees no receipt");
        server.mechanic().await.client.get(&page).await.expect_status(404);
        let called_off = dana.paid_session("chat10").await;
        max.accept(&called_off).await;
        max.step(&called_off, "cancel").await.expect_status(200);
        let page = format!("/sessions/{called_off}/complete");
        assert_eq!(max.client.get(&page).await.expect_status(303).location(), format!("/chat/{called_off}"));
        let hers = dana.client.get(&page).await.expect_status(303).location();
        assert_eq!(hers, format!("/thank-you?session={called_off}"));
        assert_eq!(server.database().count("crm_interactions", "interaction_type = 'summary_viewed'"), 1);
    }
}
