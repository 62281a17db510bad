//! Applying to work: the form, an admin's question, the decision, and what it changes (G-08).

use serde_json::{Value, json};
use tests::client::{Answer, Client};
use tests::{Person, TestServer, on_both};

use super::files::{photo, send};

pub(super) async fn papers(client: &Client) -> String {
    let pdf = send(client, &[("file", "certificate.pdf", b"%PDF-1.7\n1 0 obj")]).await;
    pdf.expect_status(201).text_at("file_id")
}

/// A mechanic's application with one certificate.
pub(in crate::blackbox) async fn sent(person: &Person) -> Value {
    json!({
        "name": person.name,
        "phone": "+1 555 010 0199",
        "years_experience": 12,
        "specialties": ["engine", "brakes"],
        "note": "ASE certified.",
        "file_ids": [papers(&person.client).await],
    })
}

async fn garage(person: &Person, name: &str) -> Value {
    json!({
        "business_name": name,
        "address": "12 River Road",
        "city": "Portland",
        "contact_name": person.name,
        "phone": "+15550100199",
        "specialties": ["engine"],
        "file_ids": [papers(&person.client).await],
    })
}

async fn apply(person: &Person) -> String {
    let sent = sent(person).await;
    person.client.post("/api/mechanics/apply", sent).await.expect_status(201).text_at("id")
}

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    client.send(reqwest::Method::PUT, path, Some(body)).await
}

fn decision(id: &str, verb: &str) -> String {
    format!("/api/admin/applications/{id}/{verb}")
}

/// A workshop, approved by its application.
pub(in crate::blackbox) async fn workshop(server: &TestServer, name: &str) -> Person {
    let owner = server.register("mechanic", "Olga Owner").await;
    let body = garage(&owner, name).await;
    let id = owner.client.post("/api/workshops/apply", body).await.expect_status(201).text_at("id");
    server.admin().await.client.post_nothing(&decision(&id, "approve")).await.expect_status(200);
    owner
}

async fn mails(server: &TestServer, person: &Person, milestone: &str) -> usize {
    let mails = server.messages_to(&person.email).await;
    mails.iter().filter(|mail| mail["milestone"] == milestone).count()
}

on_both! {
    async fn an_application_is_asked_about_answered_approved_and_then_requests_arrive(server) {
        let (sam, admin) = (server.register("mechanic", "Sam Okafor").await, server.admin().await);
        sam.client.get("/api/mechanics/application").await.refused(404, "not_found");
        sam.client.get("/api/requests").await.refused(403, "not_approved");
        let id = apply(&sam).await;
        server.message_to(&sam.email, "application_received").await;
        let note = server.message_to(&admin.email, "application_arrived").await;
        assert!(note["links"][0].as_str().expect("a link").ends_with(&format!("/admin/applications/{id}")));
        let again = sent(&sam).await;
        sam.client.post("/api/mechanics/apply", again).await.refused(409, "application_open");
        put(&sam.client, "/api/mechanics/application", sent(&sam).await).await.refused(409, "invalid_transition");

        let queue = admin.client.get("/api/admin/applications?status=submitted").await.expect_status(200);
        let items = queue.body["items"].as_array().expect("a list");
        assert_eq!((items.len(), &items[0]["id"], &items[0]["user"]["email"]), (1, &json!(id), &json!(sam.email)));
        let read = admin.client.get(&format!("/api/admin/applications/{id}")).await.expect_status(200);
        let file = read.text_at("/files/0/url");
        let link = admin.client.get(&file).await.expect_status(303).location();
        assert_eq!(server.guest().get(&link).await.expect_status(200).headers["content-type"], "application/pdf");
        server.customer().await.client.get(&file).await.refused(404, "not_found");
        let audit = admin.client.get("/api/admin/audit").await.expect_status(200);
        let read = audit.body["items"].as_array().expect("a log").iter()
            .filter(|line| line["action"] == "application.read" && line["object_id"] == json!(id)).count();
        assert_eq!(read, 2, "the application and its file: {audit:?}");

        let question = json!({ "question": "Please send page 2 of the certificate." });
        admin.client.post(&decision(&id, "ask"), question.clone()).await.expect_status(200);
        admin.client.post(&decision(&id, "ask"), question).await.refused(409, "invalid_transition");
        let mail = server.message_to(&sam.email, "application_asked").await;
        assert!(mail["text"].as_str().expect("text").contains("Please send page 2"), "{mail}");
        let mine = sam.client.get("/api/mechanics/application").await.expect_status(200);
        assert_eq!(mine.text_at("question"), "Please send page 2 of the certificate.");
        assert!(mine.body["steps"][0].get("by_id").is_none(), "an applicant sees no admin: {mine:?}");

        let kept = mine.text_at("/files/0/file_id");
        let mut answered = sent(&sam).await;
        answered["file_ids"] = json!([kept, papers(&sam.client).await]);
        answered["answer"] = json!("It is the second file.");
        let answered = put(&sam.client, "/api/mechanics/application", answered).await.expect_status(200);
        assert_eq!((&answered.body["status"], &answered.body["revision"]), (&json!("submitted"), &json!(2)));
        assert_eq!(answered.body["files"].as_array().expect("files").len(), 2);
        let note = "has answered";
        tests::until("the admin's second mail", async || {
            let mails = server.messages_to(&admin.email).await;
            mails.iter().any(|mail| mail["subject"].as_str().is_some_and(|it| it.contains(note))).then_some(())
        }).await;

        let mut socket = sam.socket(server).await;
        socket.join(&sam.channel("mechanic"), 0).await;
        let approved = admin.client.post_nothing(&decision(&id, "approve")).await.expect_status(200);
        assert_eq!(approved.body["status"], "approved");
        assert_eq!(socket.of_type("notification").await["title"], "You are approved");
        server.message_to(&sam.email, "application_approved").await;
        sam.client.post("/api/mechanics/apply", sent(&sam).await).await.refused(409, "already_approved");
        sam.client.put_duty(true).await;
        let dana = server.customer().await;
        let session = dana.paid_session("chat10").await;
        sam.accept(&session).await;
    }

    async fn a_refusal_is_mailed_with_its_reason_and_holds_for_thirty_days(server) {
        let (sam, admin) = (server.register("mechanic", "Sam Okafor").await, server.admin().await);
        let id = apply(&sam).await;
        for empty in ["", " \n", &"x".repeat(501)] {
            admin.client.post(&decision(&id, "refuse"), json!({ "reason": empty })).await.refused(422, "invalid");
        }
        let reason = json!({ "reason": "The licence ran out in May." });
        admin.client.post(&decision(&id, "refuse"), reason.clone()).await.expect_status(200);
        let mail = server.message_to(&sam.email, "application_refused").await;
        assert!(mail["text"].as_str().expect("text").contains("The licence ran out in May."), "{mail}");
        assert!(mail["html"].as_str().expect("html").contains("The licence ran out in May."));
        for (verb, body) in [("refuse", reason), ("approve", json!({})), ("ask", json!({ "question": "Why?" }))] {
            admin.client.post(&decision(&id, verb), body).await.refused(409, "already_decided");
        }
        let mine = sam.client.get("/api/mechanics/application").await.expect_status(200);
        assert_eq!(mine.text_at("reason"), "The licence ran out in May.");
        assert!(mine.body["reapply_from"].is_string());
        let page = sam.client.get("/mechanic").await.expect_status(200);
        assert!(page.text.contains("The licence ran out in May."));
        sam.client.post("/api/mechanics/apply", sent(&sam).await).await.refused(409, "apply_later");
        sam.client.get("/api/requests").await.refused(403, "not_approved");
        server.advance_clock(30 * 86_400).await;
        let sam = server.sign_in(&sam.email, tests::people::PASSWORD).await;
        let second = apply(&sam).await;
        assert_ne!(second, id);
        let admin = server.admin().await;
        admin.client.post_nothing(&decision(&second, "approve")).await.expect_status(200);
        sam.client.get("/api/requests").await.expect_status(200);
    }

    async fn of_two_admins_who_decide_at_once_one_does(server) {
        let sam = server.register("mechanic", "Sam Okafor").await;
        let id = apply(&sam).await;
        let made = server.pitlane(&["user", "create", "--role", "admin", "--email", "second@example.com",
            "--name", "Second Admin", "--password", tests::people::PASSWORD]);
        assert!(made.status.success(), "{}", tests::server::printed(&made));
        let second = server.sign_in("second@example.com", tests::people::PASSWORD).await;
        let first = server.admin().await;
        let (approve, refuse) = (decision(&id, "approve"), decision(&id, "refuse"));
        let mut calls = Vec::new();
        for round in 0..4 {
            let (yes, no) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
            calls.push(yes.client.post(&approve, json!({})));
            calls.push(no.client.post(&refuse, json!({ "reason": "No." })));
        }
        let answers = futures_util::future::join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "already_decided");
        }
        let told = mails(server, &sam, "application_approved").await + mails(server, &sam, "application_refused").await;
        assert!(told <= 1, "one decision is told");
    }

    async fn two_applications_at_once_make_one_and_a_key_makes_the_same(server) {
        let sam = server.register("mechanic", "Sam Okafor").await;
        let body = sent(&sam).await;
        let calls = (0..6).map(|_| sam.client.post("/api/mechanics/apply", body.clone()));
        let answers = futures_util::future::join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == Some("application_open")));
        let lena = server.register("mechanic", "Lena Brandt").await;
        let body = sent(&lena).await;
        let first = lena.client.post_once("/api/mechanics/apply", "k1", body.clone()).await.expect_status(201);
        let again = lena.client.post_once("/api/mechanics/apply", "k1", body).await.expect_status(201);
        assert_eq!(first.body, again.body);
        lena.client.post_once("/api/mechanics/apply", "k1", json!({
            "name": "x", "phone": "5550100199", "years_experience": 1, "specialties": ["engine"], "file_ids": [],
        })).await.refused(422, "idempotency_mismatch");
    }

    async fn a_bad_application_is_refused_field_by_field_and_leaves_nothing(server) {
        let (sam, eve) = (server.register("mechanic", "Sam Okafor").await, server.register("mechanic", "Eve").await);
        let good = sent(&sam).await;
        let with = |field: &str, value: Value| {
            let mut body = good.clone();
            body[field] = value;
            body
        };
        let gif = send(&sam.client, &[("file", "a.gif", b"GIF89a\x01\0\x01\0\0\0\0;")]).await.text_at("file_id");
        let hers = papers(&eve.client).await;
        for (body, field, code) in [
            (with("name", json!(" ")), "name", "required"),
            (with("phone", json!("call me")), "phone", "invalid"),
            (with("years_experience", json!(81)), "years_experience", "out_of_range"),
            (with("years_experience", json!(-1)), "years_experience", "out_of_range"),
            (with("specialties", json!([])), "specialties", "required"),
            (with("specialties", json!(["rockets"])), "specialties", "unknown_value"),
            (with("note", json!("x".repeat(2_001))), "note", "too_long"),
            (with("file_ids", json!([])), "file_ids", "required"),
            (with("file_ids", json!([gif])), "file_ids", "unusable_file"),
            (with("file_ids", json!([hers])), "file_ids", "unusable_file"),
            (with("file_ids", json!([uuid::Uuid::nil()])), "file_ids", "unusable_file"),
            (with("file_ids", json!((0..11).map(|_| uuid::Uuid::new_v4()).collect::<Vec<_>>())), "file_ids", "too_many"),
        ] {
            let refused = sam.client.post("/api/mechanics/apply", body).await.expect_status(422);
            let told: Vec<_> = refused.body["errors"].as_array().expect("errors").iter()
                .map(|error| (error["field"].as_str(), error["code"].as_str())).collect();
            assert_eq!(told, [(Some(field), Some(code))]);
        }
        sam.client.post("/api/mechanics/apply", with("business_name", json!("x"))).await.refused(422, "unknown_field");
        sam.client.post("/api/mechanics/apply", with("years_experience", json!("12"))).await.refused(422, "invalid");
        sam.client.get("/api/mechanics/application").await.refused(404, "not_found");
        sam.client.post("/api/mechanics/apply", good).await.expect_status(201);

        let admin = server.admin().await;
        admin.client.get("/api/admin/applications?status=nonsense").await.refused(422, "invalid");
        let nobody = uuid::Uuid::nil();
        admin.client.get(&format!("/api/admin/applications/{nobody}")).await.refused(404, "not_found");
        admin.client.post_nothing(&decision(&nobody.to_string(), "approve")).await.refused(404, "not_found");
        server.customer().await.client.post("/api/mechanics/apply", json!({})).await.refused(403, "wrong_role");
    }

    async fn files_of_an_application_stay_and_dropped_ones_go(server) {
        let (sam, admin) = (server.register("mechanic", "Sam Okafor").await, server.admin().await);
        let id = apply(&sam).await;
        let mine = sam.client.get("/api/mechanics/application").await.expect_status(200);
        let (first, second) = (mine.text_at("/files/0/file_id"), photo(&sam.client).await);
        server.advance_clock(3_600).await;
        admin.client.post(&decision(&id, "ask"), json!({ "question": "A photo?" })).await.expect_status(200);
        let mut answered = sent(&sam).await;
        answered["file_ids"] = json!([second]);
        put(&sam.client, "/api/mechanics/application", answered).await.expect_status(200);
        server.advance_clock(2 * 86_400).await;
        admin.client.get(&format!("/api/files/{second}")).await.expect_status(303);
        admin.client.get(&format!("/api/files/{first}")).await.refused(404, "not_found");
    }

    async fn the_admins_old_button_decides_an_open_application_too(server) {
        let (sam, lena, admin) = (
            server.register("mechanic", "Sam Okafor").await,
            server.register("mechanic", "Lena Brandt").await,
            server.admin().await,
        );
        let (one, other) = (apply(&sam).await, apply(&lena).await);
        admin.client.post_nothing(&format!("/api/admin/mechanics/{}/approve", sam.id)).await.expect_status(200);
        admin.client.post(&decision(&one, "refuse"), json!({ "reason": "No." })).await.refused(409, "already_decided");
        server.message_to(&sam.email, "application_approved").await;
        let refuse = format!("/api/admin/mechanics/{}/refuse", lena.id);
        let decided = admin.client.post(&refuse, json!({ "reason": "No papers." })).await.expect_status(200);
        assert_eq!((&decided.body["approval"], &decided.body["reason"]), (&json!("refused"), &json!("No papers.")));
        let read = admin.client.get(&format!("/api/admin/applications/{other}")).await.expect_status(200);
        assert_eq!(read.text_at("reason"), "No papers.");
        // Nobody applied: the button works as it always did.
        let nina = server.register("mechanic", "Nina Newman").await;
        admin.client.post_nothing(&format!("/api/admin/mechanics/{}/approve", nina.id)).await.expect_status(200);
        nina.client.get("/api/requests").await.expect_status(200);
    }

    async fn who_is_approved_is_not_asked_to_apply_and_a_customer_is_told_how(server) {
        let max = server.mechanic().await;
        assert_eq!(max.client.get("/mechanic/apply").await.expect_status(303).location(), "/mechanic");
        max.client.post("/api/mechanics/apply", sent(&max).await).await.refused(409, "already_approved");
        let fresh = server.register("mechanic", "Fay Fresh").await;
        assert!(fresh.client.get("/mechanic/apply").await.expect_status(200).text.contains("What you are good at"));
        let page = server.customer().await.client.get("/mechanic/apply").await.expect_status(403);
        assert!(page.text.contains("needs an account of its own"), "{}", page.text);
    }

    async fn who_leaves_takes_their_application_along(server) {
        let sam = server.register("mechanic", "Sam Okafor").await;
        apply(&sam).await;
        sam.client.send(reqwest::Method::DELETE, "/api/me", None).await.expect_status(204);
        for table in ["applications", "application_steps", "application_files"] {
            assert_eq!(server.database().count(table, "1 = 1"), 0, "{table}");
        }
        server.advance_clock(2 * 86_400).await;
        tests::until("the papers to be swept", async || {
            (server.database().count("files", "1 = 1") == 0).then_some(())
        }).await;
    }

    async fn the_queue_is_paged_and_filtered(server) {
        let admin = server.admin().await;
        let mut ids = Vec::new();
        for name in ["One", "Two", "Three"] {
            ids.push(apply(&server.register("mechanic", name).await).await);
        }
        let first = admin.client.get("/api/admin/applications?limit=2").await.expect_status(200);
        let cursor = first.text_at("next_cursor");
        let second = admin.client.get(&format!("/api/admin/applications?limit=2&cursor={cursor}")).await;
        let listed: Vec<Value> = [&first, &second].iter()
            .flat_map(|page| page.body["items"].as_array().expect("items").iter().map(|item| item["id"].clone()))
            .collect();
        assert_eq!(listed, ids.iter().map(|id| json!(id)).collect::<Vec<_>>(), "oldest first, each once");
        assert!(second.body["next_cursor"].is_null());
        admin.client.post(&decision(&ids[0], "refuse"), json!({ "reason": "No." })).await.expect_status(200);
        for (query, count) in [("", 2), ("?status=refused", 1), ("?status=approved", 0), ("?status=asked_again", 0)] {
            let found = admin.client.get(&format!("/api/admin/applications{query}")).await.expect_status(200);
            assert_eq!(found.body["items"].as_array().expect("items").len(), count, "{query}");
        }
    }
}
