//! A fresh database for each test, on each of the two.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use kernel::{Context, Entropy, Timestamp};
use store::{Db, Notice, Settings};
use tempfile::TempDir;
use uuid::Uuid;

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

/// An empty, migrated database.
pub struct World {
    pub db: Db,
    pub settings: Settings,
    pub notices: Arc<Mutex<Vec<Notice>>>,
    entropy: Arc<dyn Entropy>,
    dropped: Option<(String, String)>,
    _folder: TempDir,
}

impl World {
    fn open(settings: Settings, folder: TempDir, dropped: Option<(String, String)>) -> Self {
        Db::migrate(&settings).expect("migrates");
        let db = Db::open(&settings).expect("opens");
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&notices);
        db.on_commit(Arc::new(move |new| heard.lock().expect("not poisoned").extend_from_slice(new)));
        Self {
            db,
            settings,
            notices,
            entropy: Arc::new(Counter(AtomicU64::new(1))),
            dropped,
            _folder: folder,
        }
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("data/test.db").display());
        Self::open(Settings::new(&url).expect("a database"), folder, None)
    }

    fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("PITLANE_TEST_POSTGRES") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "PITLANE_TEST_POSTGRES is not set");
            return None;
        };
        let name = format!("store_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::establish(&server).expect("PostgreSQL answers");
        connection.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database is created");
        let (base, _) = server.rsplit_once('/').expect("the address ends with a database");
        let query = server.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        let settings = Settings::new(&format!("{base}/{name}{query}")).expect("a database");
        Some(Self::open(settings, tempfile::tempdir().expect("a folder"), Some((server, name))))
    }

    /// One world for each database that is there.
    pub fn each() -> Vec<Self> {
        std::iter::once(Self::sqlite()).chain(Self::postgres()).collect()
    }

    /// That many seconds after the start of time.
    pub fn context(&self, seconds: i64) -> Context {
        let start = Timestamp::from_unix_seconds(1_760_860_800).expect("in range");
        Context::new(start.plus_seconds(seconds), Arc::clone(&self.entropy))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.dropped
            && let Ok(mut connection) = PgConnection::establish(server)
        {
            // A left-over database hurts nobody: the server is thrown away after the tests.
            let _ = connection.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
