//! Where somebody is signed in, and ending that.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tests::people::PASSWORD;
use tests::{Client, on_both};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

async fn list(client: &Client) -> Vec<Value> {
    let answer = client.get("/api/me/sign-ins").await.expect_status(200);
    answer.body["items"].as_array().expect("a list").clone()
}

fn id(sign_in: &Value) -> String {
    sign_in["id"].as_str().expect("an id").to_owned()
}

async fn end(client: &Client, path: &str) -> tests::Answer {
    client.send(Method::DELETE, path, None).await
}

on_both! {
    async fn devices_are_named_and_this_one_is_marked(server) {
        let dana = server.customer().await;
        let phone = server.guest().with_header("user-agent", FIREFOX);
        let body = serde_json::json!({ "email": dana.email, "password": PASSWORD });
        phone.post("/api/auth/login", body).await.expect_status(200);
        let found = list(&phone).await;
        assert_eq!(found.len(), 2, "{found:?}");
        let mine: Vec<&Value> = found.iter().filter(|one| one["current"] == true).collect();
        assert_eq!(mine.len(), 1, "{found:?}");
        assert_eq!((&mine[0]["device"], &mine[0]["place"]), (&Value::from("Firefox on Linux"), &Value::Null));
        assert!(mine[0]["last_seen_at"].is_string(), "{mine:?}");
    }

    async fn one_device_is_signed_out_and_its_sockets_end_within_a_second(server) {
        let dana = server.customer().await;
        let elsewhere = server.sign_in(&dana.email, PASSWORD).await;
        let mut socket = elsewhere.socket(server).await;
        socket.join(&dana.channel("customer"), 0).await;
        let mut mine = dana.socket(server).await;
        let found = list(&dana.client).await;
        let other = found.iter().find(|one| one["current"] == false).expect("the other device");
        let asked = Instant::now();
        end(&dana.client, &format!("/api/me/sign-ins/{}", id(other))).await.expect_status(204);
        socket.closed().await;
        assert!(asked.elapsed() < Duration::from_secs(1), "it took {:?}", asked.elapsed());
        elsewhere.client.get("/api/me").await.refused(401, "not_signed_in");
        mine.still_answers().await;
        end(&dana.client, &format!("/api/me/sign-ins/{}", id(other))).await.refused(404, "not_found");
        let max = server.customer().await;
        let foreign = id(&list(&max.client).await[0]);
        end(&dana.client, &format!("/api/me/sign-ins/{foreign}")).await.refused(404, "not_found");
        max.client.get("/api/me").await.expect_status(200);
    }

    async fn everywhere_else_is_signed_out_at_once(server) {
        let dana = server.customer().await;
        let (one, two) = (server.sign_in(&dana.email, PASSWORD).await, server.sign_in(&dana.email, PASSWORD).await);
        let max = server.customer().await;
        let (mut first, mut second) = (one.socket(server).await, two.socket(server).await);
        let asked = Instant::now();
        end(&dana.client, "/api/me/sign-ins").await.expect_status(204);
        first.closed().await;
        second.closed().await;
        assert!(asked.elapsed() < Duration::from_secs(1), "it took {:?}", asked.elapsed());
        for gone in [&one, &two] {
            gone.client.get("/api/me").await.refused(401, "not_signed_in");
        }
        assert_eq!(list(&dana.client).await.len(), 1, "this one stays");
        max.client.get("/api/me").await.expect_status(200);
        end(&dana.client, "/api/me/sign-ins").await.expect_status(204);
        let token = dana.client.post("/api/me/tokens", serde_json::json!({ "name": "A program" })).await;
        let program = server.guest().with_token(&token.expect_status(201).text_at("token"));
        assert_eq!(end(&program, "/api/me/sign-ins").await.status, 403, "a program has no device to stay on");
    }
}
