//! The API: calls that fail on demand, what events tell, further endpoints, pages and filters.

use serde_json::json;

use crate::world::{World, text};

#[actix_web::test]
async fn calls_fail_on_demand_and_only_as_many_as_asked_for() {
    let world = World::start().await;
    let set = |json: &'static str| {
        let request = world.http.post(format!("{}/sandbox/outage", world.base)).body(json);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    for wrong in
        ["", "{}", r#"{"failure": "fire", "calls": 1}"#, r#"{"failure": "api_error", "calls": 1001}"#]
    {
        assert_eq!(set(wrong).await, 400, "{wrong}");
    }
    assert_eq!(set(r#"{"failure": "rate_limit", "calls": 2}"#).await, 200);
    let world = world.crash().await;
    for wanted in [429, 429, 200] {
        let answer = world.post_with("customers", "", Some("k")).await;
        assert_eq!(answer.status(), wanted);
        assert_eq!(answer.headers().contains_key("stripe-should-retry"), wanted == 429);
    }
    assert_eq!(world.get("customers").await["data"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn what_is_too_much_or_not_there_is_refused_in_stripes_shape() {
    let world = World::start().await;
    let huge = format!("description={}", "x".repeat(1_100_000));
    let (status, body) = world.try_post("customers", &huge).await;
    assert_eq!((status, text(&body["error"], "type")), (413, "invalid_request_error"));
    let (status, body) = world.try_get("nowhere/at/all").await;
    assert_eq!((status, text(&body["error"], "type")), (404, "invalid_request_error"));
    let stranger = world.http.get(format!("{}/v1/customers", world.base)).send().await.unwrap();
    assert_eq!(stranger.headers()["www-authenticate"], "Basic realm=\"Stripe\"");
    assert!(stranger.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    world.stop().await;
}

#[actix_web::test]
async fn an_event_tells_the_request_behind_it_and_what_was_before() {
    let world = World::start().await;
    let customer = world.post("customers", "name=Maya&metadata[a]=1").await;
    let path = format!("customers/{}", text(&customer, "id"));
    let answer = world.post_with(&path, "name=Mia&metadata[b]=2", Some("k1")).await;
    let request = answer.headers()["request-id"].to_str().unwrap().to_owned();
    // Nothing changes, so that there is nothing to tell.
    world.post(&path, "name=Mia").await;
    let listed = world.get("events?type=customer.updated").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let event = &listed["data"][0];
    assert_eq!(event["data"]["previous_attributes"], json!({"metadata": {"b": null}, "name": "Maya"}));
    assert_eq!(event["request"], json!({"id": request, "idempotency_key": "k1"}));
    let session = world.session("").await;
    world.pay(&session, "4242424242424242", "").await;
    let paid = world.get("events?type=checkout.session.completed").await;
    assert_eq!(paid["data"][0]["request"], json!({"id": null, "idempotency_key": null}));
    world.stop().await;
}

#[actix_web::test]
async fn further_endpoints_are_told_what_they_asked_for_under_their_own_secret() {
    let world = World::start().await;
    let url = world.hook_url().to_owned();
    let made = world.post("webhook_endpoints", &format!("url={url}&enabled_events[]=product.created")).await;
    let secret = text(&made, "secret").to_owned();
    assert!(world.get(&format!("webhook_endpoints/{}", text(&made, "id"))).await["secret"].is_null());
    world.post("products", "name=A").await;
    world
        .wait("both to be told", |names| names.iter().filter(|name| *name == "product.created").count() == 2)
        .await;
    let ours = |arrived: &crate::world::Arrived| {
        let signed = sandbox::signature_header(&secret, crate::world::START, arrived.body.as_bytes());
        signed == arrived.signature
    };
    assert_eq!(world.arrived().iter().filter(|arrived| ours(arrived)).count(), 1);
    world.post("customers", "").await;
    world.wait_for("customer.created").await;
    let gone = world.http.delete(format!("{}/v1/webhook_endpoints/{}", world.base, text(&made, "id")));
    gone.header("authorization", "Bearer sk_test_x").send().await.unwrap();
    world.post("products", "name=B").await;
    world.wait("one more", |names| names.len() == 4).await;
    let told: Vec<_> = world.arrived().iter().filter(|arrived| ours(arrived)).cloned().collect();
    assert_eq!(told.len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn line_items_and_filters_page_like_any_list() {
    let world = World::start().await;
    let mut form = String::from("mode=payment&success_url=http://shop.test/&customer_email=p@b.test");
    for number in 0..3 {
        form.push_str(&format!(
            "&line_items[{number}][price_data][currency]=usd&line_items[{number}][price_data][unit_amount]=100\
             &line_items[{number}][price_data][product_data][name]=P{number}&line_items[{number}][quantity]=1"
        ));
    }
    let session = world.post("checkout/sessions", &form).await;
    let path = format!("checkout/sessions/{}/line_items", text(&session, "id"));
    let page = |query: String| {
        let (world, path) = (&world, &path);
        async move {
            let page = world.get(&format!("{path}?{query}")).await;
            let data = page["data"].as_array().unwrap().clone();
            let names = data.iter().map(|item| text(item, "description").to_owned()).collect::<Vec<_>>();
            (names.join(" "), page["has_more"] == true, text(data.last().unwrap(), "id").to_owned())
        }
    };
    let (names, more, last) = page("limit=2".into()).await;
    assert_eq!((names.as_str(), more), ("P0 P1", true));
    let (names, more, third) = page(format!("limit=2&starting_after={last}")).await;
    assert_eq!((names.as_str(), more), ("P2", false));
    let (names, more, _) = page(format!("limit=1&ending_before={third}")).await;
    assert_eq!((names.as_str(), more), ("P1", true));
    assert_eq!(world.try_get(&format!("{path}?starting_after=li_none")).await.0, 400);
    for (query, wanted) in [
        ("checkout/sessions?customer_details[email]=p@b.test", 1),
        ("checkout/sessions?customer_details[email]=q@b.test", 0),
        ("checkout/sessions?status=expired", 0),
        ("checkout/sessions?subscription=sub_1", 0),
        ("prices?active=false", 3),
        ("prices?active=true", 0),
        ("events?delivery_success=false&type=charge.failed", 0),
    ] {
        let found = world.get(query).await;
        assert_eq!(found["data"].as_array().unwrap().len(), wanted, "{query}");
    }
    for wrong in [
        "payment_intents?customer=cus_none",
        "prices?active=yes",
        "checkout/sessions?customer_details[name]=x",
    ] {
        assert_eq!(world.try_get(wrong).await.0, 400, "{wrong}");
    }
    world.stop().await;
}
