//! Keeping a card without taking money.

use serde_json::json;

use crate::world::{World, location, text};

const SETUP: &str = "mode=setup&success_url=http://shop.test/thanks?s={CHECKOUT_SESSION_ID}&cancel_url=http://shop.test/account";

#[actix_web::test]
async fn a_page_that_only_keeps_a_card_charges_nothing_and_the_card_pays_later() {
    let world = World::start().await;
    let customer = world.post("customers", "email=a@b.test").await;
    let customer = text(&customer, "id");
    let session = world.post("checkout/sessions", &format!("{SETUP}&customer={customer}")).await;
    let id = text(&session, "id");
    assert!(session["amount_total"].is_null() && session["payment_intent"].is_null());
    let html = world.page(&format!("checkout/{id}")).await.text().await.unwrap();
    assert!(html.contains("Save a card with Test Shop") && html.contains("Nothing is charged now"));
    assert!(!html.contains("save_card") && !html.contains("$0.00"), "{html}");
    assert_eq!(world.pay(&session, "4000000000000002", "").await.status(), 402);
    let path = format!("checkout/{id}/authenticate");
    assert_eq!(location(&world.pay(&session, "4000002500003155", "").await), format!("/sandbox/{path}"));
    let html = world.page(&path).await.text().await.unwrap();
    assert!(html.contains("Is this card yours?") && !html.contains("Amount"));
    let world = world.crash().await;
    let done = world.submit(&path, "outcome=complete").await;
    assert_eq!(location(&done), format!("http://shop.test/thanks?s={id}"));
    let session = world.reread(&session).await;
    assert_eq!(
        (text(&session, "status"), text(&session, "payment_status")),
        ("complete", "no_payment_required")
    );
    let setup = world.get(&format!("setup_intents/{}", text(&session, "setup_intent"))).await;
    assert_eq!((text(&setup, "status"), &setup["last_setup_error"]), ("succeeded", &json!(null)));
    let form = format!(
        "amount=2000&currency=usd&customer={customer}&payment_method={}&confirm=true&off_session=true",
        text(&setup, "payment_method")
    );
    assert_eq!(text(&world.post("payment_intents", &form).await, "status"), "succeeded");
    assert_eq!(world.get("charges").await["data"].as_array().unwrap().len(), 1);
    world.wait_for("checkout.session.completed").await;
    let names = world.names();
    for wanted in ["setup_intent.setup_failed", "setup_intent.requires_action", "setup_intent.succeeded"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn a_setup_that_nobody_finishes_is_cancelled_with_its_session() {
    let world = World::start().await;
    let session = world.post("checkout/sessions", &format!("{SETUP}&currency=usd")).await;
    world.advance(86_400);
    assert_eq!(text(&world.reread(&session).await, "status"), "expired");
    let setup = world.get(&format!("setup_intents/{}", text(&session, "setup_intent"))).await;
    assert_eq!(text(&setup, "status"), "canceled");
    for (more, param) in [
        ("&line_items[0][price]=price_a&line_items[0][quantity]=1", "line_items"),
        ("&payment_intent_data[description]=x", "payment_intent_data"),
        ("&setup_intent_data[colour]=red", "setup_intent_data[colour]"),
    ] {
        let (status, body) = world.try_post("checkout/sessions", &format!("{SETUP}{more}")).await;
        assert_eq!((status, text(&body["error"], "param")), (400, param));
    }
    world.stop().await;
}

#[actix_web::test]
async fn a_setup_through_the_api_keeps_the_card_or_says_why_not() {
    let world = World::start().await;
    let customer = world.post("customers", "").await;
    let customer = text(&customer, "id");
    let declined =
        world.try_post("setup_intents", "payment_method=pm_card_chargeDeclined&confirm=true").await;
    assert_eq!((declined.0, text(&declined.1["error"], "code")), (402, "card_declined"));
    assert_eq!(declined.1["error"]["setup_intent"]["status"], "requires_payment_method");
    let made = world.post("setup_intents", &format!("customer={customer}&payment_method=pm_card_visa")).await;
    assert_eq!(text(&made, "status"), "requires_confirmation");
    let path = format!("setup_intents/{}", text(&made, "id"));
    let confirmed = world.post(&format!("{path}/confirm"), "").await;
    assert_eq!(confirmed["payment_method"], made["payment_method"]);
    let kept = world.get(&format!("customers/{customer}/payment_methods")).await;
    assert_eq!(kept["data"][0]["id"], made["payment_method"]);
    for step in ["confirm", "cancel"] {
        let (status, body) = world.try_post(&format!("{path}/{step}"), "").await;
        assert_eq!((status, text(&body["error"], "code")), (400, "setup_intent_unexpected_state"));
    }
    let form = format!(
        "customer={customer}&payment_method=pm_card_authenticationRequired&confirm=true&return_url=http://shop.test/b"
    );
    let asked = world.post("setup_intents", &form).await;
    let address = text(&asked["next_action"]["redirect_to_url"], "url");
    assert_eq!(world.http.get(address).send().await.unwrap().status(), 200);
    let answer = format!("setup_intents/{}/authenticate", text(&asked, "id"));
    let back = world.submit(&answer, "outcome=fail").await;
    assert!(location(&back).ends_with("redirect_status=failed"), "{}", location(&back));
    let failed = world.get(&format!("setup_intents/{}", text(&asked, "id"))).await;
    assert_eq!(failed["last_setup_error"]["code"], "setup_intent_authentication_failure");
    let attempts = world.get(&format!("setup_attempts?setup_intent={}", text(&asked, "id"))).await;
    assert_eq!(attempts["data"][0]["status"], "failed");
    world.stop().await;
}
