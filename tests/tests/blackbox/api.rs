//! The API as a whole: its description, its page, and what holds for every operation. That each answer is as described
//! is looked at by the client, in every test.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::document::Document;
use tests::{Answer, Client, Person, TestServer, on_both};

const NOBODY: &str = "01900000-0000-7000-8000-000000000001";

struct Operation {
    method: Method,
    path: String,
    described: &'static Value,
}

fn operations() -> Vec<Operation> {
    let paths = Document::of_binary().json["paths"].as_object().expect("paths");
    let of = |(path, methods): (&String, &'static Value)| -> Vec<Operation> {
        let methods = methods.as_object().expect("methods").iter();
        methods
            .map(|(method, described)| Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                described,
            })
            .collect()
    };
    paths.iter().flat_map(of).collect()
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn filled(&self) -> String {
        self.path
            .replace("{id}", NOBODY)
            .replace("{token}", "no-such-token")
            .replace("{path}", "css/tokens.css")
            .replace("{code}", "not_found")
    }

    fn takes(&self, parameter: &str) -> bool {
        let parameters = self.described["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|one| one["$ref"].as_str().is_some_and(|name| name.ends_with(parameter)))
    }

    async fn call(&self, client: &Client) -> Answer {
        let body = (self.method != Method::GET).then(|| json!({}));
        client.send(self.method.clone(), &self.filled(), body).await
    }
}

async fn everybody(server: &TestServer) -> Vec<Person> {
    let mut all = vec![server.admin().await];
    for name in ["customer", "mechanic", "workshop"] {
        all.push(server.demo(name).await);
    }
    all
}

#[test]
fn every_example_is_as_its_schema_says() {
    let document = Document::of_binary();
    let mut faults = Vec::new();
    let mut seen = 0;
    let mut judge = |name: String, content: &Value| {
        let several = content["examples"].as_object().into_iter().flatten();
        let all = content.get("example").into_iter().chain(several.map(|(_, example)| &example["value"]));
        for example in all {
            seen += 1;
            faults.extend(document.example_fault(&name, &content["schema"], example));
        }
    };
    for operation in operations() {
        for (media, content) in
            operation.described["requestBody"]["content"].as_object().into_iter().flatten()
        {
            judge(format!("{} takes {media}", operation.name()), content);
        }
        for (status, response) in operation.described["responses"].as_object().expect("responses") {
            for (media, content) in response["content"].as_object().into_iter().flatten() {
                judge(format!("{} {status} {media}", operation.name()), content);
            }
        }
    }
    assert!(
        faults.is_empty() && seen > 300,
        "{seen} examples, {} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_json_answer_has_an_example_and_every_refusal_its_codes() {
    let mut missing = Vec::new();
    for operation in operations() {
        for (status, response) in operation.described["responses"].as_object().expect("responses") {
            for (media, content) in response["content"].as_object().into_iter().flatten() {
                let has = content.get("example").is_some()
                    || content["examples"].as_object().is_some_and(|all| !all.is_empty());
                if media.ends_with("json") && !has {
                    missing.push(format!("{} {status} {media}", operation.name()));
                }
            }
        }
        let body = operation.described["requestBody"]["content"].as_object();
        for (media, content) in body.into_iter().flatten() {
            if content.get("example").is_none() {
                missing.push(format!("{} takes {media}", operation.name()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn whatever_spends_or_creates_takes_a_key() {
    // Without a person there is nobody whose key it would be; the kept answer of a code would keep its secret;
    // and a decision of an admin or joining a workshop is a state, which setting twice leaves as it is.
    let without = [
        "/api/auth/",
        "/api/me/verification",
        "/api/me/phone",
        "/api/me/second-factor",
        "/api/admin/alerts/{id}/",
        "/api/admin/applications/{id}/",
        "/api/admin/jobs/{id}/",
        "/api/admin/mechanics/{id}/",
        "/api/admin/users/{id}/",
        "/api/sessions/{id}/media",
        "/api/sessions/{id}/video-token",
        "/api/workshops/join",
        "/api/cron/",
        "/api/stripe/webhook",
        "/api/resend/webhook",
        "/api/livekit/webhook",
        "/api/twilio/status",
        "/dev/",
    ];
    for operation in operations().iter().filter(|one| one.method == Method::POST) {
        let excused = without.iter().any(|prefix| operation.path.starts_with(prefix))
            || !operation.path.starts_with("/api/");
        assert_ne!(operation.takes("idempotency_key"), excused, "{}", operation.name());
    }
}

on_both! {
    async fn every_list_is_paged_by_cursor(server) {
        let mut all = everybody(server).await;
        let meeting = server.meeting().await;
        let session = meeting.session.clone();
        all.extend([meeting.customer, meeting.mechanic]);
        let mut lists = 0;
        for operation in operations() {
            let answer = &operation.described["responses"]["200"]["content"]["application/json"]["schema"];
            let is_list = answer["properties"]["items"].is_object();
            assert!(!is_list || operation.takes("limit") && operation.takes("cursor"), "{}", operation.name());
            if !is_list {
                continue;
            }
            lists += 1;
            let path = match operation.path.strip_prefix("/api/sessions/{id}") {
                Some(list) => format!("/api/sessions/{session}{list}"),
                None => operation.filled(),
            };
            let mut read = 0;
            for person in &all {
                if person.client.get(&path).await.status != 200 {
                    continue;
                }
                read += 1;
                let whole = person.client.get(&format!("{path}?limit=1000000")).await.expect_status(200);
                let whole = whole.body["items"].as_array().expect("items").clone();
                let mut cursor = String::new();
                let mut paged = Vec::new();
                for _ in 0..=whole.len() {
                    let page = person.client.get(&format!("{path}?limit=1{cursor}")).await.expect_status(200);
                    paged.extend(page.body["items"].as_array().expect("items").clone());
                    assert!(page.body["items"].as_array().is_some_and(|items| items.len() <= 1), "{page:?}");
                    match page.body["next_cursor"].as_str() {
                        Some(next) => cursor = format!("&cursor={next}"),
                        None => break,
                    }
                }
                // Reading the audit log adds to it, and jobs are worked on meanwhile.
                if !["/api/admin/audit", "/api/admin/jobs"].contains(&path.as_str()) {
                    assert_eq!(paged, whole, "{path}");
                }
                person.client.get(&format!("{path}?cursor=nonsense")).await.refused(422, "invalid");
                person.client.get(&format!("{path}?limit=many")).await.refused(422, "invalid");
            }
            assert!(read > 0, "nobody can read {path}");
        }
        assert!(lists >= 8, "{lists}");
    }

    async fn no_text_in_an_address_breaks_the_server(server) {
        let all = everybody(server).await;
        let long = "x".repeat(3_000);
        let texts = ["%00", "%FF%FE", "%F0%9F%98%80", "%27%20OR%201%3D1%20--", "%25%5F%5C", "", "-1", "99999999999999999999", &long];
        let mut sent = 0;
        for operation in operations().iter().filter(|one| one.method == Method::GET && one.path != "/ws") {
            let parameters: Vec<&str> = operation.described["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| match (one["in"].as_str(), one["$ref"].as_str()) {
                    (Some("query"), _) => one["name"].as_str(),
                    (_, Some(named)) => named.strip_prefix("#/components/parameters/").filter(|name| *name != "idempotency_key"),
                    _ => None,
                })
                .collect();
            for person in &all {
                for parameter in &parameters {
                    for text in texts {
                        // The client fails at a server error, and at every answer that is not described.
                        person.client.get(&format!("{}?{parameter}={text}", operation.filled())).await;
                        sent += 1;
                    }
                }
            }
        }
        assert!(sent > 1_000, "{sent}");
    }

    async fn every_answer_has_the_headers_that_keep_browsers_safe(server) {
        let all = everybody(server).await;
        let guest = server.guest();
        let clients = all.iter().map(|person| &person.client).chain([&guest]);
        // The sandbox's pages are another site to the browser: without scripts, and judged by the sandbox's own tests.
        let left_out =
            |path: &str| path == "/ws" || path.ends_with("/logout") || path.starts_with("/sandbox");
        for client in clients {
            for operation in operations().iter().filter(|one| !left_out(&one.path)) {
                let answer = operation.call_in_trouble(client).await;
                judge_headers(&operation.name(), &answer);
            }
        }
        for path in ["/nothing-here", "/api/nothing-here", "/v1/charges"] {
            judge_headers(path, &server.guest().get(path).await);
        }
        let refused = server.guest().post_nothing("/api/plans").await.expect_status(405);
        judge_headers("405", &refused);
        assert_eq!(refused.headers["allow"], "GET, HEAD");
    }

    async fn every_address_of_the_sandbox_that_is_described_is_there(server) {
        let guest = server.guest();
        let mut met = 0;
        for operation in operations().iter().filter(|one| one.path.starts_with("/sandbox")) {
            let answer = operation.call(&guest).await;
            assert_ne!(answer.status, 405, "{}", operation.name());
            // The page for what is nowhere stands behind a thing that is unknown, and not behind an address without one.
            assert!(answer.status != 404 || operation.path.contains('{'), "{}", operation.name());
            met += 1;
        }
        assert!(met >= 15, "{met}");
    }

    async fn the_type_of_every_problem_leads_to_what_it_means(server) {
        let guest = server.guest();
        let docs = guest.get("/api/docs").await.expect_status(200);
        let mut met = BTreeSet::new();
        for operation in operations() {
            for response in operation.described["responses"].as_object().expect("responses").values() {
                let problems = response["content"]["application/problem+json"]["examples"].as_object();
                met.extend(problems.into_iter().flatten().filter_map(|(_, problem)| problem["value"]["type"].as_str()));
            }
        }
        let told = guest.post_nothing("/api/plans").await.expect_status(405).text_at("type");
        for kind in met.iter().copied().chain([told.as_str()]) {
            let (page, anchor) = guest.get(kind).await.expect_status(303).location().split_once('#').map(|(page, anchor)| (page.to_owned(), anchor.to_owned())).expect("an anchor");
            assert_eq!(page, "/api/docs");
            assert!(docs.text.contains(&format!("id=\"{anchor}\"")), "nothing is at #{anchor}");
        }
        assert!(met.len() > 60, "{met:?}");
        guest.get("/problems/no_such_code").await.expect_status(404);
    }

    async fn the_description_can_be_read_without_anything_from_elsewhere(server) {
        let page = server.guest().get("/api/docs").await.expect_status(200);
        for operation in operations() {
            let id = operation.described["operationId"].as_str().expect("an id");
            assert!(page.text.contains(&format!("id=\"{id}\"")), "{}", operation.name());
        }
        let schemas = Document::of_binary().json["components"]["schemas"].as_object().expect("schemas");
        for name in schemas.keys() {
            assert!(page.text.contains(&format!("id=\"shape-{name}\"")), "{name}");
        }
        for link in page.text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.text.contains(&format!("id=\"{link}\"")), "nothing is at #{link}");
        }
        let taken = page.text.split(" src=\"").skip(1).chain(page.text.split("<link ").skip(1));
        for part in taken {
            let tag = part.split('>').next().unwrap_or_default();
            assert!(!tag.contains("http://") && !tag.contains("https://") && !tag.contains("\"//"), "{tag}");
        }
        let served = server.guest().get("/api/openapi.json").await.expect_status(200);
        assert_eq!(served.body, Document::of_binary().json);
    }
}

impl Operation {
    /// A node whose disk is nearly full may say that it is not ready.
    async fn call_in_trouble(&self, client: &Client) -> Answer {
        if self.path == "/readyz" {
            return client.attempt(self.name(), client.request(Method::GET, "/readyz")).await;
        }
        self.call(client).await
    }
}

fn judge_headers(name: &str, answer: &Answer) {
    let text =
        |header: &str| answer.headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A part of pages stands under the page's own policy.
    if name.starts_with("GET /static/") && answer.status == 200 {
        assert_eq!(text("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(text("cross-origin-resource-policy"), "same-origin", "{name}");
        return;
    }
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("x-permitted-cross-domain-policies", "none"),
    ] {
        assert_eq!(text(header), value, "{name}: {header}");
    }
    let room = ["GET /chat/{id}", "GET /sessions/{id}/room"].contains(&name) && answer.status == 200;
    let camera =
        if room { "camera=(self), microphone=(self), display-capture=(self)," } else { "camera=()," };
    assert!(text("permissions-policy").starts_with(camera), "{name}");
    assert!(!text("x-request-id").is_empty(), "{name}");
    let policy = text("content-security-policy");
    let directives: BTreeSet<&str> = policy.split(';').map(str::trim).collect();
    let mail = name == "GET /dev/mailbox/{id}/html" && answer.status == 200;
    if !mail {
        for wanted in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(directives.contains(wanted), "{name}: {wanted} in {policy}");
        }
        assert!(directives.iter().any(|one| one.starts_with("form-action 'self'")), "{name}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{name}: {policy}");
        assert_eq!(text("x-frame-options"), "DENY", "{name}");
    }
    let private = name.contains(" /api/") && !name.ends_with("/api/docs");
    assert!(!private || text("cache-control").contains("no-store"), "{name}: {}", text("cache-control"));
    assert!(!answer.headers.contains_key("strict-transport-security"), "{name}: there is no TLS here");
}
