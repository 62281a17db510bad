//! A telephone, and the code that shows whose it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tests::server::run_with;
use tests::twilio::{Asked, FakeTwilio};
use tests::{Answer, Backend, Person, TestServer, on_both, until};

const NUMBER: &str = "+15550100199";

async fn ask(person: &Person, phone: &str) -> Answer {
    person.client.post("/api/me/phone", json!({ "phone": phone })).await
}

async fn verify(person: &Person, code: &str) -> Answer {
    person.client.post("/api/me/phone/verify", json!({ "code": code })).await
}

/// The newest of so many codes that were sent to a number.
async fn code(server: &TestServer, number: &str, sent: usize) -> String {
    let message = until(&format!("{sent} codes to {number}"), async || {
        let messages = server.messages_to(number).await;
        (messages.len() == sent).then(|| messages[0].clone())
    })
    .await;
    assert_eq!((&message["channel"], &message["milestone"]), (&json!("sms"), &json!("phone_code")));
    let text = message["text"].as_str().expect("a text");
    text.split_whitespace().next().expect("a code first").to_owned()
}

/// Shows whose this telephone is.
pub(super) async fn confirm_phone(server: &TestServer, person: &Person, number: &str) {
    ask(person, number).await.expect_status(202);
    verify(person, &code(server, number, 1).await).await.expect_status(204);
}

fn another(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

async fn me(person: &Person) -> Value {
    person.client.get("/api/me").await.expect_status(200).body
}

fn retry_after(answer: &Answer) -> u64 {
    let value = answer.headers.get("retry-after").and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no Retry-After: {answer:?}"))
}

on_both! {
    async fn a_code_shows_whose_a_telephone_is_and_another_number_starts_anew(server) {
        let dana = server.customer().await;
        assert_eq!(me(&dana).await["phone_verified"], false);
        ask(&dana, "+1 (555) 010-0199").await.expect_status(202);
        let found = me(&dana).await;
        assert_eq!((&found["phone"], &found["phone_verified"]), (&json!(NUMBER), &json!(false)));
        let code = code(server, NUMBER, 1).await;
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        verify(&dana, another(&code)).await.refused(422, "invalid_code");
        verify(&dana, &format!(" {} {} ", &code[..3], &code[3..])).await.expect_status(204);
        assert_eq!(me(&dana).await["phone_verified"], true);
        verify(&dana, &code).await.refused(422, "invalid_code");
        ask(&dana, NUMBER).await.expect_status(202);
        assert_eq!(server.messages_to(NUMBER).await.len(), 1, "what is confirmed needs no code");

        let change = |phone: &str| dana.client.send(Method::PATCH, "/api/me", Some(json!({ "phone": phone })));
        let same = change(NUMBER).await.expect_status(200);
        assert_eq!(same.body["phone_verified"], true);
        let other = change("+15550100111").await.expect_status(200);
        assert_eq!((&other.body["phone"], &other.body["phone_verified"]), (&json!("+15550100111"), &json!(false)));
        let gone = change("").await.expect_status(200);
        assert_eq!((&gone.body["phone"], &gone.body["phone_verified"]), (&Value::Null, &json!(false)));
    }

    async fn a_code_is_sent_once_a_minute_and_five_times_a_day(server) {
        let dana = server.customer().await;
        for bad in ["", "call me", "0171 1234567", "+0171 1234567", "+1234567890123456"] {
            let answer = ask(&dana, bad).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.body["errors"][0]["field"], "phone");
        }
        ask(&dana, NUMBER).await.expect_status(202);
        for other in [NUMBER, "+15550100111"] {
            let answer = ask(&dana, other).await;
            answer.refused(429, "too_many_requests");
            assert!((1..=60).contains(&retry_after(&answer)), "{answer:?}");
        }
        for sent in 2..=5 {
            server.advance_clock(61).await;
            ask(&dana, NUMBER).await.expect_status(202);
            code(server, NUMBER, sent).await;
        }
        server.advance_clock(61).await;
        let answer = ask(&dana, NUMBER).await;
        answer.refused(429, "too_many_requests");
        let wait = retry_after(&answer);
        assert!((80_000..=86_400).contains(&wait), "{wait}");
        server.advance_clock(u32::try_from(wait).expect("a day at most") + 1).await;
        ask(&dana, NUMBER).await.expect_status(202);
        code(server, NUMBER, 6).await;
    }

    async fn a_code_works_ten_minutes_five_tries_and_only_until_the_next_one(server) {
        let dana = server.customer().await;
        ask(&dana, NUMBER).await.expect_status(202);
        let first = code(server, NUMBER, 1).await;
        server.advance_clock(61).await;
        ask(&dana, NUMBER).await.expect_status(202);
        let second = code(server, NUMBER, 2).await;
        if first != second {
            verify(&dana, &first).await.refused(422, "invalid_code");
        }
        for _ in 0..5 {
            verify(&dana, another(&second)).await.refused(422, "invalid_code");
        }
        verify(&dana, &second).await.refused(422, "invalid_code");
        server.advance_clock(61).await;
        ask(&dana, NUMBER).await.expect_status(202);
        let third = code(server, NUMBER, 3).await;
        let carl = server.customer().await;
        verify(&carl, &third).await.refused(422, "invalid_code");
        server.advance_clock(601).await;
        verify(&dana, &third).await.refused(422, "invalid_code");
        assert_eq!(me(&dana).await["phone_verified"], false);
    }

    async fn neither_the_code_nor_the_number_stands_in_a_job_or_a_delivery(server) {
        let dana = server.customer().await;
        ask(&dana, NUMBER).await.expect_status(202);
        code(server, NUMBER, 1).await;
        let number = NUMBER.trim_start_matches('+');
        let text = |column: &str| format!("CAST({column} AS text) LIKE '%{number}%'");
        assert_eq!(server.database().count("jobs", &text("payload")), 0);
        assert_eq!(server.database().count("deliveries", &text("send_once_key")), 0);
    }
}

fn with_twilio(backend: Backend, body: impl AsyncFnOnce(&TestServer, &FakeTwilio)) {
    let twilio = FakeTwilio::start();
    let settings = [
        ("PITLANE_SMS__PROVIDER", "twilio"),
        ("PITLANE_SMS__TWILIO_API_BASE", twilio.url.as_str()),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_API_KEY", "SK1"),
        ("TWILIO_API_SECRET", "key-secret-of-the-test"),
        ("TWILIO_FROM", "+15550100100"),
    ];
    run_with(backend, &settings, async |server| body(server, &twilio).await);
}

/// So many text messages to a number, taken or not.
async fn texts(twilio: &FakeTwilio, number: &str, count: usize) -> Vec<Asked> {
    until(&format!("{count} text messages to {number}"), async || {
        let texts = twilio.texts_to(number);
        (texts.len() == count).then_some(texts)
    })
    .await
}

async fn delivery_becomes(server: &TestServer, condition: &str) {
    until(condition, async || {
        let found = server.database().count("deliveries", &format!("channel = 'sms' AND {condition}"));
        (found == 1).then_some(())
    })
    .await;
}

async fn a_text_message_goes_through_twilio(server: &TestServer, twilio: &FakeTwilio) {
    let dana = server.customer().await;
    // Busy: nothing was sent, so it is tried again.
    twilio.fail_text(429, 20429, "Too Many Requests");
    ask(&dana, NUMBER).await.expect_status(202);
    server.advance_clock(5).await;
    let texts_sent = texts(twilio, NUMBER, 2).await;
    let text = &texts_sent[1];
    assert_eq!(text, &texts_sent[0], "the same once more");
    let basic = format!("Basic {}", STANDARD.encode("SK1:key-secret-of-the-test"));
    assert_eq!((text.authorization.as_str(), text.field("From")), (basic.as_str(), "+15550100100"));
    delivery_becomes(server, "status = 'sent' AND provider_ref = 'SM2'").await;
    let code = text.field("Body").split_whitespace().next().expect("a code first");
    verify(&dana, code).await.expect_status(204);
    assert_eq!(me(&dana).await["phone_verified"], true);
    assert!(server.messages_to(NUMBER).await.is_empty(), "none lies in the mailbox");

    // Refused for good, with Twilio's number for it and without the telephone's.
    let carl = server.customer().await;
    twilio.fail_text(400, 21211, "The 'To' number +15550100177 is not a valid phone number.");
    ask(&carl, "+15550100177").await.expect_status(202);
    delivery_becomes(server, "status = 'failed' AND last_error LIKE '%(21211)%'").await;
    assert_eq!(server.database().count("deliveries", "last_error LIKE '%15550100177%'"), 0);

    // Lost in the middle: it may have gone out, so it does not go out twice.
    let eve = server.customer().await;
    twilio.fail_text(500, 20500, "Internal Server Error");
    ask(&eve, "+15550100188").await.expect_status(202);
    delivery_becomes(server, "status = 'unknown' AND last_error LIKE 'not sent again%'").await;
    assert_eq!(twilio.texts_to("+15550100177").len(), 1);
    assert_eq!(twilio.texts_to("+15550100188").len(), 1);

    let log = server.log();
    for hidden in ["15550100199", "15550100177", "15550100188", "key-secret-of-the-test"] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
    assert!(log.contains("21211") && log.contains("20500"), "the reasons are");
}

#[test]
fn a_text_message_goes_through_twilio_on_sqlite() {
    with_twilio(Backend::Sqlite, a_text_message_goes_through_twilio);
}

#[test]
fn a_text_message_goes_through_twilio_on_postgres() {
    with_twilio(Backend::Postgres, a_text_message_goes_through_twilio);
}
