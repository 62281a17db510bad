//! Paying with a card that was kept.

use serde_json::{Value, json};

use crate::world::{World, location, text};

const GOOD: &str = "4242 4242 4242 4242";

/// A customer of a shop that lets people keep cards, with one card kept.
async fn customer_with_card(world: &World, number: &str) -> (String, String) {
    let customer = world.post("customers", "email=maya@example.test").await;
    let customer = text(&customer, "id").to_owned();
    let session = world.session(&format!("customer={customer}")).await;
    assert_eq!(world.pay(&session, number, "&save_card=1").await.status(), 303);
    let kept = world.get(&format!("customers/{customer}/payment_methods")).await;
    (customer, text(&kept["data"][0], "id").to_owned())
}

async fn pay_with(world: &World, session: &Value, form: &str) -> reqwest::Response {
    world.submit(&format!("checkout/{}/pay", text(session, "id")), form).await
}

#[actix_web::test]
async fn a_kept_card_is_offered_again_and_pays_without_its_number() {
    let world = World::start().await;
    let (customer, method) = customer_with_card(&world, GOOD).await;
    let session = world
        .session(&format!("customer={customer}&saved_payment_method_options[payment_method_save]=enabled"))
        .await;
    assert_eq!(
        session["saved_payment_method_options"],
        json!({
            "allow_redisplay_filters": ["always"],
            "payment_method_remove": "disabled",
            "payment_method_save": "enabled",
        })
    );
    let html = world.page(&format!("checkout/{}", text(&session, "id"))).await.text().await.unwrap();
    assert!(
        html.contains("Visa ending in 4242") && html.contains(&format!("value=\"{method}\" checked")),
        "{html}"
    );

    let paid = pay_with(&world, &session, &format!("payment_method={method}")).await;
    assert_eq!(paid.status(), 303);
    assert!(location(&paid).starts_with("http://shop.test/thanks"), "{}", location(&paid));
    let session = world.reread(&session).await;
    let intent = world.get(&format!("payment_intents/{}", text(&session, "payment_intent"))).await;
    assert_eq!((text(&intent, "status"), text(&intent, "payment_method")), ("succeeded", method.as_str()));
    let kept = world.get(&format!("customers/{customer}/payment_methods")).await;
    assert_eq!(kept["data"].as_array().map(Vec::len), Some(1), "no second one is kept: {kept}");
}

#[actix_web::test]
async fn a_number_that_is_typed_counts_more_than_the_card_that_was_chosen() {
    let world = World::start().await;
    let (customer, method) = customer_with_card(&world, GOOD).await;
    let session = world.session(&format!("customer={customer}")).await;
    let declined = world.pay(&session, "4000 0000 0000 0002", &format!("&payment_method={method}")).await;
    assert_eq!(declined.status(), 402);
    let paid = pay_with(&world, &session, &format!("card_number=&payment_method={method}")).await;
    assert_eq!(paid.status(), 303);
    let session = world.reread(&session).await;
    let charges = world.get(&format!("charges?payment_intent={}", text(&session, "payment_intent"))).await;
    let statuses: Vec<&str> =
        charges["data"].as_array().unwrap().iter().map(|charge| text(charge, "status")).collect();
    assert_eq!(statuses, ["succeeded", "failed"]);
}

#[actix_web::test]
async fn only_ones_own_cards_that_may_be_shown_again_are_offered() {
    let world = World::start().await;
    let (customer, method) = customer_with_card(&world, GOOD).await;
    let (_, foreign) = customer_with_card(&world, GOOD).await;
    let offered = async |session: &Value| {
        let html = world.page(&format!("checkout/{}", text(session, "id"))).await.text().await.unwrap();
        html.contains("ending in 4242")
    };
    let guest = world.session("customer_email=a@b.test").await;
    assert!(!offered(&guest).await && guest["saved_payment_method_options"].is_null());
    let narrow = "saved_payment_method_options[allow_redisplay_filters][0]=limited";
    let session = world.session(&format!("customer={customer}&{narrow}")).await;
    assert!(!offered(&session).await);
    let setup = format!("mode=setup&currency=usd&success_url=http://shop.test/kept&customer={customer}");
    assert!(!offered(&world.post("checkout/sessions", &setup).await).await, "there is nothing to pay");

    let session = world.session(&format!("customer={customer}")).await;
    assert!(offered(&session).await);
    for wrong in [foreign.as_str(), "pm_unknown"] {
        let refused = pay_with(&world, &session, &format!("payment_method={wrong}")).await;
        assert_eq!(refused.status(), 402);
        assert!(refused.text().await.unwrap().contains("This card is not kept any more."));
    }
    world.post(&format!("payment_methods/{method}/detach"), "").await;
    assert!(!offered(&session).await);
    let late = pay_with(&world, &session, &format!("payment_method={method}")).await;
    assert_eq!(late.status(), 402);
    assert_eq!(text(&world.reread(&session).await, "payment_status"), "unpaid");
    let (status, refused) = world
        .try_post(
            "checkout/sessions",
            "mode=payment&success_url=http://a.test&saved_payment_method_options[payment_method_save]=maybe",
        )
        .await;
    assert_eq!((status, text(&refused["error"], "type")), (400, "invalid_request_error"));
}

#[actix_web::test]
async fn a_card_that_was_taken_off_is_used_up() {
    let world = World::start().await;
    let (customer, method) = customer_with_card(&world, GOOD).await;
    let asking = world
        .post(
            "payment_methods",
            "type=card&card[number]=4000002760003184&card[exp_month]=12&card[exp_year]=2034",
        )
        .await;
    let asking = text(&asking, "id").to_owned();
    world.post(&format!("payment_methods/{asking}/attach"), &format!("customer={customer}")).await;
    let charge = |method: &str| format!("amount=2000&currency=usd&payment_method={method}&confirm=true");
    let asked = world.post("payment_intents", &format!("{}&customer={customer}", charge(&asking))).await;
    assert_eq!(text(&asked, "status"), "requires_action");
    for gone in [&method, &asking] {
        world.post(&format!("payment_methods/{gone}/detach"), "").await;
        let of_customer = format!("customer={customer}&payment_method={gone}");
        for (path, form) in [
            (format!("payment_methods/{gone}/attach"), format!("customer={customer}")),
            ("payment_intents".to_owned(), format!("{}&off_session=true&customer={customer}", charge(gone))),
            ("payment_intents".to_owned(), charge(gone)),
            ("payment_intents".to_owned(), format!("amount=2000&currency=usd&{of_customer}")),
            ("setup_intents".to_owned(), of_customer),
            ("customers".to_owned(), format!("payment_method={gone}")),
        ] {
            let (status, body) = world.try_post(&path, &form).await;
            let told = (status, text(&body["error"], "code"), text(&body["error"], "type"));
            assert_eq!(
                told,
                (400, "payment_method_unexpected_state", "invalid_request_error"),
                "{path} {form}"
            );
        }
    }
    // Its holder was asked before it was taken off.
    let path = format!("payment_intents/{}", text(&asked, "id"));
    world.submit(&format!("{path}/authenticate"), "outcome=complete").await;
    assert_eq!(text(&world.get(&path).await, "status"), "requires_payment_method");
    assert_eq!(world.get("charges").await["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn a_card_that_belongs_to_nobody_pays_once() {
    let world = World::start().await;
    let customer = world.post("customers", "").await;
    let customer = text(&customer, "id");
    let charge = |method: &str| format!("amount=2000&currency=usd&payment_method={method}&confirm=true");
    for (more, is_kept) in [
        (String::new(), false),
        (format!("&customer={customer}"), false),
        (format!("&customer={customer}&setup_future_usage=off_session"), true),
    ] {
        let paid = world.post("payment_intents", &format!("{}{more}", charge("pm_card_visa"))).await;
        let method = text(&paid, "payment_method");
        assert_eq!(world.get(&format!("payment_methods/{method}")).await["customer"].is_string(), is_kept);
        let attach = format!("payment_methods/{method}/attach");
        let again = format!("{}&customer={customer}", charge(method));
        for (path, form) in [("payment_intents", &again), (&*attach, &format!("customer={customer}"))] {
            let (status, body) = world.try_post(path, form).await;
            assert_eq!(status, if is_kept { 200 } else { 400 }, "{path} after {more}: {body}");
        }
    }
    // Declined, it has paid for nothing.
    let intent = world.post("payment_intents", "amount=2000&currency=usd").await;
    let method = world.post("payment_methods", "type=card&card[token]=tok_chargeCustomerFail").await;
    let confirm = format!("payment_intents/{}/confirm", text(&intent, "id"));
    for _ in 0..2 {
        let form = format!("payment_method={}", text(&method, "id"));
        assert_eq!(world.try_post(&confirm, &form).await.0, 402);
    }
}

#[actix_web::test]
async fn a_card_that_has_run_out_is_not_offered() {
    let world = World::start().await;
    let (customer, _) = customer_with_card(&world, GOOD).await;
    world.advance(20 * 366 * 86_400);
    let session = world.session(&format!("customer={customer}")).await;
    let html = world.page(&format!("checkout/{}", text(&session, "id"))).await.text().await.unwrap();
    assert!(!html.contains("ending in 4242"), "{html}");
}

#[actix_web::test]
async fn a_kept_card_may_ask_for_its_holder() {
    let world = World::start().await;
    let customer = world.post("customers", "email=maya@example.test").await;
    let session = world.session(&format!("customer={}", text(&customer, "id"))).await;
    let asked = world.pay(&session, "4000 0027 6000 3184", "&save_card=1").await;
    assert!(location(&asked).ends_with("/authenticate"), "{}", location(&asked));
    let confirm = format!("checkout/{}/authenticate", text(&session, "id"));
    assert_eq!(world.submit(&confirm, "outcome=complete").await.status(), 303);
    let kept = world.get(&format!("customers/{}/payment_methods", text(&customer, "id"))).await;
    let method = text(&kept["data"][0], "id");
    let session = world.session(&format!("customer={}", text(&customer, "id"))).await;
    let asked = pay_with(&world, &session, &format!("payment_method={method}")).await;
    assert!(location(&asked).ends_with("/authenticate"), "{}", location(&asked));
    let confirm = format!("checkout/{}/authenticate", text(&session, "id"));
    assert_eq!(world.submit(&confirm, "outcome=complete").await.status(), 303);
    assert_eq!(text(&world.reread(&session).await, "payment_status"), "paid");
}
