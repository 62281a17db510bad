//! Kept cards: listed by what may be known of them, removed by their owner alone.

use reqwest::Method;
use serde_json::Value;
use tests::money::GOOD_CARD;
use tests::{Person, on_both};

async fn pay_and_keep(person: &Person) {
    person.session_with_card("chat10", GOOD_CARD).await;
}

async fn cards(person: &Person) -> Vec<Value> {
    let answer = person.client.get("/api/me/cards").await.expect_status(200);
    answer.body["items"].as_array().expect("a list").clone()
}

async fn remove(person: &Person, id: &str) -> tests::Answer {
    person.client.send(Method::DELETE, &format!("/api/me/cards/{id}"), None).await
}

on_both! {
    async fn a_card_that_was_kept_is_listed_and_removed_by_its_owner_alone(server) {
        let dana = server.customer().await;
        assert_eq!(cards(&dana).await, Vec::<Value>::new(), "nobody pays, nothing is kept");
        let page = dana.client.get("/account").await.expect_status(200);
        assert!(page.text.contains("No card is saved."), "{page:?}");
        pay_and_keep(&dana).await;
        pay_and_keep(&dana).await;
        let kept = cards(&dana).await;
        assert_eq!(kept.len(), 1, "kept twice, and one card: {kept:?}");
        let card = kept[0].as_object().expect("an object");
        let fields: Vec<&str> = card.keys().map(String::as_str).collect();
        assert_eq!(fields, ["brand", "exp_month", "exp_year", "id", "last4"], "no more than that");
        assert_eq!(
            (&card["brand"], &card["last4"], &card["exp_month"], &card["exp_year"]),
            (&"visa".into(), &"4242".into(), &12.into(), &2034.into())
        );
        let page = dana.client.get("/account").await.expect_status(200);
        assert!(page.text.contains("Visa ending in 4242") && page.text.contains("Expires 12/2034"), "{page:?}");

        let id = card["id"].as_str().expect("an id");
        let carl = server.customer().await;
        remove(&carl, id).await.refused(404, "not_found");
        pay_and_keep(&carl).await;
        remove(&carl, id).await.refused(404, "not_found");
        for nonsense in ["pm_unknown", "%2e%2e%2fcustomers", "pm_1%2Fdetach", "a%20b"] {
            remove(&dana, nonsense).await.refused(404, "not_found");
        }
        assert_eq!(cards(&dana).await.len(), 1);
        remove(&dana, id).await.expect_status(204);
        assert_eq!(cards(&dana).await, Vec::<Value>::new());
        remove(&dana, id).await.refused(404, "not_found");
        assert_eq!(cards(&carl).await.len(), 1, "somebody else's stays");
    }

    async fn a_card_that_was_kept_pays_the_next_session_without_its_number(server) {
        let dana = server.customer().await;
        pay_and_keep(&dana).await;
        let kept = cards(&dana).await[0]["id"].as_str().expect("an id").to_owned();
        let checkout = dana.checkout("video15").await;
        let path = format!("/sandbox/checkout/{}", checkout.id);
        let page = dana.client.get(&path).await.expect_status(200);
        assert!(page.text.contains("Visa ending in 4242"), "{page:?}");
        dana.client.post_form(&format!("{path}/pay"), &[("payment_method", &kept)]).await.expect_status(303);
        dana.session_of(&checkout).await;
        assert_eq!(cards(&dana).await.len(), 1);
    }
}
