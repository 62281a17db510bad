//! The databases that a contract test runs on, each fresh and migrated.
//!
//! SQLite always; PostgreSQL when `PITLANE_TEST_POSTGRES` names a server on which databases may be made.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use kernel::{Context, Entropy, Timestamp};
use store::{Db, Notice, Settings};
use uuid::Uuid;

/// Ids and bytes that differ at each call and are the same in each run.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn id(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn fill(&self, buffer: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        buffer.fill(0);
        buffer[..number.len()].copy_from_slice(&number);
    }
}

/// A fresh database and what a use case needs beside it.
#[derive(Clone)]
pub struct World {
    /// The database.
    pub db: Db,
    entropy: Arc<dyn Entropy>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl World {
    fn open(url: &str) -> Self {
        let settings = Settings::new(url).expect("a database");
        Db::migrate(&settings).expect("migrates");
        let db = Db::open(&settings).expect("opens");
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&notices);
        db.on_commit(Arc::new(move |new| heard.lock().expect("not poisoned").extend_from_slice(new)));
        Self { db, entropy: Arc::new(Counter(AtomicU64::new(1))), notices }
    }

    /// That many seconds after the start.
    pub fn context(&self, seconds: i64) -> Context {
        let start = Timestamp::from_unix_seconds(1_760_860_800).expect("in range");
        Context::new(start.plus_seconds(seconds), Arc::clone(&self.entropy))
    }

    /// What was told since the last call.
    pub fn heard(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.notices.lock().expect("not poisoned"))
    }
}

/// Runs a test on each database.
pub fn on_each_database(test: impl AsyncFn(World)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("contract.db").display());
    runtime.block_on(async { test(World::open(&url)).await });
    if let Ok(server) = std::env::var("PITLANE_TEST_POSTGRES") {
        let database = Database::create(&server);
        runtime.block_on(async { test(World::open(&database.url)).await });
    }
}

struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    fn create(server: &str) -> Self {
        let name = format!("contract_{}", Uuid::now_v7().simple());
        let (start, query) =
            server.split_once('?').map_or((server, None), |(start, query)| (start, Some(query)));
        let host = start.rsplit_once('/').map_or(start, |(host, _)| host);
        let url = query.map_or_else(|| format!("{host}/{name}"), |query| format!("{host}/{name}?{query}"));
        run(server, &format!("CREATE DATABASE {name}"));
        Self { server: server.to_owned(), name, url }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn run(server: &str, statement: &str) {
    let mut connection = PgConnection::establish(server).expect("the server of PITLANE_TEST_POSTGRES");
    connection.batch_execute(statement).expect("may make databases");
}
