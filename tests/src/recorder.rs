//! A proxy that notes what goes over the wire between a Stripe client and the sandbox.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::json;
use tempfile::TempDir;

/// More than the sandbox reads, so that the sandbox is who refuses.
const MAX_BODY: usize = 4 * 1024 * 1024;

struct Shared {
    upstream: OnceLock<String>,
    client: reqwest::Client,
    file: Mutex<File>,
    micros: AtomicU64,
}

/// A running proxy. It answers 503 until it is told where to forward to.
pub struct Recorder {
    shared: Arc<Shared>,
    url: String,
    folder: TempDir,
    handle: ServerHandle,
}

impl Recorder {
    /// Starts on a free port.
    ///
    /// # Panics
    /// There is none, or no temporary folder.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pitlane-wire-").tempdir().expect("a temporary folder");
        let file = File::create(folder.path().join("exchanges")).expect("a file for the exchanges");
        let shared = Arc::new(Shared {
            upstream: OnceLock::new(),
            client: reqwest::Client::new(),
            file: Mutex::new(file),
            micros: AtomicU64::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, receiver) = std::sync::mpsc::channel();
        let data = Data::from(shared.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(data.clone())
                        .app_data(PayloadConfig::new(MAX_BODY))
                        .default_service(web::to(forward))
                })
                .workers(1)
                .disable_signals()
                .listen(listener)
                .expect("it listens")
                .run();
                sender.send(server.handle()).expect("the starter waits");
                server.await.expect("it serves");
            });
        });
        let handle = receiver.recv().expect("the proxy starts");
        Self { shared, url, folder, handle }
    }

    /// The address to give to clients, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where requests go on to.
    ///
    /// # Panics
    /// It was told before.
    pub fn forward_to(&self, address: String) {
        self.shared.upstream.set(address).expect("told once");
    }

    /// For how long callers have waited here in all, in microseconds.
    pub fn waited_micros(&self) -> u64 {
        self.shared.micros.load(Ordering::Relaxed)
    }

    /// The file with one exchange a line: `method, path, query, agent, body, status, answer`.
    pub fn exchanges(&self) -> PathBuf {
        self.folder.path().join("exchanges")
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Dropping the future only stops the waiting.
        drop(self.handle.stop(false));
    }
}

async fn forward(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let Some(upstream) = shared.upstream.get() else { return HttpResponse::ServiceUnavailable().finish() };
    let begun = Instant::now();
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).expect("a method");
    let mut onward = shared.client.request(method, format!("{upstream}{}", request.uri())).body(body.clone());
    for (name, value) in request.headers() {
        if !matches!(name.as_str(), "host" | "content-length" | "connection" | "accept-encoding") {
            onward = onward.header(name.as_str(), value.as_bytes());
        }
    }
    let Ok(answer) = onward.send().await else { return HttpResponse::BadGateway().finish() };
    let status = answer.status().as_u16();
    let mut back = HttpResponse::build(actix_web::http::StatusCode::from_u16(status).expect("a status"));
    for (name, value) in answer.headers() {
        if !matches!(name.as_str(), "content-length" | "connection" | "transfer-encoding") {
            back.insert_header((name.as_str(), value.as_bytes()));
        }
    }
    let Ok(text) = answer.text().await else { return HttpResponse::BadGateway().finish() };
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let line = json!({
        "method": request.method().as_str(),
        "path": request.path(),
        "query": request.query_string(),
        "agent": header("user-agent").unwrap_or_default(),
        "body": String::from_utf8_lossy(&body),
        "status": status,
        "answer": text,
    });
    let mut file = shared.file.lock().expect("nobody panics with the file");
    writeln!(file, "{line}").expect("the exchange can be noted");
    drop(file);
    shared.micros.fetch_add(u64::try_from(begun.elapsed().as_micros()).unwrap_or(0), Ordering::Relaxed);
    back.body(text)
}
