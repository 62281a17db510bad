//! Webhooks: signed, tried again, and unruly on demand.

use std::sync::atomic::Ordering;

use sandbox::signature_header;
use serde_json::{Value, json};

use crate::world::{SECRET, START, World, text};

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|arrived| *arrived == name).count()
}

#[actix_web::test]
async fn webhooks_carry_the_listed_event_under_a_right_signature() {
    let world = World::start().await;
    world.advance(7);
    world.post("customers", "email=a@b.test").await;
    world.wait_for("customer.created").await;
    let arrived = world.arrived().remove(0);
    assert_eq!(arrived.signature, signature_header(SECRET, START + 7, arrived.body.as_bytes()));
    let id = text(&arrived.event, "id");
    let listed = world.get(&format!("events/{id}")).await;
    assert_eq!(listed, arrived.event);
    assert_eq!(text(&listed, "api_version"), "2026-10-28.endive");
    world.stop().await;
}

#[actix_web::test]
async fn a_webhook_that_is_not_taken_comes_again_later() {
    let world = World::start().await;
    world.receiver.refuse.store(3, Ordering::SeqCst);
    world.post("customers", "").await;
    let refused = || world.receiver.refused.load(Ordering::SeqCst);
    for tries in 1..=3 {
        while refused() < tries {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        // Never more tries than the clock allows: one a wait.
        assert_eq!(refused(), tries);
        world.advance(4);
    }
    world.wait_for("customer.created").await;
    assert_eq!(refused(), 3);
    world.stop().await;
}

#[actix_web::test]
async fn what_was_not_delivered_is_sent_after_a_start() {
    let world = World::start().await;
    world.receiver.refuse.store(usize::MAX, Ordering::SeqCst);
    let session = world.session("").await;
    world.pay(&session, "4242424242424242", "").await;
    let world = world.crash().await;
    assert!(world.names().is_empty());
    world.receiver.refuse.store(0, Ordering::SeqCst);
    world.wait_for("checkout.session.completed").await;
    assert_eq!(count(&world.names(), "checkout.session.completed"), 1);
    let world = world.restart().await;
    world.post("customers", "").await;
    world.wait_for("customer.created").await;
    assert_eq!(count(&world.names(), "checkout.session.completed"), 1);
    world.stop().await;
}

#[actix_web::test]
async fn webhooks_can_be_doubled_dropped_turned_round_and_delayed() {
    let world = World::start().await;
    assert_eq!(world.control(r#"{"duplicate": true}"#).await.status(), 200);
    let session = world.session("").await;
    world.pay(&session, "4242424242424242", "").await;
    world
        .wait("each event twice", |names| {
            count(names, "checkout.session.completed") == 2 && count(names, "payment_intent.succeeded") == 2
        })
        .await;
    let ids: Vec<_> = world.arrived().iter().map(|arrived| text(&arrived.event, "id").to_owned()).collect();
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (8, 4));

    let set: Value = world.control(r#"{"drop": true}"#).await.json().await.unwrap();
    assert_eq!(set, json!({"duplicate": false, "delay_ms": 0, "reorder": false, "drop": true}));
    world.post("customers", "email=lost@b.test").await;
    let world = world.crash().await;
    let read: Value = world.page("control").await.json().await.unwrap();
    assert_eq!(read, set);

    world.control(r#"{"reorder": true}"#).await;
    let session = world.session("").await;
    let before = world.names().len();
    world.pay(&session, "4242424242424242", "").await;
    world.wait("four more", |names| names.len() == before + 4).await;
    assert_eq!(
        world.names()[before..],
        [
            "checkout.session.completed",
            "payment_intent.succeeded",
            "charge.succeeded",
            "payment_intent.created"
        ]
    );

    world.control(r#"{"delay_ms": 400}"#).await;
    let start = std::time::Instant::now();
    world.post("customers", "email=late@b.test").await;
    world.wait_for("customer.created").await;
    assert!(start.elapsed() >= std::time::Duration::from_millis(400));
    // The dropped one never came, but can be listed.
    assert_eq!(count(&world.names(), "customer.created"), 1);
    let listed = world.get("events?type=customer.created").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);

    for broken in
        [r#"{"drop": 2}"#, r#"{"lose": true}"#, r#"{"delay_ms": -1}"#, r#"{"delay_ms": 600001}"#, "", "[]x"]
    {
        assert_eq!(world.control(broken).await.status(), 400, "{broken}");
    }
    world.stop().await;
}
