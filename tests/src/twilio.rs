//! Something that makes rooms as Twilio does and remembers them, and calls back with Twilio's signature.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;

/// The account's auth token in these tests.
pub const AUTH_TOKEN: &str = "auth-token-of-the-test";

/// A room as it was asked for.
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

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    rooms: HashSet<String>,
    down: bool,
}

/// Twilio's API for rooms, on a port of its own. It ends with the process.
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
                    App::new().app_data(data.clone()).route("/v1/Rooms", web::post().to(make))
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

    /// Whether it answers 500 from now on.
    pub fn is_down(&self, down: bool) {
        locked(&self.state).down = down;
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn make(request: HttpRequest, body: Bytes, state: Data<Mutex<State>>) -> HttpResponse {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let asked = Asked {
        authorization: header.unwrap_or_default().to_owned(),
        form: form_urlencoded::parse(&body).into_owned().collect(),
    };
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
