//! Connected accounts: onboarding, transfers, reversals, the balance behind them.

use serde_json::{Value, json};

use crate::world::{World, location, text};

/// An account that can be sent money.
async fn ready(world: &World) -> String {
    let form = "type=custom&business_type=individual&business_profile[url]=http://shop.test/&capabilities[transfers][requested]=true\
                &external_account=btok_us_verified&tos_acceptance[date]=1700000000&tos_acceptance[ip]=127.0.0.1";
    let account = world.post("accounts", form).await;
    assert_eq!(account["capabilities"]["transfers"], "active", "{account}");
    text(&account, "id").to_owned()
}

async fn charge(world: &World, card: &str) -> String {
    let form = format!("amount=10000&currency=usd&payment_method={card}&confirm=true");
    text(&world.post("payment_intents", &form).await, "latest_charge").to_owned()
}

async fn refusal(world: &World, path: &str, form: &str) -> (u16, String) {
    let (status, body) = world.try_post(path, form).await;
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

#[actix_web::test]
async fn an_account_receives_once_its_owner_has_completed_it() {
    let world = World::start().await;
    let account = world
        .post("accounts", "type=express&country=US&email=m@b.test&capabilities[transfers][requested]=true")
        .await;
    let id = text(&account, "id");
    assert_eq!(account["requirements"]["currently_due"].as_array().unwrap().len(), 5);
    let source = charge(&world, "pm_card_visa").await;
    let transfer = format!("amount=100&currency=usd&destination={id}&source_transaction={source}");
    assert_eq!(
        refusal(&world, "transfers", &transfer).await,
        (400, "insufficient_capabilities_for_transfer".to_owned())
    );
    let wanted = format!(
        "account={id}&type=account_onboarding&refresh_url=http://shop.test/again&return_url=http://shop.test/done"
    );
    let link = world.post("account_links", &wanted).await;
    let path = text(&link, "url").strip_prefix(&format!("{}/sandbox/", world.base)).unwrap().to_owned();
    let page = world.page(&path).await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("Get paid by Test Shop") && html.contains("m@b.test"), "{html}");
    assert_eq!(world.submit(&path, "outcome=maybe").await.status(), 400);
    let later = world.submit(&path, "outcome=fail").await;
    assert_eq!(location(&later), "http://shop.test/done");
    assert_eq!(location(&world.submit(&path, "outcome=complete").await), "http://shop.test/again");

    let link = world.post("account_links", &wanted).await;
    let path = text(&link, "url").strip_prefix(&format!("{}/sandbox/", world.base)).unwrap().to_owned();
    assert_eq!(location(&world.submit(&path, "outcome=complete").await), "http://shop.test/done");
    let account = world.get(&format!("accounts/{id}")).await;
    assert_eq!(
        (&account["payouts_enabled"], &account["requirements"]["currently_due"]),
        (&json!(true), &json!([]))
    );
    world.wait_for("account.updated").await;
    let event = world.arrived().into_iter().find(|one| one.event["type"] == "account.updated").unwrap().event;
    assert_eq!(
        (&event["account"], &event["data"]["previous_attributes"]["payouts_enabled"]),
        (&json!(id), &json!(false))
    );
    assert_eq!(world.post("transfers", &transfer).await["destination"], id);

    let stale = world.post("account_links", &wanted).await;
    world.advance(300);
    let path = text(&stale, "url").strip_prefix(&format!("{}/sandbox/", world.base)).unwrap().to_owned();
    assert_eq!(location(&world.page(&path).await), "http://shop.test/again");
    assert_eq!(world.page(&format!("accounts/{id}/onboarding/alink_none")).await.status(), 404);
    world.stop().await;
}

#[actix_web::test]
async fn no_more_is_passed_on_than_there_is_and_no_more_comes_back_than_was_passed_on() {
    let world = World::start().await;
    let account = ready(&world).await;
    let source = charge(&world, "pm_card_visa").await;
    let to = format!("currency=usd&destination={account}");
    let insufficient = (400, "balance_insufficient".to_owned());
    // The charge is pending for two days, so that only a transfer that names it can be made now.
    assert_eq!(refusal(&world, "transfers", &format!("{to}&amount=100")).await, insufficient);
    let made = world.post("transfers", &format!("{to}&amount=6000&source_transaction={source}")).await;
    let over = format!("{to}&amount=4001&source_transaction={source}");
    assert_eq!(refusal(&world, "transfers", &over).await, insufficient);
    for (form, wanted) in [
        (format!("{to}&amount=0&source_transaction={source}"), "parameter_invalid_integer"),
        (to.clone(), "parameter_missing"),
        (format!("{to}&amount=1&source_transaction=ch_none"), "resource_missing"),
        ("currency=usd&amount=1&destination=acct_none".to_owned(), "resource_missing"),
    ] {
        assert_eq!(refusal(&world, "transfers", &form).await, (400, wanted.to_owned()), "{form}");
    }
    let reversals = format!("transfers/{}/reversals", text(&made, "id"));
    world.post(&reversals, "amount=1000").await;
    assert_eq!(refusal(&world, &reversals, "amount=5001").await, (400, "amount_too_large".to_owned()));
    world.post(&reversals, "").await;
    assert_eq!(world.try_post(&reversals, "").await.0, 400);
    let read = world.get(&format!("transfers/{}", text(&made, "id"))).await;
    assert_eq!((&read["reversed"], &read["amount_reversed"]), (&json!(true), &json!(6_000)));
    assert_eq!(read["reversals"]["data"].as_array().unwrap().len(), 2);

    world.advance(2 * 86_400);
    let balance: Value = world.get("balance").await;
    assert_eq!(
        (&balance["available"][0]["amount"], &balance["pending"][0]["amount"]),
        (&json!(9_680), &json!(0))
    );
    assert_eq!(refusal(&world, "transfers", &format!("{to}&amount=9681")).await, insufficient);
    world.post("transfers", &format!("{to}&amount=9680")).await;
    assert_eq!(world.get("balance").await["available"][0]["amount"], 0);
    world.stop().await;
}

#[actix_web::test]
async fn an_account_that_is_not_connected_is_out_of_reach() {
    let world = World::start().await;
    let account = ready(&world).await;
    let path = format!("{}/v1/accounts/{account}", world.base);
    let gone = world.http.delete(&path).header("authorization", "Bearer sk_test_x").send().await.unwrap();
    assert_eq!(gone.json::<Value>().await.unwrap()["deleted"], true);
    for id in [account.as_str(), "acct_none"] {
        let (status, body) = world.try_get(&format!("accounts/{id}")).await;
        assert_eq!((status, text(&body["error"], "code")), (403, "account_invalid"));
        assert_eq!(refusal(&world, &format!("accounts/{id}"), "email=a@b.test").await.0, 403);
        let transfer = format!("amount=100&currency=usd&destination={id}");
        assert_eq!(refusal(&world, "transfers", &transfer).await, (400, "resource_missing".to_owned()));
    }
    let acting = world.http.get(format!("{}/v1/balance", world.base)).header("stripe-account", "acct_none");
    let acting = acting.header("authorization", "Bearer sk_test_x").send().await.unwrap();
    assert_eq!(acting.status(), 400);
    world.stop().await;
}
