//! From the intake to a paid session, on the sandbox's payment page.

use serde_json::json;
use tests::money::{AUTHENTICATED_CARD, DECLINED_CARD, DELAYED_CARD, GOOD_CARD, intake_body, resolve_path};
use tests::{on_both, until};
use uuid::Uuid;

on_both! {
    async fn a_driver_pays_for_a_chat_and_lands_in_it(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        assert!(checkout.id.starts_with("cs_"), "{checkout:?}");
        let early = dana.client.get(&resolve_path(&checkout)).await.expect_status(202);
        assert_eq!(early.body["status"], "processing");
        let page = dana.client.get(&checkout.url).await.expect_status(200);
        assert!(page.text.contains("9.99"), "the price is on the page");
        let paid = dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let back = paid.location();
        assert!(back.contains("/checkout/success") && back.contains(&checkout.id), "{back}");
        let session = dana.session_of(&checkout).await;
        let resolved = dana.client.get(&resolve_path(&checkout)).await.expect_status(200);
        assert_eq!(resolved.text_at("route"), format!("/chat/{session}"));
        assert_eq!(resolved.text_at("session_type"), "chat");
        let seen = dana.session(&session).await;
        assert_eq!(seen["status"], "requested");
        assert_eq!(seen["payment_status"], "paid");
        assert_eq!(seen["plan"], "chat10");
        assert_eq!((&seen["base_price_cents"], &seen["total_price_cents"]), (&json!(999), &json!(999)));
        let events = dana.events(&session).await;
        assert_eq!(events[0]["kind"], "joined");
        server.message_to(&dana.email, "booking_confirmed").await;
        let page = dana.client.get(&format!("/chat/{session}")).await.expect_status(200);
        assert!(page.text.contains("Waiting for a mechanic to join"), "{}", page.text);
    }

    async fn video_and_diagnostic_lead_to_the_thank_you_page(server) {
        let dana = server.customer().await;
        for (plan, session_type, price) in [("video15", "video", 2999), ("diagnostic", "diagnostic", 4999)] {
            let checkout = dana.checkout(plan).await;
            dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
            let session = dana.session_of(&checkout).await;
            let resolved = dana.client.get(&resolve_path(&checkout)).await.expect_status(200);
            assert_eq!(resolved.text_at("route"), format!("/thank-you?session={session}"));
            assert_eq!(resolved.text_at("session_type"), session_type);
            let seen = dana.session(&session).await;
            assert_eq!((&seen["session_type"], &seen["total_price_cents"]), (&json!(session_type), &json!(price)));
            assert_eq!(seen["modality"], "video");
        }
    }

    async fn a_declined_card_charges_nothing_and_the_next_card_pays(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        let declined = dana.pay(&checkout, DECLINED_CARD).await;
        assert_eq!(declined.status, 402, "{declined:?}");
        dana.client.get(&resolve_path(&checkout)).await.expect_status(202);
        assert_eq!(server.database().count("sessions", "1 = 1"), 0);
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        dana.session_of(&checkout).await;
        assert_eq!(server.database().count("payments", "1 = 1"), 1);
    }

    async fn a_card_that_needs_its_holder_pays_after_they_confirm(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        let asked = dana.pay(&checkout, AUTHENTICATED_CARD).await.expect_status(303);
        assert!(asked.location().contains("authenticate"), "{asked:?}");
        dana.client.get(&resolve_path(&checkout)).await.expect_status(202);
        let confirm = format!("/sandbox/checkout/{}/authenticate", checkout.id);
        let refused = dana.client.post_form(&confirm, &[("outcome", "fail")]).await;
        assert!(refused.status == 402 || refused.status == 303, "{refused:?}");
        dana.client.get(&resolve_path(&checkout)).await.expect_status(202);
        dana.pay(&checkout, AUTHENTICATED_CARD).await.expect_status(303);
        dana.client.post_form(&confirm, &[("outcome", "complete")]).await.expect_status(303);
        dana.session_of(&checkout).await;
        assert_eq!(server.database().count("payments", "1 = 1"), 1);
    }

    async fn a_card_that_pays_later_fulfils_later(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, DELAYED_CARD).await.expect_status(303);
        dana.client.get(&resolve_path(&checkout)).await.expect_status(202);
        server.advance_clock(60).await;
        dana.session_of(&checkout).await;
    }

    async fn paying_twice_for_one_intake_is_impossible(server) {
        let dana = server.customer().await;
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let first = dana.checkout_of(&intake).await;
        let second = dana.checkout_of(&intake).await;
        assert_eq!(first.id, second.id, "an open order for the same quote is used again");
        dana.pay(&first, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&first).await;
        dana.pay(&first, GOOD_CARD).await;
        let done = dana.client.post("/api/checkout", json!({ "intake_id": intake })).await.expect_status(200);
        assert_eq!(done.text_at("session_id"), session);
        assert_eq!(server.database().count("payments", "1 = 1"), 1);
        assert_eq!(server.database().count("sessions", "1 = 1"), 1);
    }

    async fn ten_tabs_opening_checkout_at_once_share_one_order(server) {
        let dana = server.customer().await;
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let asked = (0..10).map(|_| dana.client.post("/api/checkout", json!({ "intake_id": intake })));
        let answers = futures_util::future::join_all(asked).await;
        let mut ids: Vec<String> = answers.iter().map(|answer| {
            assert!(answer.status == 201 || answer.status == 409, "{answer:?}");
            answer.body["checkout_session_id"].as_str().unwrap_or_default().to_owned()
        }).filter(|id| !id.is_empty()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{answers:?}");
        let checkout = dana.checkout_of(&intake).await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        dana.session_of(&checkout).await;
    }

    async fn the_same_key_gives_the_same_answer_and_another_body_is_refused(server) {
        let dana = server.customer().await;
        let key = Uuid::new_v4().to_string();
        let body = intake_body("chat10");
        let first = dana.client.post_once("/api/intake/start", &key, body.clone()).await.expect_status(201);
        let again = dana.client.post_once("/api/intake/start", &key, body).await.expect_status(201);
        assert_eq!(first.body, again.body);
        let other = dana.client.post_once("/api/intake/start", &key, intake_body("video15")).await;
        other.refused(422, "idempotency_mismatch");
        // A key belongs to its person.
        let eve = server.customer().await;
        let own = eve.client.post_once("/api/intake/start", &key, intake_body("chat10")).await.expect_status(201);
        assert_ne!(own.body["intake_id"], first.body["intake_id"]);
        assert_eq!(server.database().count("intakes", "1 = 1"), 2);
    }

    async fn nobody_pays_for_or_sees_another_persons_intake(server) {
        let (dana, eve) = (server.customer().await, server.customer().await);
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let answer = eve.client.post("/api/checkout", json!({ "intake_id": intake })).await;
        assert!(answer.status == 404 || answer.status == 409, "{answer:?}");
        answer.assert_is_problem();
        let checkout = dana.checkout_of(&intake).await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        dana.session_of(&checkout).await;
        eve.client.get(&resolve_path(&checkout)).await.refused(404, "not_found");
        let receipt = format!("/api/orders/{}/receipt", checkout.order_id);
        eve.client.get(&receipt).await.refused(404, "not_found");
        let own = dana.client.get(&receipt).await.expect_status(200);
        assert!(own.text.contains("999") || own.text.contains("9.99"), "{}", own.text);
    }

    async fn checkout_without_an_intake_asks_for_one(server) {
        let dana = server.customer().await;
        let answer = dana.client.get("/api/checkout?plan=chat10").await.expect_status(303);
        assert_eq!(answer.location(), "/intake?plan=chat10");
        let unknown = json!({ "intake_id": Uuid::new_v4().to_string() });
        let answer = dana.client.post("/api/checkout", unknown).await;
        assert!(answer.status == 404 || answer.code() == Some("intake_required"), "{answer:?}");
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let path = format!("/api/checkout?plan=chat10&intake_id={intake}");
        let first = dana.client.get(&path).await.expect_status(303).location();
        assert!(first.contains("/sandbox/checkout/cs_"), "{first}");
        // The open order is used again, by either address.
        for path in [path.as_str(), "/api/checkout?plan=chat10"] {
            assert_eq!(dana.client.get(path).await.expect_status(303).location(), first);
        }
    }

    async fn a_link_to_a_plan_leads_to_the_payment_page_of_the_newest_intake_that_is_not_paid(server) {
        let (dana, eve) = (server.customer().await, server.customer().await);
        let follow = async |plan: &str| {
            let path = format!("/api/checkout?plan={plan}");
            dana.client.get(&path).await.expect_status(303).location()
        };
        // Another person's intake, and one of another plan, are none of this.
        eve.intake("chat10").await;
        dana.intake("video15").await;
        assert_eq!(follow("chat10").await, "/intake?plan=chat10");
        let older = dana.intake("chat10").await.text_at("intake_id");
        let newer = dana.intake("chat10").await.text_at("intake_id");
        let page = follow("chat10").await;
        assert!(page.contains("/sandbox/checkout/cs_"), "{page}");
        // Again, by an alias, or with the intake named, it is the same page.
        let named = format!("chat10&intake_id={newer}");
        for again in ["chat10", "quick_chat", &named] {
            assert_eq!(follow(again).await, page, "{again}");
        }
        assert_eq!(server.database().count("orders", "plan = 'chat10'"), 1);
        // An order of another intake that waits for money does not come first.
        let other = dana.checkout_of(&older).await;
        assert_ne!(other.url, page);
        assert_eq!(follow("chat10").await, page);
        // What is paid is not paid again; then the other one is the newest.
        let paid = dana.checkout_of(&newer).await;
        assert_eq!(paid.url, page);
        dana.pay(&paid, GOOD_CARD).await.expect_status(303);
        dana.session_of(&paid).await;
        assert_eq!(follow("chat10").await, other.url);
        dana.pay(&other, GOOD_CARD).await.expect_status(303);
        dana.session_of(&other).await;
        assert_eq!(follow("chat10").await, "/intake?plan=chat10");
        assert_eq!(follow("quick_chat").await, "/intake?plan=chat10");
        assert_eq!(follow("free").await, "/intake?plan=free");
        assert_eq!(server.database().count("payments", "1 = 1"), 2);
    }

    async fn ten_links_followed_at_once_lead_to_one_payment_page(server) {
        let dana = server.customer().await;
        dana.intake("chat10").await;
        let asked = (0..10).map(|_| dana.client.get("/api/checkout?plan=chat10"));
        let answers = futures_util::future::join_all(asked).await;
        let page = dana.client.get("/api/checkout?plan=chat10").await.expect_status(303).location();
        for answer in answers {
            assert_eq!(answer.expect_status(303).location(), page);
        }
        assert_eq!(server.database().count("orders", "1 = 1"), 1);
    }

    async fn a_link_to_a_plan_follows_money_on_its_way_and_forgets_old_intakes(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, DELAYED_CARD).await.expect_status(303);
        until("the order to wait for its money", async || {
            (server.database().count("orders", "status = 'processing'") == 1).then_some(())
        }).await;
        let follow = async || dana.client.get("/api/checkout?plan=chat10").await.expect_status(303).location();
        assert_eq!(follow().await, "/intake?plan=chat10", "what is being paid is not paid twice");
        server.advance_clock(60).await;
        dana.session_of(&checkout).await;
        dana.intake("chat10").await;
        server.advance_clock(29 * 24 * 3600).await;
        // Signed in anew: a sign-in does not last as long as this.
        let later = server.sign_in(&dana.email, tests::people::PASSWORD).await;
        let page = later.client.get("/api/checkout?plan=chat10").await.expect_status(303).location();
        assert!(page.contains("/sandbox/checkout/cs_"), "{page}");
        server.advance_clock(2 * 24 * 3600).await;
        let later = server.sign_in(&dana.email, tests::people::PASSWORD).await;
        let page = later.client.get("/api/checkout?plan=chat10").await.expect_status(303).location();
        assert_eq!(page, "/intake?plan=chat10");
    }

    async fn an_unpaid_order_expires_and_a_new_one_can_be_made(server) {
        let dana = server.customer().await;
        let intake = dana.intake("chat10").await.text_at("intake_id");
        let first = dana.checkout_of(&intake).await;
        server.advance_clock(2 * 24 * 3600).await;
        let again = until("a new payment page", async || {
            let answer = dana.client.post("/api/checkout", json!({ "intake_id": intake })).await;
            (answer.status == 201 && answer.body["checkout_session_id"] != first.id.as_str()).then_some(answer)
        }).await;
        let second = tests::money::Checkout {
            order_id: again.text_at("order_id"), id: again.text_at("checkout_session_id"), url: again.text_at("checkout_url"),
        };
        let late = dana.pay(&first, GOOD_CARD).await;
        assert_ne!(late.status, 303, "an expired page takes no money: {late:?}");
        dana.pay(&second, GOOD_CARD).await.expect_status(303);
        dana.session_of(&second).await;
        assert_eq!(server.database().count("payments", "1 = 1"), 1);
    }

    async fn the_journey_is_recorded(server) {
        let dana = server.customer().await;
        let max = server.mechanic().await;
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        max.step(&session, "start").await.expect_status(200);
        dana.step(&session, "end").await.expect_status(200);
        let recorded = |kind: &str| {
            server.database().count("crm_interactions", &format!("interaction_type = '{kind}'"))
        };
        for kind in [
            "intake_submitted", "waiver_accepted", "checkout_started", "checkout_completed", "session_started",
            "session_completed",
        ] {
            assert_eq!(recorded(kind), 1, "{kind}");
        }
    }
}
