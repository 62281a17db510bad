//! The API: keys, errors, idempotency, lists, refunds.

use serde_json::json;

use crate::world::{World, text};

async fn paid_intent(world: &World, amount: i64, card: &str) -> String {
    let form = format!("amount={amount}&currency=usd&payment_method={card}&confirm=true&metadata[a]=b");
    let intent = world.post("payment_intents", &form).await;
    assert_eq!(text(&intent, "status"), "succeeded");
    text(&intent, "id").to_owned()
}

#[actix_web::test]
async fn only_test_keys_get_in() {
    let world = World::start().await;
    let url = format!("{}/v1/account", world.base);
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 401);
    for (header, wanted) in [
        ("Bearer sk_test_x", 200),
        ("bearer rk_test_x", 200),
        ("Basic c2tfdGVzdF94Og==", 200),
        ("Bearer sk_live_x", 401),
        ("Bearer sk_test_", 401),
        ("Basic %%%", 401),
        ("sk_test_x", 401),
    ] {
        let response = world.http.get(&url).header("authorization", header).send().await.unwrap();
        assert_eq!(response.status().as_u16(), wanted, "{header}");
        if wanted == 401 {
            let body: serde_json::Value = response.json().await.unwrap();
            assert_eq!(body["error"]["type"], "invalid_request_error");
        }
    }
    world.stop().await;
}

#[actix_web::test]
async fn mistakes_get_stripes_errors() {
    let world = World::start().await;
    let item = "line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=2999\
                &line_items[0][price_data][product_data][name]=A&line_items[0][quantity]=1";
    let good = format!("mode=payment&success_url=http://shop.test/&{item}");
    let soon = crate::world::START + 600;
    let late = crate::world::START + 90_000;
    for (path, form, status, code, param) in [
        ("checkout/sessions", String::new(), 400, "parameter_missing", "mode"),
        ("checkout/sessions", "mode=payment".into(), 400, "parameter_missing", "success_url"),
        (
            "checkout/sessions",
            "mode=payment&success_url=http://a.test".into(),
            400,
            "parameter_missing",
            "line_items",
        ),
        ("checkout/sessions", "mode=payment&success_url=nowhere".into(), 400, "url_invalid", "success_url"),
        ("checkout/sessions", format!("{good}&customer=cus_no"), 400, "resource_missing", "customer"),
        ("checkout/sessions", format!("{good}&colour=red"), 400, "parameter_unknown", "colour"),
        ("checkout/sessions", format!("{good}&expires_at={soon}"), 400, "", "expires_at"),
        ("checkout/sessions", format!("{good}&expires_at={late}"), 400, "", "expires_at"),
        (
            "checkout/sessions",
            format!("{good}&expires_at=soon"),
            400,
            "parameter_invalid_integer",
            "expires_at",
        ),
        (
            "checkout/sessions",
            format!("{good}&line_items[1][price]=price_no&line_items[1][quantity]=1"),
            400,
            "resource_missing",
            "line_items[1][price]",
        ),
        ("checkout/sessions", good.replace("2999", "49"), 400, "amount_too_small", ""),
        (
            "checkout/sessions",
            good.replace("2999", "-1"),
            400,
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            "checkout/sessions",
            good.replace("quantity]=1", "quantity]=0"),
            400,
            "parameter_invalid_integer",
            "line_items[0][quantity]",
        ),
        ("checkout/sessions", good.replace("mode=payment", "mode=subscription"), 400, "", "mode"),
        ("customers", "email=nobody".into(), 400, "email_invalid", "email"),
        ("customers", "email[a]=nobody".into(), 400, "", "email"),
        ("customers/cus_no", "email=a@b.test".into(), 404, "resource_missing", "id"),
        ("payment_intents", "amount=2000".into(), 400, "parameter_missing", "currency"),
        ("payment_intents", "amount=1&currency=usd".into(), 400, "amount_too_small", "amount"),
        ("payment_intents", "amount=2000&currency=xxx".into(), 400, "", "currency"),
        (
            "webhook_endpoints",
            "url=http://shop.test/hook&enabled_events[]=charge.succeeded&enabled_events[]=nope".into(),
            400,
            "",
            "enabled_events",
        ),
        (
            "payment_intents",
            "amount=2000&currency=usd&confirm=true&payment_method=pm_no".into(),
            400,
            "resource_missing",
            "payment_method",
        ),
        (
            "payment_intents",
            "amount=2000&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined".into(),
            402,
            "card_declined",
            "",
        ),
        (
            "payment_methods",
            "type=card&card[number]=4242424242424241&card[exp_month]=1&card[exp_year]=2034".into(),
            402,
            "incorrect_number",
            "number",
        ),
        ("refunds", String::new(), 400, "parameter_missing", "payment_intent"),
        ("refunds", "payment_intent=pi_no".into(), 400, "resource_missing", "payment_intent"),
        ("invoices", String::new(), 404, "", ""),
    ] {
        let (answered, body) = world.try_post(path, &form).await;
        let error = &body["error"];
        let got = (
            answered,
            error["code"].as_str().unwrap_or_default(),
            error["param"].as_str().unwrap_or_default(),
        );
        assert_eq!(got, (status, code, param), "{path} {form}: {body}");
        assert!(!text(error, "message").is_empty());
        let kind = if status == 402 { "card_error" } else { "invalid_request_error" };
        assert_eq!(text(error, "type"), kind);
    }
    assert_eq!(
        world.get("events").await["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["type"] == "payment_intent.payment_failed")
            .count(),
        1
    );
    for (path, status) in [
        ("prices/price_no", 404),
        ("checkout/sessions/cs_no", 404),
        ("customers?limit=0", 400),
        ("customers?starting_after=cus_no", 400),
        ("customers?wanted=1", 400),
        ("customers/search?query=x", 404),
        ("payment_methods", 400),
    ] {
        assert_eq!(world.try_get(path).await.0, status, "{path}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn one_key_does_one_thing_and_answers_it_again() {
    let world = World::start().await;
    let first = world.post_with("customers", "email=a@b.test&metadata[x]=1", Some("k1")).await;
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: serde_json::Value = first.json().await.unwrap();
    let world = world.crash().await;
    let again = world.post_with("customers", "metadata[x]=1&email=a@b.test", Some("k1")).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.json::<serde_json::Value>().await.unwrap(), first);
    for (path, form) in
        [("customers", "email=other@b.test"), ("payment_intents", "email=a@b.test&metadata[x]=1")]
    {
        let refused = world.post_with(path, form, Some("k1")).await;
        assert_eq!(refused.status(), 400);
        let body: serde_json::Value = refused.json().await.unwrap();
        assert_eq!(body["error"]["type"], "idempotency_error");
    }
    assert_eq!(world.get("customers").await["data"].as_array().unwrap().len(), 1);
    // A refused request leaves its key free; a declined payment was carried out and is answered again.
    assert_eq!(world.post_with("customers", "email=wrong", Some("k2")).await.status(), 400);
    assert_eq!(world.post_with("customers", "email=right@b.test", Some("k2")).await.status(), 200);
    let declined = "amount=2000&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined";
    for replayed in [false, true] {
        let response = world.post_with("payment_intents", declined, Some("k3")).await;
        assert_eq!(response.status(), 402);
        assert_eq!(response.headers().get("idempotent-replayed").is_some(), replayed);
    }
    assert_eq!(world.get("payment_intents").await["data"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn simultaneous_requests_under_one_key_do_one_thing() {
    let world = World::start().await;
    let send = || world.post_with("customers", "email=a@b.test", Some("k1"));
    let (one, two, three) = tokio::join!(send(), send(), send());
    let mut bodies = std::collections::HashSet::new();
    for response in [one, two, three] {
        assert_eq!(response.status(), 200);
        bodies.insert(response.text().await.unwrap());
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(world.get("customers").await["data"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn no_more_is_refunded_than_was_paid() {
    let world = World::start().await;
    let intent = paid_intent(&world, 3_000, "pm_card_visa").await;
    let refund = |more: &str| format!("payment_intent={intent}&{more}");
    let over = world.try_post("refunds", &refund("amount=3001")).await;
    assert_eq!(
        (over.0, text(&over.1["error"], "message")),
        (400, "Refund amount ($30.01) is greater than charge amount ($30.00)")
    );
    let part =
        world.post("refunds", &refund("amount=1000&reason=requested_by_customer&metadata[why]=late")).await;
    assert_eq!(
        (text(&part, "status"), &part["amount"], &part["metadata"]),
        ("succeeded", &json!(1000), &json!({"why": "late"}))
    );
    let over = world.try_post("refunds", &refund("amount=2001")).await;
    assert_eq!(
        (over.0, text(&over.1["error"], "message")),
        (400, "Refund amount ($20.01) is greater than unrefunded amount on charge ($20.00)")
    );
    for wrong in ["amount=0", "amount=-5", "amount=x", "reason=bored"] {
        assert_eq!(world.try_post("refunds", &refund(wrong)).await.0, 400, "{wrong}");
    }
    let rest = world.post("refunds", &format!("charge={}", text(&part, "charge"))).await;
    assert_eq!(rest["amount"], 2000);
    let again = world.try_post("refunds", &refund("")).await;
    assert_eq!((again.0, text(&again.1["error"], "code")), (400, "charge_already_refunded"));
    let charge = world.get(&format!("charges/{}?expand[]=refunds", text(&part, "charge"))).await;
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(3000), &json!(true)));
    assert_eq!(charge["refunds"]["data"].as_array().unwrap().len(), 2);
    let listed = world.get(&format!("refunds?payment_intent={intent}")).await;
    assert_eq!(listed["data"][0]["id"], rest["id"]);
    world
        .wait("both refunds", |names| names.iter().filter(|name| *name == "charge.refunded").count() == 2)
        .await;

    let failing = paid_intent(&world, 3_000, "pm_card_refundFail").await;
    let refund = world.post("refunds", &format!("payment_intent={failing}")).await;
    world.advance(3);
    assert_eq!(text(&world.get(&format!("refunds/{}", text(&refund, "id"))).await, "status"), "failed");
    world.wait_for("refund.failed").await;
    world.stop().await;
}

#[actix_web::test]
async fn lists_are_filtered_and_paged_newest_first() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.insert(0, text(&world.post("customers", &format!("name=N{number}")).await, "id").to_owned());
        world.advance(10);
    }
    let page = |query: String| {
        let world = &world;
        async move {
            let page = world.get(&format!("customers?{query}")).await;
            let ids: Vec<_> =
                page["data"].as_array().unwrap().iter().map(|item| text(item, "id").to_owned()).collect();
            (ids, page["has_more"].as_bool().unwrap())
        }
    };
    assert_eq!(page("limit=2".into()).await, (ids[..2].to_vec(), true));
    assert_eq!(page(format!("limit=2&starting_after={}", ids[1])).await, (ids[2..4].to_vec(), true));
    assert_eq!(page(format!("limit=2&starting_after={}", ids[3])).await, (ids[4..].to_vec(), false));
    assert_eq!(page(format!("limit=2&ending_before={}", ids[3])).await, (ids[1..3].to_vec(), true));
    let start = crate::world::START;
    assert_eq!(
        page(format!("created[gte]={}&created[lt]={}", start + 10, start + 30)).await,
        (ids[2..4].to_vec(), false)
    );
    let events = world.get("events?types[]=customer.created&types[]=customer.updated&limit=3").await;
    assert_eq!(events["data"].as_array().unwrap().len(), 3);
    let gone = world
        .http
        .delete(format!("{}/v1/customers/{}", world.base, ids[0]))
        .header("authorization", "Bearer sk_test_x");
    assert_eq!(gone.send().await.unwrap().json::<serde_json::Value>().await.unwrap()["deleted"], true);
    assert_eq!(world.get(&format!("customers/{}", ids[0])).await["deleted"], true);
    assert_eq!(
        world.try_post("payment_intents", &format!("amount=2000&currency=usd&customer={}", ids[0])).await.0,
        400
    );
    world.stop().await;
}

#[actix_web::test]
async fn a_configured_price_is_sold_under_its_id() {
    let world = World::start().await;
    let set = |json: &'static str| {
        let request = world.http.post(format!("{}/sandbox/prices", world.base)).body(json);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(
        set(r#"{"id":"price_chat10","currency":"usd","unit_amount":999,"name":"Quick Chat"}"#).await,
        200
    );
    assert_eq!(set(r#"{"id":"chat10","currency":"usd","unit_amount":999,"name":"Quick Chat"}"#).await, 400);
    assert_eq!(set(r#"{"id":"price_a"}"#).await, 400);
    let form = "mode=payment&success_url=http://shop.test/&line_items[0][price]=price_chat10&line_items[0][quantity]=2";
    let session = world.post("checkout/sessions?expand[]=line_items", form).await;
    assert_eq!(session["amount_total"], 1998);
    assert_eq!(session["line_items"]["data"][0]["price"]["id"], "price_chat10");
    let made = world.post("prices", "currency=usd&unit_amount=500&product_data[name]=Tip").await;
    let read = world.get(&format!("prices/{}?expand[]=product", text(&made, "id"))).await;
    assert_eq!(read["product"]["name"], "Tip");
    assert_eq!(world.try_get(&format!("prices/{}?expand[]=currency", text(&made, "id"))).await.0, 400);
    world.stop().await;
}

#[actix_web::test]
async fn every_page_of_the_sandbox_answers() {
    let world = World::start().await;
    world.post("customers", "").await;
    for (path, status, holds) in [
        ("static/sandbox.css", 200, "--accent"),
        ("static/favicon.svg", 200, "<svg"),
        ("static/nothing", 404, "no such payment"),
        ("nowhere", 404, "no such payment"),
    ] {
        let page = world.page(path).await;
        assert_eq!(page.status().as_u16(), status, "{path}");
        assert!(page.text().await.unwrap().contains(holds), "{path}");
    }
    let overview =
        world.http.get(format!("{}/sandbox", world.base)).send().await.unwrap().text().await.unwrap();
    assert!(overview.contains("customer.created") && overview.contains("4242 4242 4242 4242"));
    world.stop().await;
}
