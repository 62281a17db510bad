//! Something that makes rooms and takes text messages as Twilio does and remembers them, and calls back with Twilio's
//! signature.

use std::collections::{HashSet, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;

/// The account's auth token in these tests.
pub const AUTH_TOKEN: &str = "auth-token-of-the-test";

/// A room or a text message as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The `Authorization` header.
    pub authorization: String,
    /// The form, in the order in which it came.
    pub form: Vec<(String, String)>,
}

impl Asked {
    /// A field of the form, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A status, Twilio's number for the reason, and the reason.
type Failure = (u16, u32, &'static str);

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    rooms: HashSet<String>,
    down: bool,
    texts: Vec<Asked>,
    failures: VecDeque<Failure>,
}

/// Twilio's APIs for rooms and for messages, on a port of their own. They end with the process.
pub struct FakeTwilio {
    /// Its origin.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeTwilio {
    /// Starts one.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::<Mutex<State>>::default();
        let data = Data::from(state.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                HttpServer::new(move || {
                    App::new()
                        .app_data(data.clone())
                        .route("/v1/Rooms", web::post().to(make))
                        .route("/2010-04-01/Accounts/AC1/Messages.json", web::post().to(take))
                })
                .workers(1)
                .disable_signals()
                .listen(listener)
                .expect("it listens")
                .run()
                .await
                .expect("it serves");
            });
        });
        Self { url, state }
    }

    /// Every room that was asked for so far.
    pub fn asked(&self) -> Vec<Asked> {
        locked(&self.state).asked.clone()
    }

    /// Every text message to a number that was handed over so far, taken or not.
    pub fn texts_to(&self, number: &str) -> Vec<Asked> {
        locked(&self.state).texts.iter().filter(|text| text.field("To") == number).cloned().collect()
    }

    /// The next text message is not taken and answered so.
    pub fn fail_text(&self, status: u16, code: u32, message: &'static str) {
        locked(&self.state).failures.push_back((status, code, message));
    }

    /// Whether it answers 500 for rooms from now on.
    pub fn is_down(&self, down: bool) {
        locked(&self.state).down = down;
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(request: &HttpRequest, body: &[u8]) -> Asked {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    Asked {
        authorization: header.unwrap_or_default().to_owned(),
        form: form_urlencoded::parse(body).into_owned().collect(),
    }
}

async fn take(request: HttpRequest, body: Bytes, state: Data<Mutex<State>>) -> HttpResponse {
    let mut state = locked(&state);
    state.texts.push(read(&request, &body));
    match state.failures.pop_front() {
        Some((status, code, message)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            let told = json!({ "status": status.as_u16(), "code": code, "message": message });
            HttpResponse::build(status).json(told)
        }
        None => {
            let sid = format!("SM{}", state.texts.len());
            HttpResponse::Created().json(json!({ "sid": sid, "status": "queued" }))
        }
    }
}

async fn make(request: HttpRequest, body: Bytes, state: Data<Mutex<State>>) -> HttpResponse {
    let asked = read(&request, &body);
    let mut state = locked(&state);
    state.asked.push(asked.clone());
    if state.down {
        return HttpResponse::InternalServerError().json(json!({ "code": 20500, "message": "Internal" }));
    }
    if state.rooms.insert(asked.field("UniqueName").to_owned()) {
        HttpResponse::Created().json(json!({ "sid": "RM1", "status": "in-progress" }))
    } else {
        HttpResponse::BadRequest().json(json!({ "code": 53113, "message": "Room exists" }))
    }
}

/// The body of a callback and its signature for that address.
///
/// # Panics
/// Never: HMAC takes a key of any length.
pub fn signed(url: &str, fields: &[(&str, &str)]) -> (String, String) {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).expect("any key");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    (body, STANDARD.encode(mac.finalize().into_bytes()))
}
