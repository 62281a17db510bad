//! The audit log: whatever an admin reads or does that is not their own.

use reqwest::Method;
use serde_json::{Value, json};
use tests::document::Document;
use tests::{Answer, Person, TestServer, on_both};

const NOBODY: &str = "01900000-0000-7000-8000-000000000001";

/// The lines that hold the id of the request which this is the answer of.
async fn lines(admin: &Person, answer: &Answer) -> Vec<Value> {
    let id = answer.headers["x-request-id"].to_str().expect("an id").to_owned();
    let log = admin.client.get("/api/admin/audit?limit=20").await.expect_status(200);
    let items = log.body["items"].as_array().expect("lines").clone();
    items.into_iter().filter(|line| line["details"]["request_id"] == id.as_str()).collect()
}

/// Every operation that only admins may use.
fn operations() -> Vec<(Method, String)> {
    let paths = Document::of_binary().json["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation["description"].as_str().is_some_and(|text| text.ends_with("For admins.")) {
                found.push((method.to_uppercase().parse().expect("a method"), path.replace("{id}", NOBODY)));
            }
        }
    }
    assert!(found.len() > 8, "{found:?}");
    found
}

async fn bought(server: &TestServer) -> (Person, String) {
    let dana = server.customer().await;
    let session = dana.paid_session("chat10").await;
    (dana, session)
}

on_both! {
    async fn every_use_of_an_admins_route_is_written_down(server) {
        let admin = server.admin().await;
        for (method, path) in operations() {
            let body = (method != Method::GET).then(|| json!({}));
            let answer = admin.client.send(method.clone(), &path, body).await;
            let lines = lines(&admin, &answer).await;
            let [line] = lines.as_slice() else { panic!("{method} {path}: {lines:?}") };
            let action = if method == Method::GET { "admin.read" } else { "admin.act" };
            assert_eq!(line["action"], action, "{line}");
            assert_eq!(line["actor_id"], admin.id.as_str(), "{line}");
            assert_eq!(line["details"]["asked"], path.as_str(), "{line}");
            assert!(line["address"].is_string(), "{line}");
        }
    }

    async fn what_an_admin_does_has_a_line_of_its_own(server) {
        let (_, session) = bought(server).await;
        let (admin, max) = (server.admin().await, server.register("mechanic", "Max").await);
        let of = |verb: &str| format!("/api/admin/mechanics/{}/{verb}", max.id);
        let why = json!({ "reason": "No certificate." });
        let given = json!({ "mechanic_id": server.mechanic().await.id });
        let some = json!({ "amount_cents": 100, "reason": "Half an answer." });
        for (path, body, action) in [
            (of("refuse"), why.clone(), "mechanic.refuse"),
            (of("approve"), json!({}), "mechanic.approve"),
            (of("suspend"), why, "mechanic.suspend"),
            (format!("/api/admin/sessions/{session}/observe"), json!({}), "session.observe"),
            (format!("/api/admin/sessions/{session}/assign"), given, "session.assign"),
            (format!("/api/admin/sessions/{session}/refund"), some, "session.refund"),
            (format!("/api/sessions/{session}/cancel"), json!({}), "session.cancel"),
        ] {
            let answer = admin.client.post(&path, body).await.expect_status(200);
            let lines = lines(&admin, &answer).await;
            let line = lines.iter().find(|line| line["action"] == action);
            let line = line.unwrap_or_else(|| panic!("{path}: {lines:?}"));
            assert!(line["address"].is_string(), "{line}");
        }
    }

    async fn the_log_tells_who_looked_at_a_person(server) {
        let (dana, admin, support) = (server.customer().await, server.admin().await, server.demo("support").await);
        for (reader, path) in [
            (&support, format!("/api/admin/users/{}", dana.id)),
            (&admin, format!("/api/admin/users/{}", dana.id)),
            (&admin, format!("/admin/users/{}", dana.id)),
            (&admin, format!("/api/admin/users/{}", admin.id)),
        ] {
            reader.client.get(&path).await.expect_status(200);
        }
        admin.client.get(&format!("/api/admin/users/{NOBODY}")).await.refused(404, "not_found");
        let of = async |id: &str| {
            let path = format!("/api/admin/audit?action=user.read&object_kind=user&object_id={id}");
            admin.client.get(&path).await.expect_status(200).body["items"].as_array().expect("lines").clone()
        };
        let looks = of(&dana.id).await;
        let readers: Vec<&Value> = looks.iter().map(|line| &line["actor_id"]).collect();
        assert_eq!(readers, [admin.id.as_str(), admin.id.as_str(), support.id.as_str()], "{looks:?}");
        for line in &looks {
            assert!(line["address"].is_string(), "{line}");
        }
        assert_eq!((of(&admin.id).await, of(NOBODY).await), (vec![], vec![]), "one's own, and nobody");
    }

    async fn a_token_that_opens_what_is_others_is_written_down(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let of = async |person: &Person| {
            let path = format!("/api/admin/audit?object_kind=token&actor_id={}", person.id);
            let log = admin.client.get(&path).await.expect_status(200);
            let lines = log.body["items"].as_array().expect("lines").clone();
            let told = |line: &Value| (line["action"].clone(), line["object_id"].clone(), line["address"].is_string());
            lines.iter().map(told).collect::<Vec<_>>()
        };
        for person in [&dana, &admin] {
            let made = person.client.post("/api/me/tokens", json!({ "name": "script" })).await.expect_status(201);
            let id = made.text_at("id");
            let ended = person.client.send(Method::DELETE, &format!("/api/me/tokens/{id}"), None).await;
            ended.expect_status(204);
            let told = of(person).await;
            if person.id == dana.id {
                assert!(told.is_empty(), "{told:?}");
            } else {
                let (made, ended) = (json!("token.create"), json!("token.revoke"));
                assert_eq!(told, [(ended, json!(id), true), (made, json!(id), true)]);
            }
        }
    }

    async fn what_an_admin_reads_of_others_is_written_down(server) {
        let (dana, session) = bought(server).await;
        let admin = server.admin().await;
        let order = dana.client.get("/api/me/export").await.body["orders"][0]["order_id"].as_str().expect("an order").to_owned();
        for (path, action, id) in [
            (format!("/api/sessions/{session}"), "session.read", &session),
            (format!("/api/sessions/{session}/events"), "session.read", &session),
            (format!("/chat/{session}"), "session.read", &session),
            (format!("/api/orders/{order}/receipt"), "order.read", &order),
            (format!("/orders/{order}/receipt"), "order.read", &order),
            (format!("/api/crm/interactions?customer_id={}", dana.id), "customer.read", &dana.id),
        ] {
            let answer = admin.client.get(&path).await.expect_status(200);
            let lines = lines(&admin, &answer).await;
            assert!(lines.iter().any(|line| line["action"] == action && line["object_id"] == id.as_str()), "{path}: {lines:?}");
        }
        // What is one's own is nobody else's business.
        dana.client.get(&format!("/api/orders/{order}/receipt")).await.expect_status(200);
        let by_dana = admin.client.get(&format!("/api/admin/audit?actor_id={}", dana.id)).await;
        assert_eq!(by_dana.body["items"], json!([]));
    }

    async fn the_log_is_narrowed_and_paged(server) {
        let admin = server.admin().await;
        for _ in 0..3 {
            server.mechanic().await;
        }
        let narrow = "/api/admin/audit?action=mechanic.approve&object_kind=mechanic&limit=2";
        let first = admin.client.get(narrow).await.expect_status(200);
        let actions = |answer: &Answer| -> Vec<Value> {
            answer.body["items"].as_array().expect("lines").iter().map(|line| line["action"].clone()).collect()
        };
        assert_eq!(actions(&first), ["mechanic.approve", "mechanic.approve"]);
        let next = first.text_at("next_cursor");
        let rest = admin.client.get(&format!("{narrow}&cursor={next}")).await.expect_status(200);
        assert!(actions(&rest).iter().all(|action| action == "mechanic.approve") && !actions(&rest).is_empty());
        let one = first.text_at("/items/0/object_id");
        let of_one = admin.client.get(&format!("/api/admin/audit?object_id={one}")).await.expect_status(200);
        assert_eq!(actions(&of_one), ["mechanic.approve"]);
        let page = admin.client.get("/admin/audit?action=mechanic.approve").await.expect_status(200);
        assert!(page.text.contains("mechanic.approve") && page.text.contains(&one), "{}", page.text);
        admin.client.get("/admin/audit?actor_id=nobody").await.expect_status(422);
    }
}
