//! The payment provider's messages: forged, old, twice, late, in the wrong order, never.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::money::GOOD_CARD;
use tests::server::WEBHOOK_SECRET;
use tests::{Answer, TestServer, on_both, until};

fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

async fn deliver(server: &TestServer, body: &str, signature: &str) -> Answer {
    let client = server.guest().with_header("stripe-signature", signature);
    client.post_bytes("/api/stripe/webhook", "application/json", body.as_bytes()).await
}

fn event(id: &str, kind: &str) -> String {
    json!({
        "id": id, "object": "event", "api_version": "2026-09-30", "created": now(), "type": kind, "livemode": false,
        "pending_webhooks": 1, "request": null, "data": { "object": { "id": "x", "object": "thing" } },
    })
    .to_string()
}

/// The statement with which the migration finds the orders of events that were there before it.
fn fill(sqlite: bool) -> String {
    let migration = if sqlite {
        include_str!("../../../migrations/sqlite/2026-11-30-025600_forgetting/up.sql")
    } else {
        include_str!("../../../migrations/postgres/2026-11-30-025600_forgetting/up.sql")
    };
    let begin = migration.find("UPDATE webhook_events").expect("the statement");
    let end = begin + migration[begin..].find(';').expect("its end");
    migration[begin..end].to_owned()
}

on_both! {
    async fn a_forged_or_old_webhook_is_refused_and_writes_nothing(server) {
        let body = event("evt_forged", "checkout.session.completed");
        let cases = [
            ("no secret", signature("whsec_wrong", now(), &body)),
            ("too old", signature(WEBHOOK_SECRET, now() - 301, &body)),
            ("no signature", format!("t={}", now())),
            ("nonsense", "nonsense".to_owned()),
            ("another body", signature(WEBHOOK_SECRET, now(), "{}")),
        ];
        for (name, header) in cases {
            let answer = deliver(server, &body, &header).await;
            assert_eq!(answer.status, 400, "{name}: {answer:?}");
            answer.assert_is_problem();
        }
        let unsigned = server.guest().post_bytes("/api/stripe/webhook", "application/json", body.as_bytes()).await;
        assert_eq!(unsigned.status, 400, "{unsigned:?}");
        assert_eq!(server.database().count("webhook_events", "1 = 1"), 0);
    }

    async fn a_signed_webhook_of_no_concern_is_taken_once(server) {
        let body = event("evt_of_no_concern", "customer.created");
        for _ in 0..3 {
            let answer = deliver(server, &body, &signature(WEBHOOK_SECRET, now(), &body)).await.expect_status(200);
            assert_eq!(answer.body, json!({ "received": true }));
        }
        assert!(server.database().count("webhook_events", "1 = 1") <= 1);
    }

    async fn signed_nonsense_is_refused_without_an_error_of_the_server(server) {
        for body in ["", "{", "[]", "null", "{}", "{\"id\":1}", "{\"id\":\"evt_1\",\"type\":\"checkout.session.completed\"}"] {
            let answer = deliver(server, body, &signature(WEBHOOK_SECRET, now(), body)).await;
            assert!(answer.status == 400 || answer.status == 422 || answer.status == 200, "{body}: {answer:?}");
        }
    }

    async fn webhooks_that_come_twice_fulfil_once(server) {
        server.control_webhooks(json!({ "duplicate": true })).await;
        pays_once(server).await;
    }

    async fn webhooks_that_come_late_and_in_the_wrong_order_fulfil_once(server) {
        server.control_webhooks(json!({ "duplicate": true, "reorder": true, "delay_ms": 300 })).await;
        pays_once(server).await;
    }

    async fn without_any_webhook_the_return_page_fulfils(server) {
        server.control_webhooks(json!({ "drop": true })).await;
        pays_once(server).await;
        assert_eq!(server.database().count("webhook_events", "1 = 1"), 0);
    }

    async fn without_webhook_and_return_page_reconciliation_fulfils(server) {
        server.control_webhooks(json!({ "drop": true })).await;
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        until("reconciliation to fulfil the order", async || {
            server.advance_clock(120).await;
            (server.database().count("sessions", "1 = 1") == 1).then_some(())
        }).await;
        let sessions = dana.client.get("/api/sessions").await.expect_status(200);
        assert_eq!(sessions.body["items"].as_array().map(Vec::len), Some(1));
        server.message_to(&dana.email, "booking_confirmed").await;
    }

    async fn what_was_told_before_its_order_was_noted_is_found_by_it_too(server) {
        let dana = server.customer().await;
        for _ in 0..2 {
            dana.paid_session("chat10").await;
        }
        let noted = "order_id IS NOT NULL";
        until("both payments to be told", async || {
            (server.database().count("webhook_events", noted) >= 2).then_some(())
        })
        .await;
        server.control_webhooks(json!({ "drop": true })).await;
        let before = server.database().count("webhook_events", noted);
        let kept = "CREATE TABLE was AS SELECT id, order_id FROM webhook_events WHERE order_id IS NOT NULL";
        server.database().execute(kept).expect("what it was is kept");
        server.database().execute("UPDATE webhook_events SET order_id = NULL").expect("as before the column");
        server.database().execute(&fill(server.database().is_sqlite())).expect("as the migration does");
        // One that was on its way may have come meanwhile.
        assert!(server.database().count("webhook_events", noted) >= before);
        let (both, another) = (
            "webhook_events JOIN was ON was.id = webhook_events.id",
            "webhook_events.order_id IS DISTINCT FROM was.order_id",
        );
        assert!(server.database().count(both, "1 = 1") >= 2);
        assert_eq!(server.database().count(both, another), 0, "each has the order that it had");
        server.database().execute("DROP TABLE was").expect("it goes");
        let lost = "order_id IS NOT NULL AND order_id NOT IN (SELECT id FROM orders)";
        assert_eq!(server.database().count("webhook_events", lost), 0);
        let orders = "SELECT count(DISTINCT order_id) AS number FROM webhook_events";
        assert_eq!(server.database().number(orders), 2, "each is about its own order");
    }

    async fn the_sandboxs_control_refuses_what_it_does_not_know(server) {
        for body in [json!({ "explode": true }), json!({ "delay_ms": -1 }), json!({ "delay_ms": 999_999_999 }), json!("x")] {
            let answer = server.guest().post("/sandbox/control", body).await;
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
}

/// One payment makes one session, one charge in the ledger, one request, one mail, whatever the webhooks do.
async fn pays_once(server: &TestServer) {
    let dana = server.customer().await;
    let checkout = dana.checkout("chat10").await;
    dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
    let session = dana.session_of(&checkout).await;
    server.message_to(&dana.email, "booking_confirmed").await;
    until("the webhooks to have come", async || (server.jobs_left() == 0).then_some(())).await;
    let database = server.database();
    for table in ["sessions", "payments", "session_requests"] {
        assert_eq!(database.count(table, "1 = 1"), 1, "{table}");
    }
    let mails = server.messages_to(&dana.email).await;
    let confirmed = mails.iter().filter(|mail| mail["milestone"] == "booking_confirmed").count();
    assert_eq!(confirmed, 1, "{mails:?}");
    assert_eq!(dana.session(&session).await["payment_status"], Value::from("paid"));
}
