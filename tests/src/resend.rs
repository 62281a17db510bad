//! Something that answers like Resend, and remembers what it was sent.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// What signs the webhooks of [`signed`].
pub const WEBHOOK_SECRET: &str = "whsec_cGl0bGFuZS13ZWJob29rLXNlY3JldC0x";

/// One mail of a request, for one or for many.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The method and the path.
    pub asked: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The `Idempotency-Key` header.
    pub key: String,
    /// The mail.
    pub body: Value,
}

/// A request as it came.
struct Asked {
    asked: String,
    authorization: String,
    key: String,
    permissive: bool,
    body: Value,
}

/// Something to answer instead of taking mail.
type Failure = (u16, &'static str);

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    delivered: Vec<Value>,
    failures: VecDeque<Failure>,
    down: Option<Failure>,
    rejected: HashSet<String>,
    takes_no_batches: bool,
    held: bool,
    // What came under a key and what was answered, for as long as the process lives.
    keys: HashMap<String, (Value, String)>,
}

/// A carrier on a port of its own. As the real one it takes what comes again under a key only once, and refuses the key
/// with anything else.
#[derive(Clone)]
pub struct FakeResend {
    /// Its origin.
    pub url: String,
    state: Arc<(Mutex<State>, Condvar)>,
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every mail that was asked for so far, taken or not.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The mails that it took and would have delivered.
    pub fn delivered(&self) -> Vec<Value> {
        self.state().delivered.clone()
    }

    /// The next request is answered so, and remembered.
    pub fn fail_once(&self, status: u16, body: &'static str) {
        self.state().failures.push_back((status, body));
    }

    /// Every request is answered so, until `None`.
    pub fn fail(&self, answer: Option<Failure>) {
        self.state().down = answer;
    }

    /// Mail to that address is invalid.
    pub fn reject(&self, address: &str) {
        self.state().rejected.insert(address.to_owned());
    }

    /// Batches are refused as a whole, whatever is in them.
    pub fn take_no_batches(&self) {
        self.state().takes_no_batches = true;
    }

    /// Takes batches and does not answer them, until it is called with `false`.
    pub fn hold_answers(&self, held: bool) {
        self.state().held = held;
        self.state.1.notify_all();
    }

    fn serve(&self, connection: TcpStream) {
        let mut writer = connection.try_clone().expect("a second handle");
        let mut reader = BufReader::new(connection);
        while let Some(asked) = read(&mut reader) {
            let is_batch = asked.body.is_array();
            let (status, body) = self.state().answer(&asked);
            let mut state = self.state();
            while is_batch && state.held {
                state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
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

impl State {
    fn answer(&mut self, asked: &Asked) -> (u16, String) {
        let mails = asked.body.as_array().cloned().unwrap_or_else(|| vec![asked.body.clone()]);
        for body in &mails {
            let Asked { asked, authorization, key, .. } = asked;
            let (asked, authorization, key) = (asked.clone(), authorization.clone(), key.clone());
            self.sent.push(Sent { asked, authorization, key, body: body.clone() });
        }
        if let Some((status, body)) = self.failures.pop_front().or(self.down) {
            return (status, body.to_owned());
        }
        match self.keys.get(&asked.key) {
            Some((payload, answer)) if *payload == asked.body => return (200, answer.clone()),
            Some(_) => return (409, problem(409, "invalid_idempotent_request")),
            None => {}
        }
        let (good, bad): (Vec<_>, Vec<_>) =
            mails.iter().enumerate().partition(|(_, mail)| !self.is_rejected(mail));
        let is_batch = asked.body.is_array();
        let whole = match is_batch {
            true => self.takes_no_batches || mails.len() > 100 || (!bad.is_empty() && !asked.permissive),
            false => !bad.is_empty(),
        };
        if whole {
            return (422, problem(422, "validation_error"));
        }
        let first = self.delivered.len();
        self.delivered.extend(good.iter().map(|(_, mail)| (*mail).clone()));
        let ids: Vec<Value> =
            (first..self.delivered.len()).map(|n| json!({ "id": format!("mail-{n}") })).collect();
        let errors: Vec<Value> = bad
            .iter()
            .map(|(place, _)| json!({ "index": place, "message": "Invalid `to` field." }))
            .collect();
        let answer = match (is_batch, errors.is_empty()) {
            (false, _) => ids[0].to_string(),
            (true, true) => json!({ "data": ids }).to_string(),
            (true, false) => json!({ "data": ids, "errors": errors }).to_string(),
        };
        self.keys.insert(asked.key.clone(), (asked.body.clone(), answer.clone()));
        (200, answer)
    }

    fn is_rejected(&self, mail: &Value) -> bool {
        mail["to"][0].as_str().is_some_and(|address| self.rejected.contains(address))
    }
}

fn problem(status: u16, name: &str) -> String {
    json!({ "statusCode": status, "name": name, "message": "refused" }).to_string()
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
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
    let permissive = header("x-batch-validation") == "permissive";
    Some(Asked { asked, authorization, key, permissive, body: serde_json::from_slice(&body).ok()? })
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
