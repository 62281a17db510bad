//! More time for money, what is earned, what an admin sends back, disputes, and video that never came about.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::money::{GOOD_CARD, Meeting};
use tests::server::run_with;
use tests::{Backend, Person, TestServer, on_both, until};

/// A started session of a customer whose card is kept.
pub async fn meeting_with_card(server: &TestServer) -> Meeting {
    let (customer, mechanic) = (server.customer().await, server.mechanic().await);
    let session = customer.session_with_card("chat10", GOOD_CARD).await;
    mechanic.accept(&session).await;
    mechanic.step(&session, "start").await.expect_status(200);
    Meeting { customer, mechanic, session }
}

/// Makes the session video; answers the charge.
pub async fn upgrade(dana: &Person, session: &str) -> String {
    let body = json!({ "session_id": session, "upgrade_amount": 20.00 });
    let paid = dana.client.post("/api/sessions/upgrade/payment", body).await.expect_status(200);
    let intent = paid.text_at("payment_intent_id");
    let body = json!({ "payment_intent_id": intent });
    let path = format!("/api/sessions/{session}/upgrade");
    dana.client.send(Method::PATCH, &path, Some(body)).await.expect_status(200);
    intent
}

/// What the ledger holds on an account, in cents; credits are negative.
pub fn balance(server: &TestServer, account: &str) -> i64 {
    let query = format!(
        "SELECT CAST(coalesce(sum(amount_cents), 0) AS bigint) AS number FROM ledger_entries WHERE account = '{account}'"
    );
    server.database().number(&query)
}

async fn refunds_done(server: &TestServer, count: i64) {
    until("the refunds", async || {
        (server.database().count("refunds", "status = 'succeeded'") == count).then_some(())
    })
    .await;
}

on_both! {
    async fn ten_minutes_more_cost_what_a_chat_costs_and_come_at_once(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server).await;
        let before = dana.session(&session).await;
        let path = format!("/api/sessions/{session}/extend");
        let after = dana.client.post_nothing(&path).await.expect_status(200).body;
        assert_eq!(time(&after["deadline_at"]) - time(&before["deadline_at"]), 600);
        assert_eq!(
            (&after["extension_price_cents"], &after["total_price_cents"], &after["payment_status"]),
            (&999.into(), &1_998.into(), &"paid".into())
        );
        let events = max.events(&session).await;
        let line = events.iter().find(|event| event["kind"] == "extended").expect("both read it");
        assert_eq!(line["body"]["minutes"], 10);
        dana.client.post_nothing(&path).await.expect_status(200);
        assert_eq!(dana.session(&session).await["extension_price_cents"], 1_998);
        max.client.post_nothing(&path).await.refused(403, "wrong_role");
        server.customer().await.client.post_nothing(&path).await.refused(404, "not_found");
        dana.step(&session, "end").await.expect_status(200);
        dana.client.post_nothing(&path).await.refused(409, "invalid_transition");
    }

    async fn many_taps_at_once_buy_one_extension(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        let path = format!("/api/sessions/{session}/extend");
        let answers =
            futures_util::future::join_all((0..10).map(|_| dana.client.post_once(&path, "tap", json!({})))).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        assert_eq!(dana.session(&session).await["extension_price_cents"], 999);
        assert_eq!(server.database().count("session_extensions", "price_cents = 999"), 1);
    }

    async fn without_a_card_more_time_is_paid_on_a_page(server) {
        let Meeting { customer: dana, session, .. } = server.meeting().await;
        let asked = dana.client.post_nothing(&format!("/api/sessions/{session}/extend")).await;
        asked.refused(402, "payment_action_required");
        let id = asked.text_at("checkout_url").rsplit('/').next().expect("an id").to_owned();
        let form = [("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")];
        dana.client.post_form(&format!("/sandbox/checkout/{id}/pay"), &form).await.expect_status(303);
        until("the time", async || {
            (dana.session(&session).await["extension_price_cents"] == 999).then_some(())
        })
        .await;
    }

    async fn a_spent_key_spends_no_more_though_its_answer_was_lost(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        let admin = server.admin().await;
        let (more, back) =
            (format!("/api/sessions/{session}/extend"), format!("/api/admin/sessions/{session}/refund"));
        let refund = json!({ "amount_cents": 500, "reason": "It was short." });
        for _ in 0..3 {
            dana.client.post_once(&more, "tap", json!({})).await.expect_status(200);
            admin.client.post_once(&back, "tap", refund.clone()).await.expect_status(200);
            // What a process leaves that dies when everything is committed but the answer.
            let nobody = if server.database().is_sqlite() { "zeroblob(16)" } else { "decode(repeat('00', 16), 'hex')" };
            let lost = format!("UPDATE idempotency_keys SET status = NULL, body = NULL, holder = {nobody}");
            assert_eq!(server.database().execute(&lost), Ok(()));
        }
        let other = json!({ "amount_cents": 501, "reason": "It was short." });
        admin.client.post_once(&back, "tap", other).await.refused(422, "idempotency_mismatch");
        assert_eq!(server.database().count("session_extensions", "price_cents = 999"), 1);
        refunds_done(server, 1).await;
        dana.client.post_once(&more, "another", json!({})).await.expect_status(200);
        assert_eq!(server.database().count("session_extensions", "price_cents = 999"), 2);
    }

    async fn the_log_tells_of_the_money(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server).await;
        upgrade(&dana, &session).await;
        dana.client.post_nothing(&format!("/api/sessions/{session}/extend")).await.expect_status(200);
        dana.step(&session, "end").await.expect_status(200);
        let admin = server.admin().await;
        let body = json!({ "amount_cents": 1_500, "reason": "The call broke off." });
        admin.client.post(&format!("/api/admin/sessions/{session}/refund"), body).await.expect_status(200);
        refunds_done(server, 2).await;
        let told = async || -> Vec<Value> {
            let events = max.events(&session).await;
            let money = events.into_iter().filter(|event| event["kind"] == "payment");
            money.map(|event| json!([event["actor"]["role"], event["body"]])).collect()
        };
        let line = |role: &str, status: &str, purchase: &str, cents: u64| {
            json!([role, { "status": status, "purchase": purchase, "amount_cents": cents, "currency": "usd" }])
        };
        let mut expected = vec![
            line("customer", "paid", "session", 999),
            line("customer", "paid", "upgrade", 2_000),
            line("customer", "paid", "extension", 999),
        ];
        let paid = told().await;
        assert_eq!(paid[..3], expected);
        expected.extend([line("system", "refunded", "extension", 999), line("system", "refunded", "upgrade", 501)]);
        let mut all = told().await;
        assert_eq!(all.len(), expected.len(), "{all:?}");
        let by_amount = |line: &Value| line[1]["amount_cents"].as_u64();
        all[3..].sort_by_key(|line| std::cmp::Reverse(by_amount(line)));
        assert_eq!(all, expected);
        for (person, path) in [(&dana, "transcript"), (&max, "transcript")] {
            let page = person.client.get(&format!("/sessions/{session}/{path}")).await.expect_status(200).text;
            for part in ["Dana Driver paid $9.99.", "Dana Driver paid $20.00.", "$5.01 went back to the card."] {
                assert!(page.contains(part), "no {part:?} on {path}: {page}");
            }
        }
    }

    async fn what_was_paid_is_earned_when_the_session_is_over_and_a_part_goes_back_by_an_admin(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        upgrade(&dana, &session).await;
        assert_eq!(balance(server, "provider_payable"), 0, "nothing is earned before");
        dana.step(&session, "end").await.expect_status(200);
        // A fifth of 9.99 and of 20.00 is the platform's.
        assert_eq!((balance(server, "platform_revenue"), balance(server, "provider_payable")), (-600, -2_399));
        assert_eq!(balance(server, "deferred_revenue"), 0);

        let admin = server.admin().await;
        let path = format!("/api/admin/sessions/{session}/refund");
        dana.client.post(&path, json!({ "reason": "x" })).await.refused(403, "wrong_role");
        for wrong in [json!({ "reason": " " }), json!({ "reason": "x".repeat(501) })] {
            admin.client.post(&path, wrong).await.refused(422, "invalid");
        }
        for (amount, status, code) in
            [(0, 422, "invalid"), (-1, 422, "invalid"), (3_000, 409, "refund_exceeds_payment")]
        {
            let body = json!({ "amount_cents": amount, "reason": "The call broke off." });
            admin.client.post(&path, body).await.refused(status, code);
        }
        let body = json!({ "amount_cents": 500, "reason": "The call broke off." });
        let answer = admin.client.post(&path, body).await.expect_status(200);
        assert_eq!(answer.body["payment_status"], "partially_refunded");
        refunds_done(server, 1).await;
        assert_eq!((balance(server, "platform_revenue"), balance(server, "provider_payable")), (-500, -1_999));
        let rest = admin.client.post(&path, json!({ "reason": "All of it." })).await.expect_status(200);
        assert_eq!(rest.body["payment_status"], "refunded");
        refunds_done(server, 3).await;
        assert_eq!((balance(server, "platform_revenue"), balance(server, "provider_payable")), (0, 0));
        assert_eq!(balance(server, "stripe_clearing"), 0, "everything went back");
        admin.client.post(&path, json!({ "reason": "Once more." })).await.refused(409, "refund_exceeds_payment");
        assert_eq!(server.database().count("audit_log", "action = 'session.refund'"), 2);
    }

    async fn video_that_never_came_about_is_not_charged(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        upgrade(&dana, &session).await;
        server.advance_clock(121).await;
        dana.step(&session, "end").await.expect_status(200);
        refunds_done(server, 1).await;
        assert_eq!(server.database().count("refunds", "reason = 'no_video' AND amount_cents = 2000"), 1);
        let mail = server.message_to(&dana.email, "refunded").await;
        let text = mail["text"].as_str().unwrap_or_default();
        assert!(text.contains("never came about") && text.contains("For: Upgrade to video"), "{mail}");
        assert_eq!(mail["subject"], "$20.00 is on its way back to you: Upgrade to video");
        assert_eq!(balance(server, "provider_payable"), -799, "the chat is earned");

        let Meeting { customer: carl, mechanic: mia, session } = meeting_with_card(server).await;
        upgrade(&carl, &session).await;
        for person in [&carl, &mia] {
            let body = json!({ "state": "connected", "connection_id": person.name });
            let answer = person.client.post(&format!("/api/sessions/{session}/media"), body).await;
            assert!(answer.status < 300, "{answer:?}");
        }
        server.advance_clock(200).await;
        carl.step(&session, "end").await.expect_status(200);
        server.judge().await;
        assert_eq!(server.database().count("refunds", "reason = 'no_video'"), 1, "they saw each other");
    }

    async fn a_dispute_freezes_what_was_earned_until_it_is_won(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        let intent = upgrade(&dana, &session).await;
        dana.step(&session, "end").await.expect_status(200);
        let dispute = server.dispute(&intent).await;
        until("the dispute", async || {
            (dana.session(&session).await["payment_status"] == "disputed").then_some(())
        })
        .await;
        assert_eq!(server.database().count("provider_earnings", "frozen"), 1);
        assert_eq!(balance(server, "disputes_held"), 2_000);
        let admin = server.admin().await;
        let list = admin.client.get("/api/admin/disputes").await.expect_status(200);
        let case = &list.body["items"][0];
        assert_eq!(
            (&case["provider_id"], &case["session_id"], &case["status"], &case["amount_cents"]),
            (&dispute.as_str().into(), &session.as_str().into(), &"open".into(), &2_000.into())
        );
        assert!(case["due_at"].is_string() && case["evidence"].is_string(), "{case}");
        admin.client.get(case["evidence"].as_str().expect("a page")).await.expect_status(200);

        let path = format!("/sandbox/disputes/{dispute}/decide");
        server.guest().post(&path, json!({ "outcome": "won" })).await.expect_status(200);
        until("the verdict", async || {
            (dana.session(&session).await["payment_status"] == "paid").then_some(())
        })
        .await;
        assert_eq!(server.database().count("provider_earnings", "frozen"), 0);
        assert_eq!(balance(server, "disputes_held"), 0);
    }

    async fn a_lost_dispute_stays_frozen_and_is_a_loss(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        let intent = upgrade(&dana, &session).await;
        dana.step(&session, "end").await.expect_status(200);
        let dispute = server.dispute(&intent).await;
        let path = format!("/sandbox/disputes/{dispute}/decide");
        server.guest().post(&path, json!({ "outcome": "lost" })).await.expect_status(200);
        until("the verdict", async || {
            (server.database().count("disputes", "status = 'lost'") == 1).then_some(())
        })
        .await;
        assert_eq!((balance(server, "disputes_held"), balance(server, "dispute_losses")), (0, 2_000));
        assert_eq!(server.database().count("provider_earnings", "frozen"), 1);
        assert_eq!(dana.session(&session).await["payment_status"], "disputed");
    }
}

/// A text of an instant, in Unix seconds.
fn time(value: &Value) -> i64 {
    let text = value.as_str().expect("an instant");
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .expect("an instant")
        .unix_timestamp()
}

/// A tap whose process dies sooner or later, and the same tap again.
async fn killed_amid_extensions(server: &mut TestServer) {
    let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
    server.control_webhooks(json!({ "drop": true })).await;
    let path = format!("/api/sessions/{session}/extend");
    let taps = [1, 6, 12, 25];
    for millis in taps {
        let key = format!("tap-{millis}");
        let request =
            dana.client.request(Method::POST, &path).header("idempotency-key", &key).json(&json!({}));
        let killing = async {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            server.kill9_now();
        };
        // Whatever came of it, nobody heard of it.
        let _ = futures_util::future::join(request.send(), killing).await;
        server.reap();
        server.recover().await;
        until("the same tap to be answered", async || {
            (dana.client.post_once(&path, &key, json!({})).await.status == 200).then_some(())
        })
        .await;
    }
    let count = i64::try_from(taps.len()).expect("a few");
    let bought = until("every tap to be there", async || {
        let session = dana.session(&session).await;
        session["extension_price_cents"].as_i64().filter(|cents| *cents >= 999 * count)
    })
    .await;
    server.advance_clock(31).await;
    assert_eq!(bought, 999 * count);
    assert_eq!(server.database().count("session_extensions", "price_cents = 999"), count);
    assert_eq!(
        server.database().count("payments", "amount_cents = 999"),
        1 + count,
        "the chat, and each tap once"
    );
    assert_eq!(server.database().count("refunds", "1 = 1"), 0);
}

#[test]
fn a_crash_amid_extensions_buys_each_once_on_sqlite() {
    run_with(Backend::Sqlite, &[], killed_amid_extensions);
}

#[test]
fn a_crash_amid_extensions_buys_each_once_on_postgres() {
    run_with(Backend::Postgres, &[], killed_amid_extensions);
}
