//! A served sandbox, a receiver of its webhooks, and a clock.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response};
use sandbox::{Sandbox, Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

pub const SECRET: &str = "whsec_test";
pub const START: i64 = 1_800_000_000;

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub signature: String,
    pub body: String,
    pub event: Value,
}

/// Collects webhooks; answers 500 as often as it is told to.
#[derive(Clone, Default)]
pub struct Receiver {
    pub arrived: Arc<Mutex<Vec<Arrived>>>,
    pub refuse: Arc<AtomicUsize>,
    pub refused: Arc<AtomicUsize>,
}

async fn hook(request: HttpRequest, body: Bytes, receiver: Data<Receiver>) -> HttpResponse {
    let left = receiver.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if left.is_ok() {
        receiver.refused.fetch_add(1, Ordering::SeqCst);
        return HttpResponse::InternalServerError().finish();
    }
    let header = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok());
    let body = String::from_utf8(body.to_vec()).expect("webhooks are UTF-8");
    receiver.arrived.lock().expect("no test panics while it holds the lock").push(Arrived {
        signature: header.unwrap_or_default().to_owned(),
        event: serde_json::from_str(&body).expect("webhooks are JSON"),
        body,
    });
    HttpResponse::Ok().finish()
}

/// The running whole.
pub struct World {
    pub base: String,
    pub http: Client,
    pub receiver: Receiver,
    clock: Arc<AtomicI64>,
    folder: Arc<TempDir>,
    hook_url: String,
    hook_server: ServerHandle,
    server: ServerHandle,
    stop: watch::Sender<bool>,
    delivery: actix_web::rt::task::JoinHandle<()>,
}

fn serve(folder: &Path, hook_url: &str, clock: &Arc<AtomicI64>) -> (String, ServerHandle, Sandbox) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let base = format!("http://{}", listener.local_addr().expect("it is bound"));
    let settings = Settings {
        database: folder.join("data/sandbox.db"),
        webhook_url: hook_url.to_owned(),
        webhook_secret: SECRET.to_owned(),
        public_url: base.clone(),
        api_version: "2026-10-28.endive".to_owned(),
    };
    let clock = clock.clone();
    let sandbox = Sandbox::open(settings, Arc::new(move || clock.load(Ordering::SeqCst)))
        .expect("the sandbox opens")
        .merchant("Test Shop");
    let routes = sandbox.routes();
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("it listens")
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (base, handle, sandbox)
}

fn deliver(sandbox: Sandbox) -> (watch::Sender<bool>, actix_web::rt::task::JoinHandle<()>) {
    let (stop, stopped) = watch::channel(false);
    (stop, actix_web::rt::spawn(async move { sandbox.run_webhooks(stopped).await }))
}

impl World {
    pub async fn start() -> Self {
        let receiver = Receiver::default();
        let shared = receiver.clone();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let hook_url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
        let hooks = HttpServer::new(move || {
            App::new().app_data(Data::new(shared.clone())).route("/hook", web::post().to(hook))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("it listens")
        .run();
        let hook_server = hooks.handle();
        actix_web::rt::spawn(hooks);
        let clock = Arc::new(AtomicI64::new(START));
        let folder = Arc::new(TempDir::new().expect("a folder can be made"));
        let (base, server, sandbox) = serve(folder.path(), &hook_url, &clock);
        let (stop, delivery) = deliver(sandbox);
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { base, http, receiver, clock, folder, hook_url, hook_server, server, stop, delivery }
    }

    /// Ends the server and its delivery without any notice and starts anew on the same file.
    pub async fn crash(mut self) -> Self {
        self.delivery.abort();
        self.server.stop(false).await;
        let (base, server, sandbox) = serve(self.folder.path(), &self.hook_url, &self.clock);
        let (stop, delivery) = deliver(sandbox);
        (self.base, self.server, self.stop, self.delivery) = (base, server, stop, delivery);
        self
    }

    /// Stops delivery the orderly way; it must end by itself.
    pub async fn stop(mut self) {
        self.stop_delivery().await;
        self.server.stop(false).await;
        self.hook_server.stop(false).await;
    }

    /// Stops the orderly way, so that what arrived is noted as delivered, and starts again.
    pub async fn restart(mut self) -> Self {
        self.stop_delivery().await;
        self.crash().await
    }

    async fn stop_delivery(&mut self) {
        self.stop.send(true).expect("delivery still runs");
        tokio::time::timeout(Duration::from_secs(5), &mut self.delivery)
            .await
            .expect("it stops")
            .expect("it did not panic");
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub async fn post_with(&self, path: &str, form: &str, key: Option<&str>) -> Response {
        let mut request = self
            .http
            .post(format!("{}/v1/{path}", self.base))
            .header(AUTHORIZATION, "Bearer sk_test_1")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.send().await.expect("the sandbox answers")
    }

    /// A request that must succeed.
    pub async fn post(&self, path: &str, form: &str) -> Value {
        let (status, body) = self.try_post(path, form).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn try_post(&self, path: &str, form: &str) -> (u16, Value) {
        let response = self.post_with(path, form, None).await;
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn try_get(&self, path: &str) -> (u16, Value) {
        let request =
            self.http.get(format!("{}/v1/{path}", self.base)).header(AUTHORIZATION, "Bearer sk_test_1");
        let response = request.send().await.expect("the sandbox answers");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    pub async fn control(&self, json: &str) -> Response {
        let request = self.http.post(format!("{}/sandbox/control", self.base)).body(json.to_owned());
        request.send().await.expect("the sandbox answers")
    }

    pub async fn session(&self, more: &str) -> Value {
        let form = format!(
            "mode=payment&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=2999\
             &line_items[0][price_data][product_data][name]=Expert+Video&line_items[0][quantity]=1\
             &success_url=http://shop.test/thanks?session_id={{CHECKOUT_SESSION_ID}}&cancel_url=http://shop.test/cart&{more}"
        );
        self.post("checkout/sessions", &form).await
    }

    /// Where the application's webhooks go.
    pub fn hook_url(&self) -> &str {
        &self.hook_url
    }

    pub async fn page(&self, path: &str) -> Response {
        self.http.get(format!("{}/sandbox/{path}", self.base)).send().await.expect("the sandbox answers")
    }

    pub async fn submit(&self, path: &str, form: &str) -> Response {
        let request = self
            .http
            .post(format!("{}/sandbox/{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        request.send().await.expect("the sandbox answers")
    }

    pub async fn pay(&self, session: &Value, card: &str, more: &str) -> Response {
        let path = format!("checkout/{}/pay", text(session, "id"));
        self.submit(&path, &format!("card_number={card}&exp=12/34&cvc=123{more}")).await
    }

    pub async fn reread(&self, session: &Value) -> Value {
        self.get(&format!("checkout/sessions/{}", text(session, "id"))).await
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.receiver.arrived.lock().expect("no test panics while it holds the lock").clone()
    }

    /// The names of the events that arrived, in order.
    pub fn names(&self) -> Vec<String> {
        self.arrived().iter().map(|arrived| text(&arrived.event, "type").to_owned()).collect()
    }

    /// Waits until `enough` holds of what arrived.
    pub async fn wait(&self, what: &str, enough: impl Fn(&[String]) -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !enough(&self.names()) {
            assert!(Instant::now() < end, "{what} did not happen; there were {:?}", self.names());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn wait_for(&self, name: &str) {
        self.wait(name, |names| names.iter().any(|arrived| arrived == name)).await;
    }
}

pub fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("{field} is text in {json}"))
}

pub fn location(response: &Response) -> &str {
    response.headers().get("location").and_then(|value| value.to_str().ok()).expect("a location")
}
