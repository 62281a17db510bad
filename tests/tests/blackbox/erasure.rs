//! Somebody leaves, and what is kept no longer than its time.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use tests::client::Answer;
use tests::money::GOOD_CARD;
use tests::people::PASSWORD;
use tests::{Backend, Client, Person, TestServer, on_both, server, until};

use super::applications;
use super::files::photo;

const MONTH: u32 = 31 * 86_400;

async fn erase(client: &Client, body: Option<Value>) -> Answer {
    client.send(Method::DELETE, "/api/me", body).await
}

/// Whatever else may be written down about somebody: a search for their address, a suspension and its reason, a mail that
/// came back, a workshop's invitation.
async fn the_staff_deals_with(server: &TestServer, dana: &Person) {
    let admin = server.admin().await;
    for path in ["/admin/users", "/api/admin/users", "/admin"] {
        admin.client.get(&format!("{path}?q={}", dana.email)).await.expect_status(200);
    }
    let owner = server.demo("workshop").await;
    let invite = json!({ "email": dana.email });
    owner.client.post("/api/workshops/me/invitations", invite).await.expect_status(201);
    server.message_to(&dana.email, "workshop_invitation").await;
    let suspend = format!("/api/admin/users/{}/suspend", dana.id);
    admin.client.post(&suspend, json!({ "reason": "Three chargebacks." })).await.expect_status(200);
    server.message_to(&dana.email, "account_suspended").await;
    admin.client.post_nothing(&format!("/api/admin/users/{}/restore", dana.id)).await.expect_status(200);
    server.message_to(&dana.email, "account_restored").await;
    let log_in = json!({ "email": dana.email, "password": PASSWORD });
    dana.client.post("/api/auth/login", log_in).await.expect_status(200);
    let failed = format!(
        "INSERT INTO suppressions (channel, address, reason, created_at)
           VALUES ('mail', '{0}', 'complained', '2026-11-01T00:00:00.000000Z');
         UPDATE jobs SET last_error = '550 {0} is full' WHERE dedupe_key IN
           (SELECT 'mail:' || send_once_key FROM deliveries
            WHERE recipient = (SELECT id FROM users WHERE email = '{0}'));
         UPDATE deliveries SET last_error = '550 {0} is full'
           WHERE recipient = (SELECT id FROM users WHERE email = '{0}') AND channel = 'mail';",
        dana.email
    );
    server.database().execute(&failed).expect("a carrier complained");
}

/// The uploads whose bytes are there.
fn stored_files(server: &TestServer) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        entries.flatten().map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
    }
    count(&server.folder().join("data/files"))
}

async fn money(person: &Person) -> Vec<(String, i64)> {
    let sessions = person.client.get("/api/sessions").await.expect_status(200);
    let items = sessions.body["items"].as_array().expect("a list").clone();
    items
        .iter()
        .map(|item| (item["payment_status"].to_string(), item["total_price_cents"].as_i64().expect("cents")))
        .collect()
}

on_both! {
    async fn of_a_customer_who_leaves_only_the_money_stays(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let picture = photo(&dana.client).await;
        let said = json!({ "client_ref": "1", "text": "My secret rattle.", "file_ids": [picture] });
        dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
        max.say(session, "2", "I hear your rattle.").await.expect_status(201);
        let summary = json!({ "findings": "The rattle is the heat shield." });
        max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
        max.step(session, "end").await.expect_status(200);
        the_staff_deals_with(server, dana).await;
        let number = json!({ "phone": "+15550100199" });
        dana.client.post("/api/me/phone", number).await.expect_status(202);
        server.message_to("+15550100199", "phone_code").await;
        let unwanted = json!({ "follow_up": false });
        dana.client.send(Method::PUT, "/api/me/notifications", Some(unwanted)).await.expect_status(200);
        let script = dana.client.post("/api/me/tokens", json!({ "name": "script" })).await.expect_status(201);
        let script = Client::new(server.url()).with_token(&script.text_at("token"));
        erase(&script, None).await.refused(403, "token_not_allowed");
        erase(&dana.client, Some(json!({ "current_password": "not the password" }))).await.refused(422, "invalid");
        erase(&dana.client, Some(json!({ "please": true }))).await.refused(422, "unknown_field");
        let paid = money(dana).await;
        assert_eq!(paid.len(), 1);
        let rows = |table: &str| server.database().count(table, "1 = 1");
        assert_eq!(rows("notification_preferences"), 1);
        let kept: Vec<i64> = ["orders", "payments", "ledger_transactions", "ledger_entries"].map(rows).to_vec();
        let mut socket = dana.socket(server).await;
        socket.join(&dana.channel("customer"), 0).await;

        erase(&dana.client, Some(json!({ "current_password": PASSWORD }))).await.expect_status(204);
        socket.closed().await;
        dana.client.get("/api/me").await.refused(401, "not_signed_in");
        script.get("/api/me").await.refused(401, "not_signed_in");
        let log_in = json!({ "email": dana.email, "password": PASSWORD });
        server.guest().post("/api/auth/login", log_in).await.refused(401, "wrong_credentials");
        for trace in [dana.email.as_str(), "Dana Driver", "rattle", "grinding", "5550100199", "vehicle_make", "chargebacks"] {
            assert_eq!(server.database().places(trace), Vec::<String>::new(), "{trace}");
        }
        assert_eq!(["orders", "payments", "ledger_transactions", "ledger_entries"].map(rows).to_vec(), kept);
        assert_eq!(rows("notification_preferences"), 0);
        // The mechanic still sees that there was a session, with nobody's name and nothing that was said.
        let seen = max.session(session).await;
        assert_eq!(seen["customer"]["name"], "Former customer");
        // Nor can anything be written down afterwards that would never be deleted again.
        let path = format!("/api/sessions/{session}/summary");
        let late = json!({ "findings": "Dana's rattle was the heat shield." });
        max.client.post(&path, late.clone()).await.refused(409, "session_closed");
        max.client.send(Method::PUT, &format!("{path}/draft"), Some(late)).await.refused(409, "session_closed");
        let page = max.client.get(&format!("/sessions/{session}/summary")).await.expect_status(200);
        assert!(page.text.contains("What was written here is gone") && !page.text.contains("<textarea"), "{}", page.text);
        let queue = max.client.get("/mechanic").await.expect_status(200);
        assert!(!queue.text.contains("Write the summary"), "{}", queue.text);
        let events = max.events(session).await;
        let bodies: Vec<&Value> = events.iter().filter(|event| event["kind"] == "message").map(|event| &event["body"]).collect();
        assert_eq!(bodies, [&Value::Null, &Value::Null], "{events:?}");
        for page in [format!("/chat/{session}"), format!("/sessions/{session}/complete")] {
            let text = max.client.get(&page).await.expect_status(200).text;
            assert_eq!(text.matches(">This message has been erased.<").count(), 2, "{page}: {text}");
        }
        let gone = max.client.get(&path).await;
        gone.refused(404, "summary_not_written");
        assert!(gone.text_at("detail").contains("was erased"), "{gone:?}");
        let told = max.client.get(&format!("/sessions/{session}/transcript")).await.expect_status(200);
        assert!(told.text.contains("The summary was erased."), "{}", told.text);
        server.advance_clock(3_700).await;
        until("the photo to be gone", async || (stored_files(server) == 0).then_some(())).await;
        // The row goes after the bytes.
        until("its row to be gone", async || (server.database().count("files", "1 = 1") == 0).then_some(())).await;
        // The address is free again, and the same person begins anew.
        let body = json!({ "email": dana.email, "password": PASSWORD, "name": "Dana Driver", "role": "customer" });
        let again = server.guest().post("/api/auth/register", body).await.expect_status(201);
        assert_ne!(again.body["user"]["id"], dana.id.as_str());
    }

    async fn an_address_of_the_past_goes_with_the_account(server) {
        let dana = server.customer().await;
        let new = format!("new-{}", dana.email);
        let wish = json!({ "email": new, "current_password": PASSWORD });
        dana.client.send(Method::PATCH, "/api/me", Some(wish)).await.expect_status(200);
        let token = server.mailed_token(&new, "email_change", "/auth/verify/").await;
        server.message_to(&dana.email, "email_change_asked").await;
        server.guest().post("/api/auth/verify", json!({ "token": token })).await.expect_status(204);
        server.message_to(&dana.email, "email_changed").await;
        let kept = || server.database().count("one_time_tokens", &format!("email = '{}'", dana.email));
        assert_eq!(kept(), 1);
        erase(&dana.client, None).await.expect_status(204);
        assert_eq!(kept(), 0);
        assert!(server.messages_to(&dana.email).await.is_empty(), "what was sent there is gone as well");
    }

    async fn what_is_open_ends_and_is_paid_back_as_if_it_had_been_cancelled(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let waiting = dana.paid_session("chat10").await;
        let running = dana.paid_session("video15").await;
        max.accept(&running).await;
        max.step(&running, "start").await.expect_status(200);
        let unpaid = dana.checkout("diagnostic").await;
        erase(&dana.client, None).await.expect_status(204);
        let statuses = server.database();
        assert_eq!(statuses.count("sessions", "status = 'cancelled' AND end_reason = 'customer'"), 1, "{waiting}");
        assert_eq!(statuses.count("sessions", "status = 'completed' AND end_reason = 'customer'"), 1, "{running}");
        assert_eq!(statuses.count("session_requests", "status = 'open'"), 0);
        assert_eq!(statuses.count("refunds", "amount_cents = 999"), 1);
        assert_eq!(max.session(&running).await["status"], "completed");
        let late = dana.pay(&unpaid, GOOD_CARD).await;
        assert!(late.status >= 400, "the payment page is closed: {late:?}");
        until("the refund to be done", async || {
            (server.database().count("refunds", "status = 'succeeded'") == 1).then_some(())
        })
        .await;
        // The provider forgets the person too.
        let provider = server.provider();
        until("the provider to forget", async || {
            let customers = provider.get("/v1/customers").await.expect_status(200);
            customers.body["data"].as_array().is_some_and(Vec::is_empty).then_some(())
        })
        .await;
        assert_eq!(server.database().count("stripe_customers", "1 = 1"), 0);
    }

    async fn of_a_mechanic_who_leaves_the_summary_stays_for_its_customer(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        dana.say(session, "1", "It shakes.").await.expect_status(201);
        max.say(session, "2", "Since when?").await.expect_status(201);
        let summary = json!({ "findings": "The third coil." });
        max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
        let other = server.customer().await;
        let accepted = other.paid_session("chat10").await;
        max.accept(&accepted).await;
        erase(&max.client, None).await.expect_status(204);
        assert_eq!(dana.session(session).await["status"], "completed");
        assert_eq!(dana.session(session).await["mechanic"]["name"], "Former mechanic");
        let summary = dana.client.get(&format!("/api/sessions/{session}/summary")).await.expect_status(200);
        assert_eq!(summary.text_at("findings"), "The third coil.");
        let events = dana.events(session).await;
        let texts: Vec<&Value> = events.iter().filter(|event| event["kind"] == "message").map(|event| &event["body"]["text"]).collect();
        assert_eq!(texts, [&json!("It shakes."), &Value::Null], "each takes their own words along");
        // Whoever was waiting for him gets everything back.
        let seen = other.session(&accepted).await;
        assert_eq!((&seen["status"], &seen["end_reason"]), (&json!("cancelled"), &json!("mechanic")));
        assert_eq!(server.database().count("refunds", "amount_cents = 999"), 1);
        let gone = "user_id IN (SELECT id FROM users WHERE status = 'erased')";
        assert_eq!(server.database().count("mechanics", gone), 1);
        assert_eq!(server.database().count("mechanics", &format!("on_duty = TRUE AND {gone}")), 0);
    }

    async fn the_last_admin_stays_and_loses_nothing(server) {
        let admin = server.admin().await;
        erase(&admin.client, None).await.refused(409, "last_admin");
        admin.client.get("/api/me").await.expect_status(200);
    }

    async fn the_page_asks_whether_one_is_sure(server) {
        let dana = server.customer().await;
        dana.paid_session("chat10").await;
        let page = dana.client.get("/account/erase").await.expect_status(200);
        assert!(page.text.contains("Your open session ends"), "{}", page.text);
        let form = async |fields: &[(&str, &str)]| dana.client.post_form("/account/erase", fields).await;
        assert!(form(&[("current_password", PASSWORD)]).await.expect_status(422).text.contains("Tick the box"));
        assert!(form(&[("sure", "yes")]).await.expect_status(422).text.contains("not your current password"));
        dana.client.get("/api/me").await.expect_status(200);
        let done = form(&[("sure", "yes"), ("current_password", PASSWORD)]).await.expect_status(200);
        assert!(done.text.contains("Your account is erased"));
        dana.client.get("/api/me").await.refused(401, "not_signed_in");
    }
}

#[test]
fn after_its_time_a_refused_application_goes_with_its_papers() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        server::run_with(backend, &[("PITLANE_RETENTION__CONTENT_MONTHS", "2")], async |server| {
            let (sam, kim) = (
                server.register("mechanic", "Sam Okafor").await,
                server.register("mechanic", "Kim Lee").await,
            );
            let admin = server.admin().await;
            for person in [&sam, &kim] {
                let sent = applications::sent(person).await;
                let id =
                    person.client.post("/api/mechanics/apply", sent).await.expect_status(201).text_at("id");
                if person.id == sam.id {
                    let reason = json!({ "reason": "The certificate has run out." });
                    let path = format!("/api/admin/applications/{id}/refuse");
                    admin.client.post(&path, reason).await.expect_status(200);
                }
            }
            server.advance_clock(MONTH).await;
            let database = server.database();
            until("the first month's work to be done", async || (server.jobs_left() == 0).then_some(()))
                .await;
            assert_eq!((database.count("applications", "1 = 1"), stored_files(server)), (2, 2));
            server.advance_clock(MONTH).await;
            until("the refused application to be gone", async || {
                (database.count("applications", "status = 'refused'") == 0).then_some(())
            })
            .await;
            server.advance_clock(3_700).await;
            until("its papers to be gone", async || (stored_files(server) == 1).then_some(())).await;
            let waiting = database.count("applications", "status = 'submitted'");
            assert_eq!(
                (waiting, database.count("application_files", "1 = 1")),
                (1, 1),
                "the other one waits"
            );
        });
    }
}

#[test]
fn after_its_time_a_session_is_its_summary_and_later_nothing() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let settings = [("PITLANE_RETENTION__CONTENT_MONTHS", "2"), ("PITLANE_RETENTION__MONEY_YEARS", "1")];
        server::run_with(backend, &settings, async |server| {
            let meeting = server.meeting().await;
            let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
            let picture = photo(&dana.client).await;
            let said = json!({ "client_ref": "1", "text": "My secret rattle.", "file_ids": [picture] });
            dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
            let summary = json!({ "findings": "The heat shield." });
            max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
            max.step(session, "end").await.expect_status(200);
            server.advance_clock(MONTH).await;
            // A newer session stays as it is.
            let (dana, max) =
                (server.sign_in(&dana.email, PASSWORD).await, server.sign_in(&max.email, PASSWORD).await);
            let newer = dana.paid_session("chat10").await;
            max.accept(&newer).await;
            max.step(&newer, "start").await.expect_status(200);
            dana.say(&newer, "1", "Another rattle.").await.expect_status(201);
            max.step(&newer, "end").await.expect_status(200);
            server.advance_clock(MONTH).await;
            let database = server.database();
            until("the content to be gone", async || {
                (database.count("session_events", "body LIKE '%secret rattle%'") == 0).then_some(())
            })
            .await;
            assert_eq!(database.count("session_events", "body LIKE '%Another rattle%'"), 1);
            assert_eq!(database.count("session_summaries", "findings = 'The heat shield.'"), 1);
            assert_eq!(database.count("orders", "status = 'fulfilled'"), 2);
            let dana = server.sign_in(&dana.email, PASSWORD).await;
            let page = dana.client.get(&format!("/sessions/{session}/complete")).await.expect_status(200);
            assert!(page.text.contains("The heat shield."));
            for said in
                ["The messages and files of this session were deleted", "This message has been erased."]
            {
                assert!(page.text.contains(said), "{said}: {}", page.text);
            }
            // What stays is not written on any more; the newer session's summary can still be handed in.
            let max = server.sign_in(&max.email, PASSWORD).await;
            let late = json!({ "findings": "It was the other shield." });
            let path = |session: &str| format!("/api/sessions/{session}/summary");
            max.client.post(&path(session), late.clone()).await.refused(409, "session_closed");
            let kept = max.client.get(&format!("/sessions/{session}/summary")).await.expect_status(200);
            assert!(kept.text.contains("The heat shield.") && !kept.text.contains("Correct the summary"));
            max.client.post(&path(&newer), late).await.expect_status(201);
            let checked = server.pitlane(&["doctor"]);
            assert!(checked.status.success(), "{}", server::printed(&checked));

            // The ledger refuses to lose what is younger.
            assert!(database.execute("DELETE FROM ledger_entries").is_err());
            server.advance_clock(11 * MONTH).await;
            until("the first order to be gone", async || {
                (database.count("orders", "1 = 1") <= 1).then_some(())
            })
            .await;
            server.advance_clock(MONTH).await;
            until("both orders to be gone", async || (database.count("orders", "1 = 1") == 0).then_some(()))
                .await;
            for table in [
                "payments",
                "ledger_transactions",
                "ledger_entries",
                "sessions",
                "session_events",
                "intakes",
                "session_requests",
            ] {
                assert_eq!(database.count(table, "1 = 1"), 0, "{table}");
            }
            assert_eq!(database.count("users", "status = 'active' AND role = 'customer'"), 3, "people stay");
        });
    }
}
