//! A chat becomes video for the difference: every way to pay, every order in which the news may come, and once.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::money::{GOOD_CARD, Meeting};
use tests::server::run_with;
use tests::{Answer, Backend, Person, TestServer, on_both, until};

use super::phones::confirm_phone;

pub async fn pay(person: &Person, session: &str, amount: f64) -> Answer {
    let body = json!({ "session_id": session, "upgrade_amount": amount });
    person.client.post("/api/sessions/upgrade/payment", body).await
}

async fn upgrade(person: &Person, session: &str, intent: &str) -> Answer {
    let body = json!({ "payment_intent_id": intent });
    person.client.send(Method::PATCH, &format!("/api/sessions/{session}/upgrade"), Some(body)).await
}

/// A running chat whose customer's card is kept.
async fn meeting_with_card(server: &TestServer, card: &str) -> Meeting {
    let (customer, mechanic) = (server.customer().await, server.mechanic().await);
    let session = customer.session_with_card("chat10", card).await;
    mechanic.accept(&session).await;
    mechanic.step(&session, "start").await.expect_status(200);
    Meeting { customer, mechanic, session }
}

async fn is_video(person: &Person, session: &str) {
    until("the session to be video", async || {
        (person.session(session).await["session_type"] == "upgraded_from_chat").then_some(())
    })
    .await;
}

/// How many successful charges of 20 dollars the provider has made for this session.
async fn charges(server: &TestServer, session: &str) -> usize {
    let list = server.provider().get("/v1/payment_intents?limit=100").await.expect_status(200);
    let intents = list.body["data"].as_array().expect("a list").clone();
    let of_session = |intent: &&Value| {
        intent["metadata"]["session_id"] == session
            && intent["status"] == "succeeded"
            && intent["amount"] == 2_000
    };
    intents.iter().filter(of_session).count()
}

/// Keeps a card for somebody, as the provider's own dashboard could.
pub async fn keep(server: &TestServer, person: &Person, card: &str) {
    let found =
        server.provider().get(&format!("/v1/customers?email={}", person.email)).await.expect_status(200);
    let customer = found.body["data"][0]["id"].as_str().expect("a customer").to_owned();
    let path = format!("/v1/payment_methods/{card}/attach");
    server.provider().post_form(&path, &[("customer", customer.as_str())]).await.expect_status(200);
}

/// How many charges of this session wait for a card or for its holder.
async fn open_intents(server: &TestServer, session: &str) -> usize {
    let list = server.provider().get("/v1/payment_intents?limit=100").await.expect_status(200);
    let intents = list.body["data"].as_array().expect("a list").clone();
    let waits = |intent: &&Value| {
        intent["metadata"]["session_id"] == session
            && intent["metadata"]["upgrade_type"] == "chat_to_video"
            && matches!(
                intent["status"].as_str(),
                Some("requires_payment_method" | "requires_action" | "requires_confirmation")
            )
    };
    // The page's own payment is made when the page is, and waits; it is the one that may.
    intents.iter().filter(waits).filter(|intent| !intent["last_payment_error"].is_null()).count()
}

async fn kinds(person: &Person, session: &str) -> Vec<String> {
    let events = person.events(session).await;
    events.iter().map(|event| event["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What becomes of a payment with a card.
#[derive(Clone, Copy)]
enum Course {
    Pays,
    Declines,
    Authenticates,
    Later,
    FailsLater,
}

/// Every card that the sandbox knows.
const CARDS: [(&str, Course); 21] = [
    ("4242424242424242", Course::Pays),
    ("4000000000000002", Course::Declines),
    ("4000000000009995", Course::Declines),
    ("4000002500003155", Course::Authenticates),
    ("4000002760003184", Course::Authenticates),
    ("4000000000000077", Course::Later),
    ("4000000000000119", Course::FailsLater),
    ("4000000000005126", Course::Pays),
    ("4000000000007726", Course::Pays),
    ("4000000000000259", Course::Pays),
    ("4000000000002685", Course::Pays),
    ("4000000000001976", Course::Pays),
    ("4000003720000278", Course::Pays),
    ("4000000000000341", Course::Declines),
    ("4000000000009987", Course::Declines),
    ("4000000000009979", Course::Declines),
    ("4000000000000069", Course::Declines),
    ("4000000000000127", Course::Declines),
    ("4000056655665556", Course::Pays),
    ("5555555555554444", Course::Pays),
    ("378282246310005", Course::Pays),
];

/// The payment page that a refused charge leads to.
fn page_of(asked: &Answer) -> String {
    asked.refused(402, "payment_action_required");
    asked.text_at("checkout_url").rsplit('/').next().expect("an id").to_owned()
}

/// How many attempts are made at once.
const ATTEMPTS: usize = 200;

const MECHANICS_NUMBER: &str = "+15550100777";

async fn one_charge_and_one_upgrade_come_of_two_hundred_attempts(server: &TestServer) {
    let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
    let paid = futures_util::future::join_all((0..ATTEMPTS).map(|_| pay(&dana, &session, 20.00))).await;
    let mut intents = HashSet::new();
    for answer in &paid {
        match answer.status {
            200 => drop(intents.insert(answer.text_at("payment_intent_id"))),
            // The webhook was faster than this call.
            409 => answer.refused(409, "upgrade_not_allowed"),
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!(intents.len(), 1, "{intents:?}");
    let intent = intents.into_iter().next().expect("one");
    let upgraded =
        futures_util::future::join_all((0..ATTEMPTS).map(|_| upgrade(&dana, &session, &intent))).await;
    for answer in &upgraded {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    is_video(&dana, &session).await;
    assert_eq!(charges(server, &session).await, 1);
    let told = kinds(&dana, &session).await;
    assert_eq!(told.iter().filter(|kind| *kind == "session_upgraded").count(), 1, "{told:?}");
}

// One person asks for more here than any person does.
const UNLIMITED: [(&str, &str); 2] =
    [("PITLANE_LIMITS__PERSON_PER_SECOND", "0"), ("PITLANE_LIMITS__ADDRESS_PER_SECOND", "0")];

#[test]
fn one_charge_and_one_upgrade_come_of_two_hundred_attempts_on_sqlite() {
    run_with(Backend::Sqlite, &UNLIMITED, async |server| {
        one_charge_and_one_upgrade_come_of_two_hundred_attempts(server).await;
    });
}

#[test]
fn one_charge_and_one_upgrade_come_of_two_hundred_attempts_on_postgres() {
    run_with(Backend::Postgres, &UNLIMITED, async |server| {
        one_charge_and_one_upgrade_come_of_two_hundred_attempts(server).await;
    });
}

on_both! {
    async fn the_first_seeds_two_calls_upgrade_a_running_chat(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server, GOOD_CARD).await;
        let offer = dana.client.get(&format!("/api/sessions/{session}/upgrade")).await.expect_status(200);
        assert_eq!(offer.body, json!({
            "can_upgrade": true, "reason": null, "upgrade_fee_cents": 2000,
            "total_after_upgrade_cents": 2999, "currency": "usd",
        }));
        let before = dana.session(&session).await;
        let mut socket = max.socket(server).await;
        socket.join(&max.channel("mechanic"), 0).await;

        let paid = pay(&dana, &session, 20.00).await.expect_status(200);
        let intent = paid.text_at("payment_intent_id");
        assert!(paid.text.contains(r#""upgrade_amount":20.00"#), "{paid:?}");
        assert_eq!(
            (&paid.body["success"], &paid.body["message"]),
            (&true.into(), &"Payment processed successfully".into())
        );
        let upgraded = upgrade(&dana, &session, &intent).await.expect_status(200);
        assert_eq!(upgraded.body["message"], "Session upgraded to video successfully");
        for price in [r#""base_price":9.99"#, r#""upgrade_price":20.00"#, r#""total_price":29.99"#] {
            assert!(upgraded.text.contains(price), "{price} in {upgraded:?}");
        }
        assert_eq!(upgraded.body["session"]["session_type"], "upgraded_from_chat");
        assert_eq!(upgraded.body["session"]["id"], session.as_str());
        assert_eq!(upgrade(&dana, &session, &intent).await.expect_status(200).body, upgraded.body, "again");

        let told = socket.of_type("session_upgraded").await;
        assert_eq!(
            (&told["session_id"], &told["customer_name"], &told["new_type"]),
            (&session.as_str().into(), &dana.name.as_str().into(), &"video".into())
        );
        assert!(told["upgrade_time"].is_string() && told["event_id"].is_string(), "{told}");
        let events = dana.events(&session).await;
        let line = events.iter().find(|event| event["kind"] == "session_upgraded").expect("a line");
        assert_eq!(line["seq"], told["seq"]);
        assert_eq!(
            (&line["body"]["new_type"], &line["body"]["upgrade_price_cents"], &line["body"]["total_price_cents"]),
            (&"video".into(), &2_000.into(), &2_999.into())
        );

        let after = dana.session(&session).await;
        assert_eq!(
            (&after["session_type"], &after["modality"], &after["plan"]),
            (&"upgraded_from_chat".into(), &"video".into(), &"chat10".into())
        );
        assert_eq!(
            (&after["base_price_cents"], &after["upgrade_price_cents"], &after["total_price_cents"]),
            (&999.into(), &2_000.into(), &2_999.into())
        );
        assert_eq!(after["payment_status"], "paid");
        assert_ne!(before["deadline_at"], after["deadline_at"], "twenty minutes longer");
        assert_eq!(
            (&after["can_upgrade"], &after["upgrade_reason"]),
            (&false.into(), &"Only chat sessions can be upgraded".into())
        );
        assert_eq!(charges(server, &session).await, 1);
        // The booking has a receipt of its own, which may have come before this one.
        until("the receipt of the upgrade", async || {
            let mails = server.messages_to(&dana.email).await;
            let of_it = |mail: &Value| mail["text"].as_str().is_some_and(|text| text.contains("Upgrade to video: $20.00"));
            mails.iter().any(|mail| mail["milestone"] == "receipt" && of_it(mail)).then_some(())
        })
        .await;
        assert_eq!(server.database().count("crm_interactions", "interaction_type = 'session_upgraded'"), 1);
        // Paid for, done: everything else is refused, and says why.
        pay(&dana, &session, 20.00).await.refused(409, "upgrade_not_allowed");
        upgrade(&dana, &session, "pi_unknown").await.refused(409, "upgrade_not_allowed");
    }

    async fn the_webhook_alone_is_enough(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
        server.control_webhooks(json!({ "duplicate": true, "reorder": true })).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        is_video(&dana, &session).await;
        upgrade(&dana, &session, &intent).await.expect_status(200);
        assert_eq!(charges(server, &session).await, 1);
    }

    async fn without_webhooks_the_second_call_is_enough_and_without_both_somebody_asks(server) {
        server.control_webhooks(json!({ "drop": true })).await;
        let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        assert_eq!(dana.session(&session).await["session_type"], "chat", "nobody has told yet");
        upgrade(&dana, &session, &intent).await.expect_status(200);

        let other = dana.session_with_card("chat10", GOOD_CARD).await;
        pay(&dana, &other, 20.00).await.expect_status(200);
        server.advance_clock(31).await;
        is_video(&dana, &other).await;
        assert_eq!(charges(server, &other).await, 1);
    }

    async fn before_it_starts_and_before_anybody_has_accepted(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.session_with_card("chat10", GOOD_CARD).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        upgrade(&dana, &session, &intent).await.expect_status(200);
        max.accept(&session).await;
        let started = max.step(&session, "start").await.expect_status(200);
        assert_eq!(started.body["modality"], "video");
        let seconds = |field: &str| time(&started.body[field]);
        assert_eq!(seconds("deadline_at") - seconds("started_at"), 30 * 60, "as for a direct video booking");
    }

    async fn nobody_pays_for_what_cannot_be_had(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server, GOOD_CARD).await;
        for amount in [19.99, 20.01, 0.0, 35.0, 29.99] {
            let answer = pay(&dana, &session, amount).await;
            answer.refused(409, "price_mismatch");
            assert!(answer.body["detail"].as_str().is_some_and(|text| text.contains("$20.00")), "{answer:?}");
        }
        for nonsense in [json!("20.00"), json!(null), json!(-20), json!(20.001), json!([20]), json!(true)] {
            let body = json!({ "session_id": session, "upgrade_amount": nonsense });
            dana.client.post("/api/sessions/upgrade/payment", body).await.refused(422, "invalid");
        }
        pay(&max, &session, 20.00).await.refused(403, "wrong_role");
        let carl = server.customer().await;
        pay(&carl, &session, 20.00).await.refused(404, "not_found");
        let own = carl.session_with_card("chat10", GOOD_CARD).await;
        let intent = pay(&carl, &own, 20.00).await.expect_status(200).text_at("payment_intent_id");
        upgrade(&dana, &session, &intent).await.refused(409, "upgrade_not_allowed");
        upgrade(&dana, &own, &intent).await.refused(404, "not_found");
        upgrade(&max, &session, &intent).await.refused(403, "wrong_role");
        for nonsense in ["", "pi_1/../../customers", "pi_%2e", "x"] {
            upgrade(&dana, &session, nonsense).await.refused(409, "upgrade_not_allowed");
        }
        dana.step(&session, "end").await.expect_status(200);
        let late = pay(&dana, &session, 20.00).await;
        late.refused(409, "upgrade_not_allowed");
        assert_eq!(late.body["detail"], "Cannot upgrade completed session.");
        let video = dana.session_with_card("video15", GOOD_CARD).await;
        let wrong = pay(&dana, &video, 20.00).await;
        wrong.refused(409, "upgrade_not_allowed");
        assert_eq!(wrong.body["detail"], "Only chat sessions can be upgraded.");
        let offer = dana.client.get(&format!("/api/sessions/{video}/upgrade")).await.expect_status(200);
        assert_eq!(offer.body["can_upgrade"], false);
        assert_eq!(charges(server, &session).await, 0);
    }

    async fn without_a_kept_card_the_difference_is_paid_on_a_page(server) {
        let Meeting { customer: dana, session, .. } = server.meeting().await;
        let asked = pay(&dana, &session, 20.00).await;
        asked.refused(402, "payment_action_required");
        let again = pay(&dana, &session, 20.00).await;
        assert_eq!(asked.body["checkout_url"], again.body["checkout_url"], "one open attempt");
        let url = asked.text_at("checkout_url");
        let id = url.rsplit('/').next().expect("an id").to_owned();
        let page = dana.client.get(&format!("/sandbox/checkout/{id}")).await.expect_status(200);
        assert!(page.text.contains("Upgrade to video") && page.text.contains("20.00"), "{page:?}");
        let form = [("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")];
        dana.client.post_form(&format!("/sandbox/checkout/{id}/pay"), &form).await.expect_status(303);
        is_video(&dana, &session).await;
        let resolved = dana.client.get(&format!("/api/sessions/resolve-by-stripe?session_id={id}")).await;
        assert_eq!(resolved.expect_status(200).text_at("session_id"), session);
        assert_eq!(charges(server, &session).await, 1);
    }

    async fn a_card_that_says_no_or_wants_its_holder_leads_to_a_page_and_charges_once(server) {
        for card in ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"] {
            let Meeting { customer: dana, session, .. } = server.meeting().await;
            keep(server, &dana, card).await;
            let id = page_of(&pay(&dana, &session, 20.00).await);
            assert_eq!(open_intents(server, &session).await, 0, "the declined one was given up: {card}");
            let form = [("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")];
            let paid = dana.client.post_form(&format!("/sandbox/checkout/{id}/pay"), &form).await.expect_status(303);
            is_video(&dana, &session).await;
            // Back into the room, and not to the page that thanks for a booking.
            let back = dana.client.get(&paid.location()).await.expect_status(303).location();
            assert_eq!(back, format!("/chat/{session}"));
            let asked = format!("/api/sessions/resolve-by-stripe?session_id={id}");
            assert_eq!(dana.client.get(&asked).await.expect_status(200).text_at("route"), back);
            assert_eq!(charges(server, &session).await, 1, "{card}");
        }
    }

    async fn a_payment_page_does_not_outlive_the_session(server) {
        let Meeting { customer: dana, mechanic: max, session } = server.meeting().await;
        let upgrade = page_of(&pay(&dana, &session, 20.00).await);
        max.step(&session, "end").await.expect_status(200);
        let form = [("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")];
        until("the page to be closed", async || {
            let page = dana.client.get(&format!("/sandbox/checkout/{upgrade}")).await;
            (page.status == 410 || page.text.contains("expired")).then_some(())
        })
        .await;
        let late = dana.client.post_form(&format!("/sandbox/checkout/{upgrade}/pay"), &form).await;
        assert_eq!(late.status, 410, "{late:?}");
        let page = dana.client.get(&format!("/checkout/success?session_id={upgrade}")).await.expect_status(200);
        assert!(page.text.contains("Your session goes on as it was") || page.text.contains("run out"), "{}", page.text);
        assert!(page.text.contains(&format!("/chat/{session}")), "{}", page.text);
        assert_eq!(charges(server, &session).await, 0);
    }

    async fn every_card_of_the_provider_pays_for_one_upgrade_or_says_why_not(server) {
        for (card, course) in CARDS {
            let Meeting { customer: dana, session, .. } = server.meeting().await;
            let page = page_of(&pay(&dana, &session, 20.00).await);
            let pays = async |number: &str| {
                // American Express has four digits.
                let cvc = if number.starts_with('3') { "1234" } else { "123" };
                let form = [("card_number", number), ("exp", "12/34"), ("cvc", cvc)];
                dana.client.post_form(&format!("/sandbox/checkout/{page}/pay"), &form).await
            };
            let answer = pays(card).await;
            match course {
                Course::Pays => drop(answer.expect_status(303)),
                Course::Declines => {
                    answer.expect_status(402);
                    assert_eq!(dana.session(&session).await["session_type"], "chat", "{card}");
                    pays(GOOD_CARD).await.expect_status(303);
                }
                Course::Authenticates => {
                    assert!(answer.expect_status(303).location().contains("authenticate"), "{card}");
                    let confirm = format!("/sandbox/checkout/{page}/authenticate");
                    dana.client.post_form(&confirm, &[("outcome", "complete")]).await.expect_status(303);
                }
                Course::Later => {
                    answer.expect_status(303);
                    assert_eq!(dana.session(&session).await["session_type"], "chat", "{card}");
                    server.advance_clock(30).await;
                }
                Course::FailsLater => {
                    answer.expect_status(303);
                    server.advance_clock(30).await;
                    let again = until("another page", async || {
                        let asked = pay(&dana, &session, 20.00).await;
                        (asked.status == 402).then(|| page_of(&asked)).filter(|other| *other != page)
                    })
                    .await;
                    let form = [("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")];
                    dana.client.post_form(&format!("/sandbox/checkout/{again}/pay"), &form).await.expect_status(303);
                }
            }
            is_video(&dana, &session).await;
            assert_eq!(charges(server, &session).await, 1, "{card}");
        }
    }

    async fn money_that_comes_after_the_end_goes_back(server) {
        server.control_webhooks(json!({ "drop": true })).await;
        let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        dana.step(&session, "end").await.expect_status(200);
        let late = upgrade(&dana, &session, &intent).await;
        late.refused(409, "upgrade_not_allowed");
        server.advance_clock(31).await;
        until("the money to have gone back", async || {
            let list = server.provider().get(&format!("/v1/refunds?payment_intent={intent}")).await;
            let refunds = list.expect_status(200).body["data"].as_array().cloned().unwrap_or_default();
            (refunds.len() == 1 && refunds[0]["amount"] == 2_000).then_some(())
        })
        .await;
        let after = dana.session(&session).await;
        assert_eq!((&after["session_type"], &after["total_price_cents"]), (&"chat".into(), &999.into()));
    }

    async fn a_mechanic_suggests_video_and_the_customer_hears_of_it(server) {
        let Meeting { customer: dana, mechanic: max, session } = server.meeting().await;
        let mut socket = dana.socket(server).await;
        socket.join(&dana.channel("customer"), 0).await;
        let path = format!("/api/sessions/{session}/suggest-upgrade");
        let first = max.client.post_nothing(&path).await.expect_status(201);
        assert_eq!(first.body["kind"], "upgrade_suggested");
        let second = max.client.post_nothing(&path).await.expect_status(200);
        assert_eq!(first.body["id"], second.body["id"], "a moment later it is the same suggestion");
        let note = socket.of_type("notification").await;
        assert_eq!(note["message"], "Your mechanic suggests upgrading to video for better diagnosis.");
        dana.client.post_nothing(&path).await.refused(403, "wrong_role");
        server.customer().await.client.post_nothing(&path).await.refused(404, "not_found");
        server.advance_clock(61).await;
        max.client.post_nothing(&path).await.expect_status(201);
        assert_eq!(kinds(&dana, &session).await.iter().filter(|kind| *kind == "upgrade_suggested").count(), 2);
        max.step(&session, "end").await.expect_status(200);
        max.client.post_nothing(&path).await.refused(409, "session_closed");
    }

    async fn a_mechanic_without_an_open_page_hears_by_mail_and_one_with_a_page_does_not(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server, GOOD_CARD).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        upgrade(&dana, &session, &intent).await.expect_status(200);
        server.advance_clock(21).await;
        let mail = server.message_to(&max.email, "session_upgraded").await;
        assert_eq!(mail["subject"], "Session Upgraded to Video");

        let Meeting { customer: carl, mechanic: mia, session } = meeting_with_card(server, GOOD_CARD).await;
        let mut socket = mia.socket(server).await;
        let channel = mia.channel("mechanic");
        socket.join(&channel, 0).await;
        let intent = pay(&carl, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        upgrade(&carl, &session, &intent).await.expect_status(200);
        let told = socket.of_type("session_upgraded").await;
        socket.send(json!({ "type": "ack", "channel": channel, "event_id": told["event_id"] })).await;
        until("the acknowledgement", async || {
            let acknowledged = server.database().count("personal_notices", "acknowledged_at IS NOT NULL");
            (acknowledged == 1).then_some(())
        })
        .await;
        server.advance_clock(21).await;
        server.judge().await;
        let mails = server.messages_to(&mia.email).await;
        assert!(mails.iter().all(|mail| mail["milestone"] != "session_upgraded"), "{mails:?}");
    }

    async fn a_mechanic_with_a_telephone_hears_by_text_message_too(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server, GOOD_CARD).await;
        confirm_phone(server, &max, MECHANICS_NUMBER).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        upgrade(&dana, &session, &intent).await.expect_status(200);
        server.advance_clock(21).await;
        let message = server.message_to(MECHANICS_NUMBER, "session_upgraded").await;
        assert_eq!(message["channel"], "sms");
        let text = message["text"].as_str().expect("a text");
        assert!(text.starts_with("Customer upgraded to video.") && text.contains(&session), "{text}");
    }

    async fn a_session_that_is_cancelled_gives_all_its_payments_back(server) {
        let dana = server.customer().await;
        let session = dana.session_with_card("chat10", GOOD_CARD).await;
        let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
        upgrade(&dana, &session, &intent).await.expect_status(200);
        dana.step(&session, "cancel").await.expect_status(200);
        until("both payments to have gone back", async || {
            let done = server.database().count("refunds", "status = 'succeeded'");
            (done == 2).then_some(())
        })
        .await;
        assert_eq!(dana.session(&session).await["payment_status"], "refunded");
    }

    async fn the_other_price_book_has_its_own_total(server) {
        let dana = server.customer().await;
        let free = dana.client.post("/api/intake/start", tests::money::intake_body("free")).await;
        let session = free.expect_status(201).text_at("session_id");
        let offer = dana.client.get(&format!("/api/sessions/{session}/upgrade")).await.expect_status(200);
        assert_eq!(
            (&offer.body["upgrade_fee_cents"], &offer.body["total_after_upgrade_cents"]),
            (&2_999.into(), &2_999.into()),
            "nothing was paid, so video costs what it costs"
        );
    }
}

/// A text of an instant, in Unix seconds.
fn time(value: &Value) -> i64 {
    let text = value.as_str().expect("an instant");
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .expect("an instant")
        .unix_timestamp()
}

#[test]
fn on_the_first_price_table_the_seeds_figures_hold_on_sqlite() {
    run_with(Backend::Sqlite, &[("PITLANE_PRICING__ACTIVE_BOOK", "2025-01")], async |server| {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
        let paid = pay(&dana, &session, 20.00).await.expect_status(200);
        let upgraded = upgrade(&dana, &session, &paid.text_at("payment_intent_id")).await.expect_status(200);
        for price in [r#""base_price":15.00"#, r#""upgrade_price":20.00"#, r#""total_price":35.00"#] {
            assert!(upgraded.text.contains(price), "{price} in {upgraded:?}");
        }
    });
}

#[test]
fn a_crash_at_each_step_of_an_upgrade_charges_once_and_upgrades_once() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &[], async |server| {
            let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
            server.control_webhooks(json!({ "drop": true })).await;
            let intent = pay(&dana, &session, 20.00).await.expect_status(200).text_at("payment_intent_id");
            server.crash().await;
            // Somebody has asked about the charge by now; if not, this is the same attempt again.
            let again = pay(&dana, &session, 20.00).await;
            assert!(again.status == 409 || again.text_at("payment_intent_id") == intent, "{again:?}");
            upgrade(&dana, &session, &intent).await.expect_status(200);
            server.crash().await;
            upgrade(&dana, &session, &intent).await.expect_status(200);
            is_video(&dana, &session).await;
            assert_eq!(charges(server, &session).await, 1);
        });
    }
}

#[test]
fn a_crash_amid_the_charge_of_an_upgrade_charges_once() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &[], async |server| {
            for millis in [1, 5, 10, 20, 40] {
                let Meeting { customer: dana, session, .. } = meeting_with_card(server, GOOD_CARD).await;
                server.control_webhooks(json!({ "drop": true })).await;
                let body = json!({ "session_id": session, "upgrade_amount": 20.00 });
                let request = dana.client.request(Method::POST, "/api/sessions/upgrade/payment").json(&body);
                let killing = async {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    server.kill9_now();
                };
                // Whatever came of it, nobody heard of it.
                let _ = futures_util::future::join(request.send(), killing).await;
                server.reap();
                server.recover().await;
                let paid = until("the same attempt to be answered", async || {
                    let answer = pay(&dana, &session, 20.00).await;
                    // Whoever asked what became of the charge has made the switch already.
                    (answer.status == 200 || answer.code() == Some("upgrade_not_allowed")).then_some(answer)
                })
                .await;
                if paid.status == 200 {
                    upgrade(&dana, &session, &paid.text_at("payment_intent_id")).await.expect_status(200);
                }
                is_video(&dana, &session).await;
                server.advance_clock(31).await;
                assert_eq!(charges(server, &session).await, 1, "killed after {millis} ms");
            }
            assert_eq!(server.database().count("refunds", "1 = 1"), 0);
        });
    }
}
