//! Paying on the hosted page.

use serde_json::json;

use crate::world::{World, location, text};

#[actix_web::test]
async fn a_session_is_paid_once_and_told() {
    let world = World::start().await;
    let session = world.session("metadata[order]=o1&client_reference_id=ref1&customer_email=a@b.test").await;
    assert_eq!((text(&session, "status"), text(&session, "payment_status")), ("open", "unpaid"));
    assert!(session["payment_intent"].is_null());
    let id = text(&session, "id");
    assert_eq!(text(&session, "url"), format!("{}/sandbox/checkout/{id}", world.base));

    let page = world.page(&format!("checkout/{id}")).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("form-action 'self' http://shop.test"),
        "{policy}"
    );
    let html = page.text().await.unwrap();
    for wanted in
        ["$29.99", "Expert Video", "Test Shop", "a@b.test", "4000 0000 0000 0002", "http://shop.test/cart"]
    {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert!(!html.contains("<script") && !html.contains("style="));

    let success = format!("http://shop.test/thanks?session_id={id}");
    let paid = world.pay(&session, "4242 4242 4242 4242", "").await;
    assert_eq!((paid.status().as_u16(), location(&paid)), (303, success.as_str()));
    // A double click, and the back button.
    let again = world.pay(&session, "4242 4242 4242 4242", "").await;
    assert_eq!((again.status().as_u16(), location(&again)), (303, success.as_str()));
    let back = world.page(&format!("checkout/{id}")).await;
    assert_eq!((back.status().as_u16(), location(&back)), (303, success.as_str()));

    let session = world
        .get(&format!("checkout/sessions/{id}?expand[]=payment_intent.latest_charge&expand[]=line_items"))
        .await;
    assert_eq!((text(&session, "status"), text(&session, "payment_status")), ("complete", "paid"));
    assert_eq!(session["metadata"], json!({"order": "o1"}));
    assert_eq!(session["payment_intent"]["latest_charge"]["amount"], 2999);
    assert_eq!(session["line_items"]["data"][0]["description"], "Expert Video");
    let intent = text(&session["payment_intent"], "id");
    let charges = world.get(&format!("charges?payment_intent={intent}")).await;
    assert_eq!(charges["data"].as_array().unwrap().len(), 1);
    let found = world.get(&format!("checkout/sessions?payment_intent={intent}")).await;
    assert_eq!(found["data"][0]["id"], id);

    world.wait_for("checkout.session.completed").await;
    assert_eq!(
        world.names(),
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
    world.stop().await;
}

#[actix_web::test]
async fn a_declined_card_leaves_the_session_open_for_another() {
    let world = World::start().await;
    let session = world.session("").await;
    let declined = world.pay(&session, "4000 0000 0000 0002", "&email=c@d.test&save_card=on").await;
    assert_eq!(declined.status(), 402);
    let html = declined.text().await.unwrap();
    for wanted in ["Your card was declined.", "4000 0000 0000 0002", "12/34", "c@d.test", "checked"] {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert!(!html.contains("value=\"123\""));
    assert_eq!(text(&world.reread(&session).await, "status"), "open");
    assert_eq!(world.pay(&session, "4242424242424242", "").await.status(), 303);
    let session = world.reread(&session).await;
    assert_eq!(session["customer_details"]["email"], "c@d.test");
    let charges = world.get(&format!("charges?payment_intent={}", text(&session, "payment_intent"))).await;
    let statuses: Vec<_> =
        charges["data"].as_array().unwrap().iter().map(|charge| text(charge, "status")).collect();
    assert_eq!(statuses, ["succeeded", "failed"]);
    world.wait_for("checkout.session.completed").await;
    assert!(world.names().contains(&"payment_intent.payment_failed".to_owned()));
    world.stop().await;
}

#[actix_web::test]
async fn mistyped_fields_are_named_and_kept_but_never_the_security_code() {
    let world = World::start().await;
    let session = world.session("").await;
    let path = format!("checkout/{}/pay", text(&session, "id"));
    let answer = world
        .submit(
            &path,
            "card_number=4242+4242+4242+4241&exp=01/20&cvc=98&email=x&name=%3Cb%3EMaya&save_card=1",
        )
        .await;
    assert_eq!(answer.status(), 422);
    let html = answer.text().await.unwrap();
    for wanted in ["4242 4242 4242 4241", "01/20", "number-error", "expiry-error", "cvc-error", "email-error"]
    {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert!(!html.contains("<b>Maya") && !html.contains("\"98\""));
    for form in ["", "card_number=4111111111111111&exp=12/34&cvc=123", "card_number[a]=1", "a=%ff"] {
        let status = world.submit(&path, form).await.status().as_u16();
        assert!(matches!(status, 400 | 422), "{form}: {status}");
    }
    assert!(world.reread(&session).await["payment_intent"].is_null());
    assert_eq!(world.submit("checkout/cs_test_none/pay", "").await.status(), 404);
    assert_eq!(world.page("checkout/cs_test_none").await.status(), 404);
    world.stop().await;
}

#[actix_web::test]
async fn a_card_that_asks_is_paid_after_complete_and_declined_after_fail() {
    let world = World::start().await;
    let session = world.session("").await;
    let path = format!("checkout/{}/authenticate", text(&session, "id"));
    let nothing_yet = world.page(&path).await;
    assert_eq!(nothing_yet.status(), 303);
    assert!(!location(&nothing_yet).contains("authenticate"));
    let asked = world.pay(&session, "4000 0025 0000 3155", "").await;
    assert_eq!((asked.status().as_u16(), location(&asked)), (303, format!("/sandbox/{path}").as_str()));
    let html = world.page(&path).await.text().await.unwrap();
    assert!(html.contains("Complete") && html.contains("Fail") && html.contains("3155"));
    assert_eq!(text(&world.reread(&session).await, "payment_status"), "unpaid");
    assert_eq!(world.submit(&path, "outcome=maybe").await.status(), 400);
    assert_eq!(world.submit(&path, "outcome=fail").await.status(), 402);
    assert_eq!(text(&world.reread(&session).await, "status"), "open");
    world.pay(&session, "4000 0025 0000 3155", "").await;
    let world = world.crash().await;
    let done = world.submit(&path, "outcome=complete").await;
    assert_eq!(done.status(), 303);
    assert!(location(&done).starts_with("http://shop.test/thanks"));
    assert!(location(&world.submit(&path, "outcome=fail").await).starts_with("http://shop.test/thanks"));
    assert_eq!(text(&world.reread(&session).await, "payment_status"), "paid");
    world.wait_for("checkout.session.completed").await;
    assert!(world.names().contains(&"payment_intent.requires_action".to_owned()));
    world.stop().await;
}

#[actix_web::test]
async fn a_delayed_payment_settles_after_its_time_even_over_a_crash() {
    let world = World::start().await;
    let pays = world.session("").await;
    let fails = world.session("").await;
    assert_eq!(world.pay(&pays, "4000 0000 0000 0077", "").await.status(), 303);
    assert_eq!(world.pay(&fails, "4000 0000 0000 0119", "").await.status(), 303);
    let waiting = world.reread(&pays).await;
    assert_eq!((text(&waiting, "status"), text(&waiting, "payment_status")), ("complete", "unpaid"));
    let refused =
        world.try_post("refunds", &format!("payment_intent={}", text(&waiting, "payment_intent"))).await;
    assert_eq!(refused.0, 400);
    let world = world.crash().await;
    assert_eq!(text(&world.reread(&pays).await, "payment_status"), "unpaid");
    world.advance(3);
    assert_eq!(text(&world.reread(&pays).await, "payment_status"), "paid");
    assert_eq!(text(&world.reread(&fails).await, "payment_status"), "unpaid");
    world.wait_for("checkout.session.async_payment_succeeded").await;
    world.wait_for("checkout.session.async_payment_failed").await;
    world.stop().await;
}

#[actix_web::test]
async fn an_unpaid_session_expires_by_the_clock() {
    let world = World::start().await;
    let at = crate::world::START + 1_800;
    let session = world.session(&format!("expires_at={at}")).await;
    let id = text(&session, "id");
    world.pay(&session, "4000 0025 0000 3155", "").await;
    world.advance(1_799);
    assert_eq!(world.page(&format!("checkout/{id}")).await.status(), 200);
    world.advance(1);
    let page = world.page(&format!("checkout/{id}")).await;
    assert_eq!(page.status(), 410);
    let html = page.text().await.unwrap();
    assert!(html.contains("http://shop.test/cart") && html.contains("Back to Test Shop"));
    assert_eq!(world.pay(&session, "4242424242424242", "").await.status(), 410);
    let session = world.reread(&session).await;
    assert_eq!((text(&session, "status"), text(&session, "payment_status")), ("expired", "unpaid"));
    let intent = world.get(&format!("payment_intents/{}", text(&session, "payment_intent"))).await;
    assert_eq!(text(&intent, "status"), "canceled");
    world.wait_for("checkout.session.expired").await;
    assert_eq!(world.try_post(&format!("checkout/sessions/{id}/expire"), "").await.0, 400);
    let other = world.session("").await;
    let expired = world.post(&format!("checkout/sessions/{}/expire", text(&other, "id")), "").await;
    assert_eq!(text(&expired, "status"), "expired");
    world.stop().await;
}

#[actix_web::test]
async fn a_kept_card_pays_later_without_its_holder_when_its_bank_lets_it() {
    let world = World::start().await;
    let customer = world.post("customers", "email=a@b.test&name=Maya").await;
    let customer = text(&customer, "id");
    for (card, confirm, wanted) in
        [("4242424242424242", false, 200), ("4000002500003155", true, 200), ("4000002760003184", true, 402)]
    {
        let session = world.session(&format!("customer={customer}")).await;
        world.pay(&session, card, "&save_card=1").await;
        if confirm {
            world
                .submit(&format!("checkout/{}/authenticate", text(&session, "id")), "outcome=complete")
                .await;
        }
        let kept = world.get(&format!("payment_methods?customer={customer}&type=card")).await;
        let method = text(&kept["data"][0], "id");
        assert_eq!(kept["data"][0]["card"]["last4"], card[card.len() - 4..]);
        let form = format!(
            "amount=2000&currency=usd&customer={customer}&payment_method={method}&confirm=true&off_session=true"
        );
        let (status, answer) = world.try_post("payment_intents", &form).await;
        assert_eq!(status, wanted, "{card}: {answer}");
        if wanted == 402 {
            assert_eq!(answer["error"]["code"], "authentication_required");
            assert_eq!(answer["error"]["payment_intent"]["status"], "requires_payment_method");
        } else {
            assert_eq!(text(&answer, "status"), "succeeded");
        }
    }
    // A card that was not to be kept isn't.
    let session = world.session(&format!("customer={customer}")).await;
    world.pay(&session, "4242424242424242", "").await;
    let kept = world.get(&format!("customers/{customer}/payment_methods")).await;
    assert_eq!(kept["data"].as_array().unwrap().len(), 3);
    world.stop().await;
}

#[actix_web::test]
async fn an_intent_that_asks_sends_its_payer_back_to_the_shop() {
    let world = World::start().await;
    let form = "amount=2000&currency=usd&payment_method=pm_card_authenticationRequired&confirm=true\
                &return_url=http://shop.test/back?a=1";
    let intent = world.post("payment_intents", form).await;
    let id = text(&intent, "id");
    assert_eq!(text(&intent, "status"), "requires_action");
    let url = text(&intent["next_action"]["redirect_to_url"], "url");
    assert_eq!(world.http.get(url).send().await.unwrap().status(), 200);
    let back = world.submit(&format!("payment_intents/{id}/authenticate"), "outcome=complete").await;
    assert_eq!(back.status(), 303);
    assert!(location(&back).starts_with("http://shop.test/back?a=1&payment_intent=pi_"));
    assert!(location(&back).ends_with("redirect_status=succeeded"));
    assert_eq!(text(&world.get(&format!("payment_intents/{id}")).await, "status"), "succeeded");
    assert_eq!(
        world.submit(&format!("payment_intents/{id}/authenticate"), "outcome=complete").await.status(),
        200
    );
    world.stop().await;
}

#[actix_web::test]
async fn a_free_session_needs_no_card() {
    let world = World::start().await;
    let form = "mode=payment&success_url=http://shop.test/&line_items[0][price_data][currency]=usd\
                &line_items[0][price_data][unit_amount]=0&line_items[0][price_data][product_data][name]=Try\
                &line_items[0][quantity]=1";
    let session = world.post("checkout/sessions", form).await;
    assert_eq!(text(&session, "payment_status"), "no_payment_required");
    let html = world.page(&format!("checkout/{}", text(&session, "id"))).await.text().await.unwrap();
    assert!(!html.contains("card_number"));
    let path = format!("checkout/{}/pay", text(&session, "id"));
    assert_eq!(world.submit(&path, "").await.status(), 303);
    let session = world.reread(&session).await;
    assert_eq!(
        (text(&session, "status"), text(&session, "payment_status")),
        ("complete", "no_payment_required")
    );
    world.stop().await;
}
