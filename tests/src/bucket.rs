//! A bucket of its own for a server, behind a line that can be cut.
//!
//! `cargo xtask test` starts Moto's S3, which checks signatures and what a key may do, and says in `PITLANE_TEST_S3`
//! where it is: for who may do everything, for who may only read, and where to look behind it.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use uuid::Uuid;

const S3: &str = "PITLANE_TEST_S3";

/// A bucket.
pub struct Bucket {
    name: String,
    users: [(String, String); 2],
    look: String,
    line: Line,
}

/// What a bucket holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// The keys of what is whole.
    pub keys: Vec<String>,
    /// The keys of uploads in parts that have come to no end.
    pub unfinished: Vec<String>,
    /// How many parts they hold together.
    pub parts: u64,
}

impl Bucket {
    /// An empty one; `None`, and a word about it, where there is no S3.
    ///
    /// # Panics
    /// In CI there is no S3; or it does not make a bucket.
    pub async fn create() -> Option<Self> {
        let Ok(told) = std::env::var(S3) else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{S3} is not set");
            eprintln!("skipped: no S3; `cargo xtask test` starts one");
            return None;
        };
        let [all, reader, look] = told.split(' ').collect::<Vec<_>>().try_into().expect("three addresses");
        let (key, host) = user(all);
        let bucket = Self {
            name: format!("pitlane-{}", Uuid::new_v4()),
            users: [key, user(reader).0],
            look: look.to_owned(),
            line: Line::to(host),
        };
        let made = reqwest::Client::new().post(format!("{look}/{}", bucket.name)).send().await;
        assert!(made.is_ok_and(|answer| answer.status().is_success()), "a bucket");
        Some(bucket)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a server needs to keep its uploads there, below a prefix.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let (key, secret) = &self.users[0];
        vec![
            ("PITLANE_FILES__URL", format!("s3://{}/up/loads", self.name)),
            ("AWS_ENDPOINT", format!("http://{}", self.line.address)),
            ("AWS_ACCESS_KEY_ID", key.clone()),
            ("AWS_SECRET_ACCESS_KEY", secret.clone()),
        ]
    }

    /// A key that may only read, and its secret.
    pub fn reader(&self) -> (&str, &str) {
        (&self.users[1].0, &self.users[1].1)
    }

    /// What it holds now.
    ///
    /// # Panics
    /// The S3 does not answer.
    pub async fn held(&self) -> Held {
        let answer = reqwest::get(format!("{}/{}", self.look, self.name)).await.expect("an answer");
        let told: Value = answer.json().await.expect("JSON");
        let keys = |name: &str| {
            let keys = told[name].as_array().expect("keys");
            keys.iter().map(|key| key.as_str().expect("text").to_owned()).collect()
        };
        let parts = told["parts"].as_u64().expect("a number");
        Held { keys: keys("keys"), unfinished: keys("unfinished"), parts }
    }

    /// How many objects it holds, and how many uploads have come to no end.
    ///
    /// # Panics
    /// The S3 does not answer.
    pub async fn counts(&self) -> (usize, usize) {
        let held = self.held().await;
        (held.keys.len(), held.unfinished.len())
    }

    /// Puts something there that is none of the server's business.
    ///
    /// # Panics
    /// The S3 does not answer.
    pub async fn put(&self, key: &str) {
        let put = reqwest::Client::new().put(format!("{}/{}/{key}", self.look, self.name)).body("x").send();
        assert!(put.await.is_ok_and(|answer| answer.status().is_success()), "{key}");
    }

    /// Cuts the server off from it, also in the middle of a word, or connects it again.
    pub fn connect(&self, connected: bool) {
        self.line.is_up.store(connected, Ordering::SeqCst);
        if !connected {
            for stream in self.line.open.lock().expect("nobody panics here").drain(..) {
                // One that has ended by itself is cut as well.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

// The user, and the host and port.
fn user(address: &str) -> ((String, String), &str) {
    let (key, host) = address.trim_start_matches("http://").rsplit_once('@').expect("a user");
    let (name, secret) = key.split_once(':').expect("a secret");
    ((name.to_owned(), secret.to_owned()), host)
}

struct Line {
    address: String,
    is_up: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (is_up, open) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let line = Self { address, is_up: Arc::clone(&is_up), open: Arc::clone(&open) };
        let host = host.to_owned();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if is_up.load(Ordering::SeqCst) {
                    join(near, &host, &open);
                }
            }
        });
        line
    }
}

fn join(near: TcpStream, host: &str, open: &Mutex<Vec<TcpStream>>) {
    let far = TcpStream::connect(host).expect("the S3 runs");
    let twice = |stream: &TcpStream| stream.try_clone().expect("a second handle");
    open.lock().expect("nobody panics here").extend([twice(&near), twice(&far)]);
    for (mut from, mut to) in [(twice(&near), twice(&far)), (far, near)] {
        thread::spawn(move || {
            // Either side may end it at any time.
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
