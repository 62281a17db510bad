//! The Stripe client that Pitlane uses, unchanged, against the sandbox.

use std::collections::HashMap;

use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    ExpireCheckoutSession, ListCheckoutSession, ProductData, RetrieveCheckoutSession,
};
use stripe_checkout::{CheckoutSessionMode, CheckoutSessionStatus};
use stripe_core::customer::{CreateCustomer, RetrieveCustomer, RetrieveCustomerReturned};
use stripe_core::event::{ListEvent, RetrieveEvent};
use stripe_core::payment_intent::{CreatePaymentIntent, RetrievePaymentIntent};
use stripe_core::refund::{CreateRefund, RetrieveRefund};
use stripe_payment::payment_method::ListPaymentMethod;

use crate::world::World;

fn client(world: &World) -> Client {
    ClientBuilder::new("sk_test_1").url(world.base.clone()).build().expect("a client")
}

fn session(customer: &str) -> CreateCheckoutSession {
    let mut data = CreateCheckoutSessionLineItemsPriceData::new(stripe_types::Currency::USD);
    data.unit_amount = Some(2_999);
    data.product_data = Some(ProductData::new("Expert Video"));
    let mut item = CreateCheckoutSessionLineItems::new();
    item.price_data = Some(data);
    item.quantity = Some(1);
    CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .line_items(vec![item])
        .success_url("http://shop.test/thanks?session_id={CHECKOUT_SESSION_ID}")
        .cancel_url("http://shop.test/cart")
        .customer(customer)
        .client_reference_id("order-1")
        .metadata(HashMap::from([("order".to_owned(), "1".to_owned())]))
        .expires_at(crate::world::START + 1_800)
        .expand(vec!["line_items".to_owned()])
}

#[actix_web::test]
async fn the_client_creates_pays_reads_and_refunds() {
    let world = World::start().await;
    let client = client(&world);
    let customer = CreateCustomer::new().email("a@b.test").name("Maya").send(&client).await.unwrap();
    let created = session(customer.id.as_str()).send(&client).await.unwrap();
    assert_eq!(created.status, Some(CheckoutSessionStatus::Open));
    assert_eq!(created.line_items.unwrap().data.len(), 1);
    let json = serde_json::json!({"id": created.id.as_str()});
    assert_eq!(world.pay(&json, "4242424242424242", "&save_card=1").await.status(), 303);

    let read = RetrieveCheckoutSession::new(created.id.clone())
        .expand(vec![
            "payment_intent.latest_charge".to_owned(),
            "customer".to_owned(),
            "line_items".to_owned(),
        ])
        .send(&client)
        .await
        .unwrap();
    assert_eq!(read.status, Some(CheckoutSessionStatus::Complete));
    let intent = read.payment_intent.unwrap().into_object().unwrap();
    assert!(intent.latest_charge.as_ref().unwrap().is_object());
    let listed =
        ListCheckoutSession::new().payment_intent(intent.id.to_string()).send(&client).await.unwrap();
    assert_eq!(listed.data[0].id, created.id);
    RetrievePaymentIntent::new(intent.id.clone()).send(&client).await.unwrap();
    let kept = ListPaymentMethod::new().customer(customer.id.to_string()).send(&client).await.unwrap();
    assert_eq!(kept.data[0].card.as_ref().unwrap().last4, "4242");

    let key = IdempotencyKey::new("refund-1").unwrap();
    let refund = || CreateRefund::new().payment_intent(intent.id.to_string()).amount(1_000).customize();
    let strategy = || RequestStrategy::Idempotent(key.clone());
    let first = refund().request_strategy(strategy()).send(&client).await.unwrap();
    let again = refund().request_strategy(strategy()).send(&client).await.unwrap();
    assert_eq!((&first.id, first.amount), (&again.id, 1_000));
    RetrieveRefund::new(first.id.clone()).send(&client).await.unwrap();

    let events = ListEvent::new().limit(100).send(&client).await.unwrap();
    assert!(events.data.len() >= 7);
    RetrieveEvent::new(events.data[0].id.clone()).send(&client).await.unwrap();
    match RetrieveCustomer::new(customer.id).send(&client).await.unwrap() {
        RetrieveCustomerReturned::Customer(customer) => assert_eq!(customer.name.as_deref(), Some("Maya")),
        RetrieveCustomerReturned::DeletedCustomer(_) => panic!("the customer was not deleted"),
    }
    world.stop().await;
}

#[actix_web::test]
async fn the_client_understands_declines_and_mistakes() {
    let world = World::start().await;
    let client = client(&world);
    let declined = CreatePaymentIntent::new(2_000, stripe_types::Currency::USD)
        .payment_method("pm_card_chargeDeclinedInsufficientFunds")
        .confirm(true)
        .send(&client)
        .await;
    match declined {
        Err(StripeError::Stripe(error, status)) => {
            assert_eq!(status, 402);
            assert_eq!(error.decline_code.as_deref(), Some("insufficient_funds"));
            assert!(error.payment_intent.is_some_and(|intent| intent.last_payment_error.is_some()));
        }
        other => panic!("a decline, not {other:?}"),
    }
    let over = CreateRefund::new().payment_intent("pi_none").send(&client).await;
    assert!(matches!(over, Err(StripeError::Stripe(_, 400))), "{over:?}");
    let customer = CreateCustomer::new().send(&client).await.unwrap();
    let created = session(customer.id.as_str()).send(&client).await.unwrap();
    let expired = ExpireCheckoutSession::new(created.id).send(&client).await.unwrap();
    assert_eq!(expired.status, Some(CheckoutSessionStatus::Expired));
    world.stop().await;
}
