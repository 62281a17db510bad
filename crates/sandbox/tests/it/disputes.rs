//! Disputes: brought by a test card or a control, answered with evidence, decided.

use serde_json::{Value, json};

use crate::world::{World, text};

async fn paid(world: &World, card: &str) -> Value {
    let form = format!("amount=5000&currency=usd&payment_method={card}&confirm=true");
    world.post("payment_intents", &form).await
}

/// The dispute of a payment, after the card has brought it.
async fn dispute_of(world: &World, intent: &Value) -> Value {
    world.advance(3);
    let found = world.get(&format!("disputes?payment_intent={}", text(intent, "id"))).await;
    found["data"][0].clone()
}

async fn net(world: &World) -> i64 {
    let balance = world.get("balance").await;
    let of = |part: &str| balance[part][0]["amount"].as_i64().expect("an amount");
    of("available") + of("pending")
}

#[actix_web::test]
async fn a_disputed_payment_is_taken_back_and_comes_back_when_it_is_won() {
    let world = World::start().await;
    let intent = paid(&world, "pm_card_createDispute").await;
    assert_eq!(net(&world).await, 5_000 - 175);
    let dispute = dispute_of(&world, &intent).await;
    let path = format!("disputes/{}", text(&dispute, "id"));
    assert_eq!((text(&dispute, "status"), text(&dispute, "reason")), ("needs_response", "fraudulent"));
    assert_eq!(net(&world).await, -175 - 1_500);
    let refund = world.try_post("refunds", &format!("payment_intent={}", text(&intent, "id"))).await;
    assert_eq!((refund.0, text(&refund.1["error"], "code")), (400, "charge_disputed"));

    let staged = world.post(&path, "evidence[customer_name]=Pia&submit=false").await;
    assert_eq!(text(&staged, "status"), "needs_response");
    assert_eq!(world.try_post(&path, "evidence[colour]=red").await.0, 400);
    let world = world.crash().await;
    let submitted = world.post(&path, "evidence[uncategorized_text]=winning_evidence").await;
    assert_eq!(text(&submitted, "status"), "under_review");
    assert_eq!(submitted["evidence"]["customer_name"], "Pia");
    world.advance(3);
    assert_eq!(text(&world.get(&path).await, "status"), "won");
    assert_eq!(net(&world).await, 5_000 - 175 - 1_500);
    assert_eq!(world.try_post(&path, "metadata[a]=b").await.0, 400);
    world.wait_for("charge.dispute.funds_reinstated").await;
    // A crash may deliver an event twice; the list has each once.
    let listed = world.get("events?limit=100").await;
    let newest_first = listed["data"].as_array().unwrap().iter().map(|event| text(event, "type"));
    let of_disputes: Vec<_> = newest_first.rev().filter(|name| name.starts_with("charge.dispute.")).collect();
    assert_eq!(
        of_disputes,
        [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
            "charge.dispute.updated",
            "charge.dispute.closed",
            "charge.dispute.funds_reinstated"
        ]
    );
    world.stop().await;
}

#[actix_web::test]
async fn an_unanswered_dispute_is_lost_and_an_inquiry_ends_by_itself() {
    let world = World::start().await;
    let lost = paid(&world, "pm_card_createDispute").await;
    let asked = paid(&world, "pm_card_createDisputeInquiry").await;
    let (lost, asked) = (dispute_of(&world, &lost).await, dispute_of(&world, &asked).await);
    assert_eq!(text(&asked, "status"), "warning_needs_response");
    assert_eq!(asked["balance_transactions"], json!([]));
    world.advance(11 * 86_400);
    for (dispute, wanted) in [(&lost, "lost"), (&asked, "warning_closed")] {
        let ended = world.get(&format!("disputes/{}", text(dispute, "id"))).await;
        assert_eq!(text(&ended, "status"), wanted);
        assert_eq!(ended["evidence_details"]["past_due"], true);
    }
    world.stop().await;
}

#[actix_web::test]
async fn a_payment_without_anything_left_is_not_disputed() {
    let world = World::start().await;
    let intent = paid(&world, "pm_card_createDispute").await;
    world.post("refunds", &format!("payment_intent={}", text(&intent, "id"))).await;
    assert!(dispute_of(&world, &intent).await.is_null());
    world.stop().await;
}

#[actix_web::test]
async fn a_control_opens_and_decides_disputes() {
    let world = World::start().await;
    let intent = paid(&world, "pm_card_visa").await;
    let id = text(&intent, "id");
    let command = |path: &str, body: Value| {
        let request = world.http.post(format!("{}/sandbox/{path}", world.base)).body(body.to_string());
        async move {
            let answer = request.send().await.expect("the sandbox answers");
            (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
        }
    };
    for wrong in [
        json!({}),
        json!({"payment_intent": "pi_none"}),
        json!({"payment_intent": id, "charge": "ch_none"}),
        json!({"payment_intent": id, "reason": "bored"}),
        json!({"payment_intent": id, "amount": 5_001}),
        json!({"payment_intent": id, "amount": 0}),
        json!({"payment_intent": id, "colour": "red"}),
    ] {
        assert_eq!(command("disputes", wrong.clone()).await.0, 400, "{wrong}");
    }
    let (status, dispute) = command("disputes", json!({"payment_intent": id, "inquiry": true})).await;
    assert_eq!((status, text(&dispute, "status")), (200, "warning_needs_response"));
    assert_eq!(command("disputes", json!({"payment_intent": id})).await.0, 400);
    let decide = format!("disputes/{}/decide", text(&dispute, "id"));
    assert_eq!(command(&decide, json!({"outcome": "lost"})).await.0, 400);
    let (_, escalated) = command(&decide, json!({"outcome": "escalated"})).await;
    assert_eq!((text(&escalated, "status"), &escalated["amount"]), ("needs_response", &json!(5_000)));
    let (_, ended) = command(&decide, json!({"outcome": "lost"})).await;
    assert_eq!(text(&ended, "status"), "lost");
    assert_eq!(command(&decide, json!({"outcome": "won"})).await.0, 400);
    assert_eq!(command("disputes/du_none/decide", json!({"outcome": "won"})).await.0, 404);
    world.stop().await;
}
