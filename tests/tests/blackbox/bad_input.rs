//! Every endpoint with input that makes no sense: the contract's error with a code, never a server error, never a panic.
//! The client panics at every 5xx by itself.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Meeting, on_both};
use uuid::Uuid;

/// Every endpoint that takes a body, with a body that would be fine.
fn bodies(meeting: &Meeting) -> Vec<(Method, String, Value)> {
    let session = &meeting.session;
    let mechanic = &meeting.mechanic.id;
    let post = |path: &str, body: Value| (Method::POST, path.to_owned(), body);
    vec![
        post(
            "/api/auth/register",
            json!({ "email": "a@example.com", "password": "long enough 123", "name": "A", "role": "customer" }),
        ),
        post("/api/auth/login", json!({ "email": "a@example.com", "password": "x" })),
        post("/api/auth/magic-link", json!({ "email": "a@example.com" })),
        post("/api/auth/verify", json!({ "token": "x" })),
        post("/api/auth/password/forgot", json!({ "email": "a@example.com" })),
        post("/api/auth/password/reset", json!({ "token": "x", "password": "long enough 123" })),
        (Method::PATCH, "/api/me".to_owned(), json!({ "name": "B" })),
        post("/api/me/tokens", json!({ "name": "script" })),
        post("/api/intake/start", tests::money::intake_body("chat10")),
        post("/api/checkout", json!({ "intake_id": Uuid::new_v4().to_string() })),
        post(&format!("/api/sessions/{session}/messages"), json!({ "client_ref": "a", "text": "b" })),
        post(&format!("/api/admin/sessions/{session}/assign"), json!({ "mechanic_id": mechanic })),
        (Method::PUT, "/api/mechanics/me/duty".to_owned(), json!({ "on_duty": true })),
        post("/dev/clock", json!({ "advance_seconds": 0 })),
    ]
}

/// Every endpoint that names something by its id.
fn ids(id: &str) -> Vec<(Method, String)> {
    [
        (Method::GET, format!("/api/sessions/{id}")),
        (Method::GET, format!("/api/sessions/{id}/events")),
        (Method::POST, format!("/api/sessions/{id}/start")),
        (Method::POST, format!("/api/sessions/{id}/end")),
        (Method::POST, format!("/api/sessions/{id}/cancel")),
        (Method::POST, format!("/api/requests/{id}/accept")),
        (Method::POST, format!("/api/requests/{id}/decline")),
        (Method::DELETE, format!("/api/me/tokens/{id}")),
        (Method::GET, format!("/api/files/{id}")),
        (Method::GET, format!("/api/orders/{id}/receipt")),
        (Method::POST, format!("/api/admin/mechanics/{id}/approve")),
        (Method::POST, format!("/api/admin/sessions/{id}/observe")),
        (Method::GET, format!("/api/sessions/resolve-by-stripe?session_id={id}")),
    ]
    .to_vec()
}

const NONSENSE: [&str; 8] =
    ["{", "", "nonsense", "{\"a\":1", "\u{0}", "{\"a\":\"\\ud800\"}", "[[[[", "{\"a\":1}}"];

on_both! {
    async fn bodies_that_make_no_sense_are_refused(server) {
        let meeting = server.meeting().await;
        let admin = server.admin().await;
        for (method, path, body) in bodies(&meeting) {
            let everyone = [&meeting.customer, &meeting.mechanic, &admin];
            for person in everyone {
                for text in NONSENSE {
                    let request = person.client.request(method.clone(), &path).header("content-type", "application/json").body(text);
                    let answer = person.client.perform(format!("{method} {path} {text:?}"), request).await;
                    assert!((400..500).contains(&answer.status), "{answer:?}");
                    answer.assert_is_problem();
                }
                for wrong in [json!(null), json!(5), json!("text"), json!([]), json!([body.clone()]), json!({ "nothing_known": 1 })] {
                    let answer = person.client.send(method.clone(), &path, Some(wrong.clone())).await;
                    assert!((400..500).contains(&answer.status), "{wrong}: {answer:?}");
                    answer.assert_is_problem();
                }
                for (field, value) in body.as_object().expect("an object") {
                    for wrong in [json!(null), json!({}), json!([1]), json!(1e308), json!("\u{0}"), json!("x".repeat(30_000)), json!(true), json!(-1)] {
                        if std::mem::discriminant(&wrong) == std::mem::discriminant(value) && (wrong.is_boolean() || wrong.is_number()) {
                            continue;
                        }
                        let mut changed = body.clone();
                        changed[field.as_str()] = wrong.clone();
                        let answer = person.client.send(method.clone(), &path, Some(changed)).await;
                        let shown: String = wrong.to_string().chars().take(30).collect();
                        if answer.status >= 300 {
                            assert!((400..500).contains(&answer.status), "{field} = {shown}: {answer:?}");
                            answer.assert_is_problem();
                        } else {
                            assert!(wrong.is_null() || wrong.is_string(), "{field} = {shown} passes: {answer:?}");
                        }
                    }
                }
                let mut more = body.clone();
                more["one_more"] = json!(1);
                let answer = person.client.send(method.clone(), &path, Some(more)).await;
                if answer.status == 422 {
                    assert_eq!(answer.code(), Some("unknown_field"), "{answer:?}");
                }
                assert!((400..500).contains(&answer.status), "{answer:?}");
            }
        }
    }

    async fn a_list_is_not_taken_for_the_fields_of_a_request(server) {
        let guest = server.guest();
        guest.post("/api/auth/login", json!(["customer@example.com", tests::people::DEMO_PASSWORD])).await.refused(422, "invalid");
        let dana = server.demo("customer").await;
        dana.client.post("/api/checkout", json!([Uuid::new_v4().to_string()])).await.refused(422, "invalid");
        let mut nested = tests::money::intake_body("chat10");
        nested["vehicle"] = json!([2016, "Honda", "Civic", null, 84_000]);
        let answer = dana.client.post("/api/intake/start", nested).await;
        let told = &answer.body["errors"][0];
        assert_eq!((&told["field"], &told["code"]), (&json!("vehicle"), &json!("wrong_type")), "{answer:?}");
        answer.refused(422, "invalid");
        assert_eq!(server.database().count("intakes", "1 = 1"), 0);
    }

    async fn another_content_type_and_a_long_body_are_refused(server) {
        let dana = server.demo("customer").await;
        let path = "/api/intake/start";
        dana.client.post_bytes(path, "text/plain", b"{}").await.refused(415, "unsupported_media_type");
        dana.client.post_bytes(path, "application/x-www-form-urlencoded", b"plan=chat10").await.refused(415, "unsupported_media_type");
        let long = format!("{{\"plan\":\"{}\"}}", "x".repeat(5_000_000));
        dana.client.post_bytes(path, "application/json", long.as_bytes()).await.refused(413, "body_too_large");
        dana.client.get("/api/me").await.expect_status(200);
    }

    async fn ids_that_are_none_and_ids_of_nothing_are_not_found(server) {
        let (dana, max, admin) = (server.demo("customer").await, server.demo("mechanic").await, server.admin().await);
        let unknown = Uuid::new_v4().to_string();
        for id in ["x", "0", "-1", "null", "%00", "..%2f..", "a%20b", "%F0%9F%92%A9", unknown.as_str()] {
            for (method, path) in ids(id) {
                for person in [&dana, &max, &admin] {
                    let answer = person.client.send(method.clone(), &path, None).await;
                    assert!((400..500).contains(&answer.status), "{answer:?}");
                    answer.assert_is_problem();
                    assert_ne!(answer.status, 401, "{answer:?}");
                }
                let guest = server.guest().send(method, &path, None).await;
                assert!(guest.status == 401 || guest.status == 404, "{guest:?}");
            }
        }
    }

    async fn queries_that_make_no_sense_are_refused(server) {
        let dana = server.demo("customer").await;
        for path in [
            "/api/sessions?status=nonsense", "/api/sessions?limit=-1", "/api/sessions?limit=x", "/api/sessions?cursor=nonsense",
            "/api/checkout", "/api/checkout?plan=nonsense", "/api/checkout?plan=chat10&intake_id=x",
            "/api/sessions/resolve-by-stripe", "/api/sessions/resolve-by-stripe?session_id=",
            "/api/sessions?cursor=%00", "/api/sessions?status=%00",
        ] {
            let answer = dana.client.get(path).await;
            assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
            answer.assert_is_problem();
        }
        dana.client.get("/api/sessions?limit=100000").await.expect_status(200);
    }

    async fn sign_ins_that_make_no_sense_are_guests(server) {
        for (name, value) in [
            ("cookie", "pitlane_session=nonsense"), ("cookie", "pitlane_session="), ("cookie", "pitlane_session=%00;;;"),
            ("authorization", "Bearer nonsense"), ("authorization", "Bearer "), ("authorization", "Basic YTpi"), ("authorization", "x"),
        ] {
            let guest = server.guest().with_header(name, value);
            guest.get("/api/me").await.refused(401, "not_signed_in");
        }
    }

    async fn a_redirect_never_leaves_the_site(server) {
        for redirect in ["https://evil.example", "//evil.example", "/\\evil.example", "\\evil", "javascript:alert(1)", "dashboard"] {
            let encoded: String = redirect.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let page = server.guest().get(&format!("/start?redirect={encoded}")).await;
            assert!(page.status < 500);
            assert!(!page.text.contains("evil") && !page.text.contains("javascript:alert"), "{redirect}: {}", page.text);
            let answer = server.guest().post("/api/auth/magic-link", json!({ "email": "customer@example.com", "redirect": redirect })).await;
            assert!(answer.status == 422 || answer.status == 202, "{answer:?}");
        }
    }

    async fn markup_in_texts_is_shown_as_text(server) {
        let meeting = server.meeting().await;
        let markup = "<script>alert(1)</script><img src=x onerror=alert(1)>";
        meeting.customer.say(&meeting.session, "x", markup).await.expect_status(201);
        for person in [&meeting.customer, &meeting.mechanic] {
            let page = person.client.get(&format!("/chat/{}", meeting.session)).await.expect_status(200);
            assert!(!page.text.contains("<script>alert") && !page.text.contains("<img src=x"), "{}", page.text);
        }
    }
}
