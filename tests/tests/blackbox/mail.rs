//! Mail through a carrier: what it is sent, when it fails, and what it tells afterwards.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tests::money::GOOD_CARD;
use tests::resend::{FakeResend, Sent, WEBHOOK_SECRET, signed};
use tests::{Backend, TestServer, until};

mod batch;

fn with_carrier(body: impl AsyncFnOnce(&mut TestServer, &FakeResend)) {
    with_carrier_on(Backend::Sqlite, body);
}

fn with_carrier_on(backend: Backend, body: impl AsyncFnOnce(&mut TestServer, &FakeResend)) {
    let carrier = FakeResend::start();
    let settings = [
        ("PITLANE_MAIL__PROVIDER", "resend"),
        ("PITLANE_MAIL__API_BASE", carrier.url.as_str()),
        ("PITLANE_MAIL__FROM", "Pitlane <help@pitlane.test>"),
        ("PITLANE_MAIL__SUPPORT_ADDRESS", "people@pitlane.test"),
        ("RESEND_API_KEY", "re_test_key"),
        ("RESEND_WEBHOOK_SECRET", WEBHOOK_SECRET),
    ];
    tests::server::run_with(backend, &settings, async |server| body(server, &carrier).await);
}

fn about(sent: &[Sent], address: &str, milestone: &str) -> Vec<Sent> {
    let tag = json!([{ "name": "milestone", "value": milestone }]);
    let fits = |one: &&Sent| one.body["to"] == json!([address]) && one.body["tags"] == tag;
    sent.iter().filter(fits).cloned().collect()
}

async fn arrives(carrier: &FakeResend, address: &str, milestone: &str) -> Sent {
    until(&format!("{milestone} to {address}"), async || {
        about(&carrier.sent(), address, milestone).into_iter().next()
    })
    .await
}

fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(passed.as_secs()).expect("fits")
}

async fn tell(server: &TestServer, event: Value) -> u16 {
    let body = event.to_string();
    let mut client = server.guest();
    for (name, value) in signed("msg_1", now(), &body) {
        client = client.with_header(name, &value);
    }
    client.post_bytes("/api/resend/webhook", "application/json", body.as_bytes()).await.status
}

#[test]
fn a_mail_goes_to_the_carrier_and_is_tried_again_under_the_same_key() {
    with_carrier(async |server, carrier| {
        carrier.fail_once(500, r#"{"name":"application_error","message":"x"}"#);
        let dana = server.register("customer", "Dana Driver").await;
        let first = arrives(carrier, &dana.email, "verification").await;
        assert_eq!(
            (first.asked.as_str(), first.authorization.as_str()),
            ("POST /emails", "Bearer re_test_key")
        );
        assert_eq!(first.body["from"], "Pitlane <help@pitlane.test>");
        assert_eq!(first.body["reply_to"], "people@pitlane.test");
        assert!(first.body["text"].as_str().expect("text").contains("/auth/verify/"));
        assert!(first.body["html"].as_str().expect("html").contains("<!doctype html>"));
        server.advance_clock(300).await;
        let tries = until("a second try", async || {
            let tries = about(&carrier.sent(), &dana.email, "verification");
            (tries.len() == 2).then_some(tries)
        })
        .await;
        assert!(!first.key.is_empty() && tries[1].key == first.key, "{tries:?}");
        server.advance_clock(86_400).await;
        assert_eq!(
            about(&carrier.sent(), &dana.email, "verification").len(),
            2,
            "it was taken, so that is all"
        );
    });
}

#[test]
fn a_bounce_stops_everything_a_complaint_what_was_not_asked_for_and_a_forged_webhook_nothing() {
    with_carrier(async |server, carrier| {
        let (dana, carl) =
            (server.register("customer", "Dana").await, server.register("customer", "Carl").await);
        arrives(carrier, &dana.email, "verification").await;
        arrives(carrier, &carl.email, "verification").await;
        let bounced = json!({ "type": "email.bounced", "data": { "to": [dana.email], "bounce": { "type": "Permanent" } } });
        let forged = server.guest().with_header("svix-id", "x").with_header("svix-signature", "v1,AAAA");
        let refused = forged.post("/api/resend/webhook", bounced.clone()).await;
        refused.refused(400, "bad_signature");
        assert_eq!(server.database().count("suppressions", "1 = 1"), 0);
        assert_eq!(tell(server, bounced.clone()).await, 200);
        assert_eq!(tell(server, bounced).await, 200);
        assert_eq!(
            tell(server, json!({ "type": "email.delivered", "data": { "to": [carl.email] } })).await,
            200
        );
        let complained = json!({ "type": "email.complained", "data": { "to": [carl.email.to_uppercase()] } });
        assert_eq!(tell(server, complained).await, 200);
        assert_eq!(server.database().count("suppressions", "1 = 1"), 2);

        for person in [&dana, &carl] {
            let asked = json!({ "email": person.email });
            server.guest().post("/api/auth/magic-link", asked).await.expect_status(202);
            let checkout = person.checkout("chat10").await;
            person.pay(&checkout, GOOD_CARD).await.expect_status(303);
            person.session_of(&checkout).await;
        }
        arrives(carrier, &carl.email, "magic_link").await;
        until("the rest to be settled", async || (server.jobs_left() == 0).then_some(())).await;
        let sent = carrier.sent();
        for (address, milestone) in [
            (&dana.email, "magic_link"),
            (&dana.email, "booking_confirmed"),
            (&dana.email, "receipt"),
            (&carl.email, "booking_confirmed"),
        ] {
            assert_eq!(about(&sent, address, milestone), [], "{milestone} to {address}");
        }
        assert_eq!(server.database().count("deliveries", "status = 'suppressed'"), 5);
    });
}

#[test]
fn a_payment_is_followed_by_a_booking_and_a_receipt_and_a_free_session_by_no_receipt() {
    tests::server::run(Backend::Sqlite, async |server| {
        let dana = server.customer().await;
        let free = dana.client.post("/api/intake/start", tests::money::intake_body("free")).await;
        free.expect_status(201);
        server.message_to(&dana.email, "booking_confirmed").await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let receipt = server.message_to(&dana.email, "receipt").await;
        let text = receipt["text"].as_str().expect("text");
        assert!(text.contains("Quick Chat: $9.99") && text.contains("Total: $9.99"), "{text}");
        assert!(text.contains(&format!("/orders/{}/receipt", checkout.order_id)), "{text}");
        let mails = server.messages_to(&dana.email).await;
        assert_eq!(mails.iter().filter(|mail| mail["milestone"] == "receipt").count(), 1);
    });
}
