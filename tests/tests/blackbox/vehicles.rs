//! A customer's own cars: described for a session, added, corrected, taken off the list.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Person, on_both};

async fn cars(person: &Person) -> Vec<Value> {
    let list = person.client.get("/api/me/vehicles").await.expect_status(200);
    list.body["items"].as_array().expect("a list").clone()
}

async fn correct(client: &Client, id: &Value, change: Value) -> Answer {
    client
        .send(Method::PATCH, &format!("/api/me/vehicles/{}", id.as_str().expect("an id")), Some(change))
        .await
}

async fn remove(client: &Client, id: &Value) -> Answer {
    client.send(Method::DELETE, &format!("/api/me/vehicles/{}", id.as_str().expect("an id")), None).await
}

on_both! {
    async fn my_cars_are_listed_once_each(server) {
        let dana = server.customer().await;
        assert_eq!(cars(&dana).await, Vec::<Value>::new());
        dana.intake("chat10").await.expect_status(201);
        dana.intake("video15").await.expect_status(201);
        let listed = cars(&dana).await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!((&listed[0]["year"], &listed[0]["model"]), (&json!(2016), &json!("Civic")));
        server.mechanic().await.client.get("/api/me/vehicles").await.refused(403, "wrong_role");
    }

    async fn a_car_is_added_corrected_and_removed(server) {
        let (dana, other) = (server.customer().await, server.register("customer", "Olga Other").await);
        let polo = json!({ "year": 2019, "make": "Volkswagen", "model": "Polo", "vin": "", "mileage": 12_000 });
        let added = dana.client.post("/api/me/vehicles", polo.clone()).await.expect_status(201).body;
        assert_eq!((&added["vin"], &added["mileage"]), (&Value::Null, &json!(12_000)));
        dana.client.post("/api/me/vehicles", polo.clone()).await.refused(409, "vehicle_kept");
        let wrong = json!({ "year": 1900, "make": " ", "model": "Polo", "vin": "1HG" });
        let refused = dana.client.post("/api/me/vehicles", wrong).await;
        refused.refused(422, "invalid");
        let fields: Vec<&Value> = refused.body["errors"].as_array().expect("faults").iter().map(|one| &one["field"]).collect();
        assert_eq!(fields, ["year", "make", "vin"]);

        let golf = json!({ "model": "Golf", "mileage": null });
        let changed = correct(&dana.client, &added["id"], golf.clone()).await.expect_status(200).body;
        assert_eq!((&changed["model"], &changed["mileage"], &changed["make"]), (&json!("Golf"), &Value::Null, &json!("Volkswagen")));
        let second = dana.client.post("/api/me/vehicles", polo).await.expect_status(201).body;
        correct(&dana.client, &second["id"], golf.clone()).await.refused(409, "vehicle_kept");
        correct(&dana.client, &second["id"], json!({ "year": "2016" })).await.refused(422, "invalid");
        correct(&other.client, &second["id"], golf).await.refused(404, "not_found");
        remove(&other.client, &second["id"]).await.refused(404, "not_found");

        remove(&dana.client, &added["id"]).await.expect_status(204);
        remove(&dana.client, &added["id"]).await.refused(404, "not_found");
        correct(&dana.client, &added["id"], json!({ "year": 2018 })).await.refused(404, "not_found");
        let left: Vec<Value> = cars(&dana).await.iter().map(|car| car["model"].clone()).collect();
        assert_eq!(left, ["Polo"]);
        assert_eq!(cars(&other).await, Vec::<Value>::new());
    }

    async fn what_is_removed_stays_with_its_sessions_and_can_come_back(server) {
        let dana = server.customer().await;
        let session = dana.paid_session("chat10").await;
        let kept = cars(&dana).await;
        remove(&dana.client, &kept[0]["id"]).await.expect_status(204);
        assert_eq!(cars(&dana).await, Vec::<Value>::new());
        let room = dana.client.get(&format!("/chat/{session}")).await.expect_status(200);
        assert!(room.text.contains("2016 Honda Civic"), "{}", room.text);
        let archive = dana.client.get("/api/me/export").await.expect_status(200);
        assert_eq!((&archive.body["vehicles"], &archive.body["intakes"][0]["vehicle"]), (&json!([]), &json!("2016 Honda Civic")));
        dana.intake("video15").await.expect_status(201);
        let again = cars(&dana).await;
        assert_eq!(again.len(), 1);
        assert_ne!(again[0]["id"], kept[0]["id"]);
    }

    async fn a_long_list_is_paged_and_nothing_is_left_out_while_cars_change(server) {
        let dana = server.customer().await;
        for number in 0..5 {
            let car = json!({ "year": 2010 + number, "make": "Fiat", "model": "Panda" });
            dana.client.post("/api/me/vehicles", car).await.expect_status(201);
        }
        let page = async |cursor: &str| {
            dana.client.get(&format!("/api/me/vehicles?limit=2{cursor}")).await.expect_status(200).body
        };
        let years = |page: &Value| -> Vec<i64> {
            page["items"].as_array().expect("a list").iter().filter_map(|car| car["year"].as_i64()).collect()
        };
        let first = page("").await;
        assert_eq!(years(&first), [2014, 2013]);
        // One that was on the first page moves to the front again.
        correct(&dana.client, &first["items"][1]["id"], json!({ "mileage": 7 })).await.expect_status(200);
        let second = page(&format!("&cursor={}", first["next_cursor"].as_str().expect("a cursor"))).await;
        assert_eq!(years(&second), [2012, 2011]);
        let last = page(&format!("&cursor={}", second["next_cursor"].as_str().expect("a cursor"))).await;
        assert_eq!((years(&last), &last["next_cursor"]), (vec![2010], &Value::Null));
        dana.client.get("/api/me/vehicles?cursor=7").await.refused(422, "invalid");
    }

    async fn a_list_of_cars_ends_somewhere(server) {
        let dana = server.customer().await;
        for number in 0..50 {
            let car = json!({ "year": 2000, "make": "Fiat", "model": format!("Panda {number}") });
            dana.client.post("/api/me/vehicles", car).await.expect_status(201);
        }
        let one_more = json!({ "year": 2000, "make": "Fiat", "model": "Uno" });
        dana.client.post("/api/me/vehicles", one_more).await.refused(409, "too_many_vehicles");
        // Whoever wants help with another car is not stopped by that.
        dana.intake("chat10").await.expect_status(201);
    }
}
