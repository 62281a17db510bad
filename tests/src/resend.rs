//! Something that answers like Resend, and remembers what it was sent.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// What signs the webhooks of [`signed`].
pub const WEBHOOK_SECRET: &str = "whsec_cGl0bGFuZS13ZWJob29rLXNlY3JldC0x";

/// A request for one mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The method and the path.
    pub asked: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The `Idempotency-Key` header.
    pub key: String,
    /// The body.
    pub body: Value,
}

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    failures: VecDeque<(u16, &'static str)>,
}

/// A carrier on a port of its own.
#[derive(Clone)]
pub struct FakeResend {
    /// Its origin.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeResend {
    /// Starts one; it ends with the process.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let fake = Self { url, state: Arc::default() };
        let server = fake.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(connection));
            }
        });
        fake
    }

    /// What came so far.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sent.clone()
    }

    /// The next request is answered so, and remembered.
    pub fn fail_once(&self, status: u16, body: &'static str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failures.push_back((status, body));
    }

    fn serve(&self, connection: TcpStream) {
        let mut writer = connection.try_clone().expect("a second handle");
        let mut reader = BufReader::new(connection);
        while let Some(sent) = read(&mut reader) {
            let (status, body) = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.sent.push(sent);
                state
                    .failures
                    .pop_front()
                    .unwrap_or((200, r#"{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}"#))
            };
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Sent> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        lines
            .iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let asked = lines.first()?.rsplit_once(' ')?.0.to_owned();
    let (authorization, key) = (header("authorization"), header("idempotency-key"));
    Some(Sent { asked, authorization, key, body: serde_json::from_slice(&body).ok()? })
}

/// The headers of a webhook with this body, signed now with [`WEBHOOK_SECRET`].
///
/// # Panics
/// The secret is no base64.
pub fn signed(id: &str, unix_seconds: i64, body: &str) -> [(&'static str, String); 3] {
    let key = STANDARD.decode(WEBHOOK_SECRET.trim_start_matches("whsec_")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(format!("{id}.{unix_seconds}.{body}").as_bytes());
    let value = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    [("svix-id", id.to_owned()), ("svix-timestamp", unix_seconds.to_string()), ("svix-signature", value)]
}
