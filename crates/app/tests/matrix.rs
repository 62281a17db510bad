//! Every route for every kind of caller: nobody gets further than its access says, and nobody less.
//!
//! `routes.txt` lists every route with its access by hand. A route that is not listed there fails this test, so
//! that who may call it is a decision somebody made and somebody else can read.

use std::collections::BTreeMap;
use std::fmt::Write;

use pitlane::boot;
use pitlane::config::Settings;
use pitlane::http::router::Listed;
use pitlane::http::{Access, routes};
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

const LISTED: &str = include_str!("routes.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Caller {
    Nobody,
    Customer,
    Mechanic,
    UnapprovedMechanic,
    Workshop,
    Support,
    Admin,
}

const CALLERS: [Caller; 7] = [
    Caller::Nobody,
    Caller::Customer,
    Caller::Mechanic,
    Caller::UnapprovedMechanic,
    Caller::Workshop,
    Caller::Support,
    Caller::Admin,
];

#[derive(Debug, PartialEq, Eq)]
enum Gate {
    /// Not refused for who they are; what they asked for may still be wrong or not exist.
    Open,
    NotSignedIn,
    WrongRole,
}

fn expected(access: Access, caller: Caller) -> Gate {
    let allowed = match access {
        Access::Public | Access::Signed | Access::Development => return Gate::Open,
        Access::SignedIn => true,
        Access::Customer => caller == Caller::Customer,
        Access::Mechanic => {
            matches!(caller, Caller::Mechanic | Caller::UnapprovedMechanic | Caller::Workshop)
        }
        Access::ApprovedMechanic => caller == Caller::Mechanic,
        Access::Workshop => caller == Caller::Workshop,
        Access::Staff => matches!(caller, Caller::Support | Caller::Admin),
        Access::Admin => caller == Caller::Admin,
    };
    match (caller, allowed) {
        (Caller::Nobody, _) => Gate::NotSignedIn,
        (_, true) => Gate::Open,
        (_, false) => Gate::WrongRole,
    }
}

fn list(all: &[Listed]) -> String {
    let mut text = String::new();
    for listed in all {
        writeln!(text, "{:<6} {:<44} {:?}", listed.method.as_str(), listed.path, listed.access)
            .expect("a string takes it");
    }
    text
}

#[test]
fn every_route_is_listed_with_who_may_call_it() {
    let mut all = routes::all(true).list();
    all.sort_by(|a, b| (a.path, a.method.as_str()).cmp(&(b.path, b.method.as_str())));
    let found = list(&all);
    assert_eq!(
        found.trim(),
        LISTED.trim(),
        "decide who may call the new route, and write it into tests/routes.txt"
    );
}

struct World {
    client: Client,
    url: String,
    cookies: BTreeMap<Caller, String>,
}

impl World {
    async fn sign_in(&mut self, caller: Caller) {
        let email = match caller {
            Caller::Nobody => return,
            Caller::Customer => "customer@example.com",
            Caller::Mechanic => "mechanic@example.com",
            Caller::Workshop => "workshop@example.com",
            Caller::Support => "support@example.com",
            Caller::Admin => "admin@example.com",
            Caller::UnapprovedMechanic => "new-mechanic@example.com",
        };
        let body = json!({ "email": email, "password": "pitlane-demo" });
        let answer = self.post("/api/auth/login", &body).await;
        let answer = if answer.status() == 401 {
            let body =
                json!({ "email": email, "password": "pitlane-demo", "name": "New", "role": "mechanic" });
            self.post("/api/auth/register", &body).await
        } else {
            answer
        };
        assert!(answer.status().is_success(), "{caller:?}: {}", answer.status());
        let cookie =
            answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).expect("a cookie");
        self.cookies.insert(caller, cookie.split(';').next().expect("a first part").to_owned());
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let request =
            self.client.post(format!("{}{path}", self.url)).header(CONTENT_TYPE, "application/json");
        request.body(body.to_string()).send().await.expect("an answer")
    }

    async fn call(&self, listed: &Listed, caller: Caller) -> Gate {
        let path = filled(listed.path);
        let method = Method::from_bytes(listed.method.as_str().as_bytes()).expect("a method");
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.url));
        if let Some(cookie) = self.cookies.get(&caller) {
            request = request.header(COOKIE, cookie);
        }
        if method != Method::GET {
            // Whoever asks to leave without a wrong password is gone for the rest of the walk.
            let leaves = method == Method::DELETE && path == "/api/me";
            let body = if leaves { r#"{"current_password":"not the password"}"# } else { "{}" };
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        assert!(status < 500 || path == "/readyz", "{method} {path} as {caller:?}: {status}");
        let to_sign_in = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|target| target.starts_with("/start?redirect="));
        let code =
            answer.json::<Value>().await.ok().and_then(|body| body["code"].as_str().map(str::to_owned));
        match (status, code.as_deref()) {
            (401, Some("not_signed_in")) => Gate::NotSignedIn,
            (303, _) if to_sign_in => Gate::NotSignedIn,
            (403, Some("wrong_role" | "not_approved")) => Gate::WrongRole,
            // A page says it in words.
            (403, None) => Gate::WrongRole,
            _ => Gate::Open,
        }
    }
}

fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{path:.*}" => "css/tokens.css",
        "{token}" => "no-such-token",
        part if part.starts_with('{') => "01900000-0000-7000-8000-000000000001",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_lets_in_exactly_whom_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let environment = [
        ("PITLANE_SERVER__ENVIRONMENT", "development".to_owned()),
        ("PITLANE_SERVER__BIND", "127.0.0.1:0".to_owned()),
        ("PITLANE_SERVER__WORKERS", "1".to_owned()),
        ("DATABASE_URL", format!("sqlite://{}", at("data/pitlane.db"))),
        ("PITLANE_FILES__URL", format!("file://{}", at("data/files"))),
        ("PITLANE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE", "1000".to_owned()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let settings = Settings::load(None, environment).expect("a configuration");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let running = boot::start(settings).await.expect("starts");
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let mut world =
            World { client, url: format!("http://{}", running.address), cookies: BTreeMap::new() };
        for caller in CALLERS {
            world.sign_in(caller).await;
        }
        let mut wrong = String::new();
        for listed in routes::all(true).list() {
            for caller in CALLERS {
                let (found, expected) = (world.call(&listed, caller).await, expected(listed.access, caller));
                if found != expected {
                    writeln!(
                        wrong,
                        "{} {} as {caller:?}: {found:?}, not {expected:?}",
                        listed.method, listed.path
                    )
                    .expect("a string takes it");
                }
                if listed.path.ends_with("/logout") {
                    world.sign_in(caller).await;
                }
            }
        }
        running.stop().await;
        assert!(wrong.is_empty(), "\n{wrong}");
    });
}
