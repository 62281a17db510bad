//! `kill -9` at each step of the money path, then a start: nothing is lost, nothing is done twice.

use std::time::Duration;

use serde_json::json;
use tests::money::{AUTHENTICATED_CARD, GOOD_CARD, resolve_path};
use tests::server::run_with;
use tests::{Backend, Person, TestServer, until};

/// Runs a body on both databases, with a server that it may kill.
macro_rules! on_both {
    ($($name:ident => $body:path;)+) => { $(
        mod $name {
            #[test]
            fn on_sqlite() {
                tests::server::run_with(tests::Backend::Sqlite, &[], $body);
            }

            #[test]
            fn on_postgres() {
                tests::server::run_with(tests::Backend::Postgres, &[], $body);
            }
        }
    )+ };
}

on_both! {
    a_crash_after_every_step_loses_nothing => super::after_every_step;
    a_crash_before_the_webhook_comes_is_made_up_for => super::before_the_webhook;
    a_crash_while_the_holder_confirms_charges_once => super::while_confirming;
    a_crash_amid_requests_keeps_what_was_answered => super::amid_messages;
    a_crash_amid_checkouts_leaves_no_half => super::amid_checkouts;
}

async fn after_every_step(server: &mut TestServer) {
    let dana = server.customer().await;
    server.crash().await;
    let intake = dana.intake("chat10").await.text_at("intake_id");
    server.crash().await;
    let checkout = dana.checkout_of(&intake).await;
    server.crash().await;
    assert_eq!(dana.checkout_of(&intake).await.id, checkout.id);
    dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
    server.crash().await;
    let session = dana.session_of(&checkout).await;
    server.crash().await;
    assert_eq!(dana.session_of(&checkout).await, session);
    server.message_to(&dana.email, "booking_confirmed").await;

    let max = server.mechanic().await;
    admin_assigns_or_offer(server, &max, &session).await;
    server.crash().await;
    max.step(&session, "start").await.expect_status(200);
    server.crash().await;
    let said = dana.say(&session, "d1", "It grinds.").await.expect_status(201);
    server.crash().await;
    let again = dana.say(&session, "d1", "It grinds.").await.expect_status(200);
    assert_eq!(said.body, again.body);
    dana.step(&session, "end").await.expect_status(200);
    server.crash().await;
    assert_eq!(dana.session(&session).await["status"], "completed");
    one_of_each(server, &dana).await;
}

/// A mechanic who came after the session was paid has no offer; an admin gives it to them.
async fn admin_assigns_or_offer(server: &TestServer, mechanic: &Person, session: &str) {
    let offers = mechanic.client.get("/api/requests").await.expect_status(200);
    if offers.text.contains(session) {
        mechanic.accept(session).await;
        return;
    }
    let path = format!("/api/admin/sessions/{session}/assign");
    let answer = server.admin().await.client.post(&path, json!({ "mechanic_id": mechanic.id })).await;
    assert!((200..300).contains(&answer.status), "{answer:?}");
}

async fn before_the_webhook(server: &mut TestServer) {
    server.control_webhooks(json!({ "delay_ms": 600_000 })).await;
    let dana = server.customer().await;
    let checkout = dana.checkout("chat10").await;
    dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
    server.crash().await;
    // Nobody comes back to the page, and the webhook is far away: only reconciliation is left.
    until("reconciliation to fulfil the order", async || {
        server.advance_clock(90).await;
        (server.database().count("sessions", "1 = 1") == 1).then_some(())
    })
    .await;
    server.crash().await;
    dana.session_of(&checkout).await;
    server.control_webhooks(json!({ "delay_ms": 0 })).await;
    server.message_to(&dana.email, "booking_confirmed").await;
    one_of_each(server, &dana).await;
}

async fn while_confirming(server: &mut TestServer) {
    let dana = server.customer().await;
    let checkout = dana.checkout("chat10").await;
    dana.pay(&checkout, AUTHENTICATED_CARD).await.expect_status(303);
    server.crash().await;
    dana.client.get(&resolve_path(&checkout)).await.expect_status(202);
    let confirm = format!("/sandbox/checkout/{}/authenticate", checkout.id);
    dana.client.post_form(&confirm, &[("outcome", "complete")]).await.expect_status(303);
    server.crash().await;
    dana.session_of(&checkout).await;
    server.message_to(&dana.email, "booking_confirmed").await;
    one_of_each(server, &dana).await;
}

/// Messages stream in while the process dies: each that was answered is there, once, and in the order of the answers.
async fn amid_messages(server: &mut TestServer) {
    let meeting = server.meeting().await;
    let (dana, session) = (&meeting.customer, &meeting.session);
    let path = format!("{}/api/sessions/{session}/messages", server.url());
    let http = reqwest::Client::new();
    let cookie = dana.client.cookie().expect("signed in");
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let sending = async {
            let mut kept = Vec::new();
            for number in 0.. {
                let reference = format!("r{round}-{number}");
                let body = json!({ "client_ref": reference, "text": "still there?" });
                let request =
                    http.post(&path).header("cookie", &cookie).json(&body).timeout(Duration::from_secs(5));
                match request.send().await {
                    Ok(answer) if answer.status().as_u16() == 201 => kept.push(reference),
                    Ok(answer) => panic!("{}", answer.status()),
                    Err(_) => break,
                }
            }
            kept
        };
        let enough = 10 * (round + 1);
        let killing = async {
            let database = server.database();
            until("enough messages", async || {
                (database.count("session_events", "kind = 'message'") >= enough).then_some(())
            })
            .await;
            server.kill9_now();
        };
        let (kept, ()) = futures_util::future::join(sending, killing).await;
        assert!(!kept.is_empty());
        acknowledged.extend(kept);
        server.reap();
        server.recover().await;
    }
    let stored: Vec<String> = dana
        .events(session)
        .await
        .iter()
        .filter_map(|event| event["body"]["client_ref"].as_str().map(str::to_owned))
        .collect();
    let found: Vec<String> =
        stored.into_iter().filter(|reference| acknowledged.contains(reference)).collect();
    assert_eq!(found, acknowledged);
}

/// The process dies while several drivers check out at once; each can go on and pays exactly once.
async fn amid_checkouts(server: &mut TestServer) {
    let mut drivers = Vec::new();
    for _ in 0..3 {
        let dana = server.customer().await;
        let intake = dana.intake("chat10").await.text_at("intake_id");
        drivers.push((dana, intake));
    }
    for moment_ms in [2, 10, 40] {
        let asked = drivers.iter().map(|(dana, intake)| {
            let request = dana.client.request(reqwest::Method::POST, "/api/checkout");
            request.json(&json!({ "intake_id": intake })).timeout(Duration::from_secs(5)).send()
        });
        let killing = async {
            tokio::time::sleep(Duration::from_millis(moment_ms)).await;
            server.kill9_now();
        };
        // Whether an answer came through is chance; what counts is what is left.
        futures_util::future::join(futures_util::future::join_all(asked), killing).await;
        server.reap();
        server.recover().await;
    }
    for (dana, intake) in &drivers {
        let checkout = dana.checkout_of(intake).await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        dana.session_of(&checkout).await;
        server.message_to(&dana.email, "booking_confirmed").await;
    }
    let database = server.database();
    assert_eq!((database.count("sessions", "1 = 1"), database.count("payments", "1 = 1")), (3, 3));
}

async fn one_of_each(server: &TestServer, dana: &Person) {
    until("no job to be left", async || (server.jobs_left() == 0).then_some(())).await;
    let database = server.database();
    for table in ["sessions", "payments", "session_requests"] {
        assert_eq!(database.count(table, "1 = 1"), 1, "{table}");
    }
    assert_eq!(database.count("ledger_transactions", "kind = 'charge'"), 1);
    let mails = server.messages_to(&dana.email).await;
    let confirmed = mails.iter().filter(|mail| mail["milestone"] == "booking_confirmed").count();
    assert_eq!(confirmed, 1, "{mails:?}");
}

/// A long stop: what was due meanwhile is done once, soon after the start.
#[test]
fn what_came_due_while_the_server_was_down_is_done_once() {
    run_with(Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        dana.checkout("chat10").await;
        server.kill9();
        server
            .database()
            .execute("UPDATE jobs SET run_at = created_at WHERE status = 'queued'")
            .expect("jobs come due");
        server.start().await;
        until("every job to be done", async || (server.jobs_left() == 0).then_some(())).await;
    });
}
