//! Money that goes back: because somebody cancels, because it came twice or wrongly, because nothing can be made of it,
//! or because somebody at the provider decided so. And the receipts that tell of it.

use serde_json::{Value, json};
use tests::money::{Checkout, GOOD_CARD};
use tests::{Backend, Person, TestServer, on_both, server, until};
use uuid::Uuid;

async fn receipt(person: &Person, order: &str) -> Value {
    person.client.get(&format!("/api/orders/{order}/receipt")).await.expect_status(200).body
}

/// Waits until all the money of an order has gone back.
async fn returned(person: &Person, order: &str) -> Value {
    until("the money to have gone back", async || {
        let answer = person.client.get(&format!("/api/orders/{order}/receipt")).await;
        // There is no receipt before the money has been noticed.
        let refunds = answer.body["refunds"].as_array().cloned().unwrap_or_default();
        let done = !refunds.is_empty() && refunds.iter().all(|refund| refund["status"] == "succeeded");
        done.then_some(answer.body)
    })
    .await
}

/// How many refunds the provider has made of a payment page's payment, and their sum.
async fn refunded_at_provider(server: &TestServer, checkout: &Checkout) -> (usize, i64) {
    let intent = server.intent_of(checkout).await;
    let list =
        server.provider().get(&format!("/v1/refunds?payment_intent={intent}")).await.expect_status(200);
    let refunds = list.body["data"].as_array().expect("a list").clone();
    (refunds.len(), refunds.iter().filter_map(|refund| refund["amount"].as_i64()).sum())
}

/// A payment page that the provider made for our order behind our back.
async fn foreign_page(server: &TestServer, order: &str, cents: &str) -> Checkout {
    let success = format!("{}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}", server.url());
    let fields = [
        ("mode", "payment"),
        ("success_url", success.as_str()),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", cents),
        ("line_items[0][price_data][product_data][name]", "Quick Chat"),
        ("metadata[order_id]", order),
    ];
    let page = server.provider().post_form("/v1/checkout/sessions", &fields).await.expect_status(200);
    Checkout { order_id: order.to_owned(), id: page.text_at("id"), url: page.text_at("url") }
}

on_both! {
    async fn a_customer_hears_of_a_refund_on_their_own_channel(server) {
        let dana = server.customer().await;
        let session = dana.paid_session("chat10").await;
        let mut socket = dana.socket(server).await;
        socket.join(&dana.channel("customer"), 0).await;
        dana.step(&session, "cancel").await.expect_status(200);
        let frame = socket.of_type("refunded").await;
        assert_eq!((&frame["session_id"], &frame["amount_cents"]), (&json!(session), &json!(999)));
        assert_eq!(frame["currency"], "usd");
    }

    async fn cancelling_before_anybody_accepts_sends_everything_back(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let paid = receipt(&dana, &checkout.order_id).await;
        assert_eq!(paid["payment_status"], "paid");
        assert_eq!((&paid["total_cents"], &paid["net_cents"], &paid["tax_cents"]), (&json!(999), &json!(999), &json!(0)));
        dana.step(&session, "cancel").await.expect_status(200);
        let receipt = returned(&dana, &checkout.order_id).await;
        assert_eq!(receipt["payment_status"], "refunded");
        assert_eq!(receipt["refunds"][0]["amount_cents"], 999);
        assert_eq!(dana.session(&session).await["payment_status"], "refunded");
        assert_eq!(refunded_at_provider(server, &checkout).await, (1, 999));
        server.message_to(&dana.email, "refunded").await;
        let page = dana.client.get(&format!("/orders/{}/receipt", checkout.order_id)).await.expect_status(200);
        assert!(page.text.contains("Refund") && page.text.contains("9.99"), "{}", page.text);
    }

    async fn a_second_charge_for_one_order_goes_back_by_itself(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let second = foreign_page(server, &checkout.order_id, "999").await;
        dana.pay(&second, GOOD_CARD).await.expect_status(303);
        let receipt = returned(&dana, &checkout.order_id).await;
        assert_eq!(receipt["payments"].as_array().map(Vec::len), Some(2), "{receipt}");
        assert_eq!(receipt["refunds"][0]["reason"], "duplicate");
        let mail = server.message_to(&dana.email, "refunded").await;
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("It was paid for twice")), "{mail}");
        assert_eq!(refunded_at_provider(server, &second).await, (1, 999));
        assert_eq!(refunded_at_provider(server, &checkout).await, (0, 0));
        assert_eq!(dana.session(&session).await["payment_status"], "paid");
        assert_eq!(server.database().count("sessions", "1 = 1"), 1);
    }

    async fn another_amount_than_agreed_goes_back_by_itself(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        let cheaper = foreign_page(server, &checkout.order_id, "99").await;
        dana.pay(&cheaper, GOOD_CARD).await.expect_status(303);
        let receipt = returned(&dana, &checkout.order_id).await;
        assert_eq!(receipt["payment_status"], "unpaid");
        assert_eq!((&receipt["refunds"][0]["amount_cents"], &receipt["refunds"][0]["reason"]), (&json!(99), &json!("wrong_amount")));
        let mail = server.message_to(&dana.email, "refunded").await;
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("Another amount arrived")), "{mail}");
        assert_eq!(server.database().count("sessions", "1 = 1"), 0);
    }

    async fn money_for_an_order_that_can_not_be_made_goes_back_by_itself(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        server.database().execute("UPDATE orders SET price_book = 'withdrawn'").expect("is changed");
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let receipt = returned(&dana, &checkout.order_id).await;
        assert_eq!(receipt["refunds"][0]["reason"], "unfulfillable");
        assert_eq!(refunded_at_provider(server, &checkout).await, (1, 999));
        assert_eq!(server.database().count("sessions", "1 = 1"), 0);
        let page = dana.client.get(&format!("/checkout/success?session_id={}", checkout.id)).await.expect_status(200);
        assert!(page.text.contains("on its way back"), "{}", page.text);
        let resolved = dana.client.get(&tests::money::resolve_path(&checkout)).await;
        resolved.refused(409, "order_refunded");
    }

    async fn a_refund_made_at_the_provider_enters_the_books(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let intent = server.intent_of(&checkout).await;
        server.provider().post_form("/v1/refunds", &[("payment_intent", &intent), ("amount", "400")]).await.expect_status(200);
        let receipt = returned(&dana, &checkout.order_id).await;
        assert_eq!((&receipt["refunds"][0]["amount_cents"], &receipt["refunds"][0]["reason"]), (&json!(400), &json!("external")));
        assert_eq!(dana.session(&session).await["payment_status"], "partially_refunded");
        // What is left goes back as usual.
        dana.step(&session, "cancel").await.expect_status(200);
        until("the rest to have gone back", async || {
            (refunded_at_provider(server, &checkout).await == (2, 999)).then_some(())
        }).await;
        assert_eq!(returned(&dana, &checkout.order_id).await["payment_status"], "refunded");
    }

    async fn a_receipt_is_for_whoever_paid_and_for_admins(server) {
        let (dana, other, admin) = (server.customer().await, server.customer().await, server.admin().await);
        let checkout = dana.checkout("chat10").await;
        let path = format!("/api/orders/{}/receipt", checkout.order_id);
        // Nothing was paid yet, so there is nothing to receipt.
        dana.client.get(&path).await.refused(404, "not_found");
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        dana.session_of(&checkout).await;
        for (who, expected) in [(&dana, 200), (&admin, 200), (&other, 404)] {
            assert_eq!(who.client.get(&path).await.status, expected);
            assert_eq!(who.client.get(path.trim_start_matches("/api")).await.status, expected);
        }
        server.guest().get(&path).await.refused(401, "not_signed_in");
        dana.client.get(&format!("/api/orders/{}/receipt", Uuid::new_v4())).await.refused(404, "not_found");
        assert_eq!(dana.client.get("/api/orders/nonsense/receipt").await.status, 404);
    }

    async fn the_free_session_is_an_order_of_nothing_without_a_line_in_the_ledger(server) {
        let dana = server.customer().await;
        dana.intake("free").await;
        let sessions = dana.client.get("/api/sessions").await.expect_status(200);
        assert_eq!(sessions.body["items"][0]["payment_status"], "paid");
        assert_eq!(server.database().count("orders", "status = 'fulfilled' AND amount_cents = 0"), 1);
        assert_eq!(server.database().count("ledger_entries", "1 = 1"), 0);
    }

    async fn the_link_to_the_payment_page_is_for_people_on_these_pages(server) {
        let dana = server.customer().await;
        let without = dana.client.get("/api/checkout?plan=chat10").await.expect_status(303);
        assert_eq!(without.location(), "/intake?plan=chat10");
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let link = format!("/api/checkout?plan=chat10&intake_id={intake}");
        server.guest().get(&link).await.refused(401, "not_signed_in");
        let elsewhere = dana.client.another_tab().with_header("sec-fetch-site", "cross-site");
        elsewhere.get(&link).await.refused(403, "cross_origin");
        let first = dana.client.get(&link).await.expect_status(303).location();
        assert!(first.contains("/sandbox/checkout/cs_"), "{first}");
        // The same page again, with the intake, without it, by another name of the plan, and by the API.
        assert_eq!(dana.client.get(&link).await.location(), first);
        assert_eq!(dana.client.get("/api/checkout?plan=chat10").await.location(), first);
        assert_eq!(dana.client.get("/api/checkout?plan=quick_chat").await.location(), first);
        assert_eq!(dana.checkout_of(&intake).await.url, first);
        assert_eq!(server.database().count("orders", "1 = 1"), 1);
        let other = server.customer().await;
        assert_eq!(other.client.get(&link).await.location(), "/intake?plan=chat10");
        for (query, field) in [("", "plan"), ("?plan=nonsense", "plan"), ("?intake_id=x", "intake_id")] {
            let answer = dana.client.get(&format!("/api/checkout{query}")).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.body["errors"][0]["field"], field, "{query}");
        }
    }

    async fn whoever_has_paid_is_led_to_the_session(server) {
        let dana = server.customer().await;
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let checkout = dana.checkout_of(&intake).await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let again = dana.client.post("/api/checkout", json!({ "intake_id": intake })).await.expect_status(200);
        assert_eq!((again.text_at("session_id"), again.text_at("route")), (session.clone(), format!("/chat/{session}")));
        let link = format!("/api/checkout?plan=chat10&intake_id={intake}");
        assert_eq!(dana.client.get(&link).await.expect_status(303).location(), format!("/chat/{session}"));
        let back = dana.client.get(&format!("/checkout/success?session_id={}", checkout.id)).await.expect_status(303);
        assert_eq!(back.location(), format!("/chat/{session}"));
    }

    async fn a_payment_page_is_told_of_only_to_whoever_ordered(server) {
        let (dana, other) = (server.customer().await, server.customer().await);
        let checkout = dana.checkout("chat10").await;
        let path = tests::money::resolve_path(&checkout);
        other.client.get(&path).await.refused(404, "not_found");
        server.guest().get(&path).await.refused(401, "not_signed_in");
        dana.client.get("/api/sessions/resolve-by-stripe?session_id=cs_none").await.refused(404, "not_found");
        dana.client.get("/api/sessions/resolve-by-stripe").await.refused(422, "invalid");
    }
}

/// Whatever moment the process dies at after the cancellation was answered, the money goes back once.
async fn killed_amid_refunds(server: &mut TestServer) {
    let dana = server.customer().await;
    let mut pages = Vec::new();
    for _ in 0..4 {
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        dana.step(&session, "cancel").await.expect_status(200);
        server.crash().await;
        pages.push(checkout);
    }
    for checkout in pages {
        assert_eq!(returned(&dana, &checkout.order_id).await["payment_status"], "refunded");
        assert_eq!(refunded_at_provider(server, &checkout).await, (1, 999));
    }
}

#[test]
fn a_crash_amid_refunds_sends_each_back_once_on_sqlite() {
    server::run_with(Backend::Sqlite, &[], killed_amid_refunds);
}

#[test]
fn a_crash_amid_refunds_sends_each_back_once_on_postgres() {
    server::run_with(Backend::Postgres, &[], killed_amid_refunds);
}
