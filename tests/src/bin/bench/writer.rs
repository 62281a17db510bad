//! The limit of the chat: SQLite with the same rows and nothing around it.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{SqliteConnection, table};

// What diesel needs to keep both statements prepared; text and blobs are what the rows hold.
table! {
    session_events (session_id, seq) {
        session_id -> Binary,
        seq -> BigInt,
        id -> Binary,
        kind -> Text,
        actor_id -> Binary,
        actor_role -> Text,
        client_ref -> Text,
        body -> Text,
        salt -> Binary,
        commitment -> Binary,
        chain_hash -> Binary,
        created_at -> Text,
    }
}

table! {
    sessions (id) {
        id -> Binary,
        customer_id -> Binary,
        last_seq -> BigInt,
        chain_head -> Binary,
        updated_at -> Text,
    }
}

const NOW: &str = "2025-10-19T08:00:00.000000Z";

/// Opens the file with the server's own settings.
pub fn open(file: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(&file.display().to_string()).expect("the file opens");
    connection
        .batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;",
        )
        .expect("settings");
    connection
}

struct Place {
    session: Vec<u8>,
    customer: Vec<u8>,
    last_seq: i64,
}

/// A bare writer on a database that a server has filled and left.
pub struct BareWriter {
    connection: SqliteConnection,
    places: Vec<Place>,
    written: u64,
}

impl BareWriter {
    /// Opens the file with the server's own settings.
    pub fn open(file: &Path) -> Self {
        let mut connection = open(file);
        let places = sessions::table
            .select((sessions::id, sessions::customer_id, sessions::last_seq))
            .load::<(Vec<u8>, Vec<u8>, i64)>(&mut connection)
            .expect("sessions")
            .into_iter()
            .map(|(session, customer, last_seq)| Place { session, customer, last_seq })
            .collect();
        Self { connection, places, written: 0 }
    }

    fn message(&mut self) {
        let turn = usize::try_from(self.written).unwrap_or(0) % self.places.len();
        self.written += 1;
        let place = &mut self.places[turn];
        place.last_seq += 1;
        let mut id = [0_u8; 16];
        id[..8].copy_from_slice(&self.written.to_be_bytes());
        let client_ref = format!("bare-{}", self.written);
        let body = format!(r#"{{"text":"{}","client_ref":"{client_ref}","files":[]}}"#, super::chat::TEXT);
        let hash = [7_u8; 32];
        diesel::insert_into(session_events::table)
            .values((
                session_events::session_id.eq(&place.session),
                session_events::seq.eq(place.last_seq),
                session_events::id.eq(id.as_slice()),
                session_events::kind.eq("message"),
                session_events::actor_id.eq(&place.customer),
                session_events::actor_role.eq("customer"),
                session_events::client_ref.eq(client_ref),
                session_events::body.eq(body),
                session_events::salt.eq(id.as_slice()),
                session_events::commitment.eq(hash.as_slice()),
                session_events::chain_hash.eq(hash.as_slice()),
                session_events::created_at.eq(NOW),
            ))
            .execute(&mut self.connection)
            .expect("inserts");
        diesel::update(sessions::table.find(&place.session))
            .set((
                sessions::last_seq.eq(place.last_seq),
                sessions::chain_head.eq(hash.as_slice()),
                sessions::updated_at.eq(NOW),
            ))
            .execute(&mut self.connection)
            .expect("updates");
    }

    fn commit(&mut self, batch: usize) {
        self.connection.batch_execute("BEGIN IMMEDIATE").expect("begins");
        for _ in 0..batch {
            self.message();
        }
        self.connection.batch_execute("COMMIT").expect("commits");
    }

    /// Messages a second in commits of `batch`.
    pub fn rate(&mut self, batch: usize, seconds: u64) -> f64 {
        let (start, before) = (Instant::now(), self.written);
        while start.elapsed() < Duration::from_secs(seconds) {
            self.commit(batch);
        }
        (self.written - before) as f64 / start.elapsed().as_secs_f64()
    }

    /// How long commits of one message take, in microseconds, sorted.
    pub fn single_commits(&mut self, times: usize) -> Vec<u64> {
        let mut taken: Vec<u64> = (0..times)
            .map(|_| {
                let start = Instant::now();
                self.commit(1);
                u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
            })
            .collect();
        taken.sort_unstable();
        taken
    }
}
