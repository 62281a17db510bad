//! The limit of the chat: SQLite with the same rows and nothing around it.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Binary)]
    session_id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    customer_id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
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
        let mut connection =
            SqliteConnection::establish(&file.display().to_string()).expect("the file opens");
        connection
            .batch_execute(
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;",
            )
            .expect("settings");
        let places = sql_query("SELECT id AS session_id, customer_id, last_seq FROM sessions")
            .load(&mut connection)
            .expect("sessions");
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
        sql_query(
            "INSERT INTO session_events (session_id, seq, id, kind, actor_id, actor_role, client_ref, body, salt, \
             commitment, chain_hash, created_at) VALUES (?, ?, ?, 'message', ?, 'customer', ?, ?, ?, ?, ?, \
             '2025-10-19T08:00:00.000000Z') ON CONFLICT DO NOTHING",
        )
        .bind::<Binary, _>(&place.session_id)
        .bind::<BigInt, _>(place.last_seq)
        .bind::<Binary, _>(id.as_slice())
        .bind::<Binary, _>(&place.customer_id)
        .bind::<Text, _>(client_ref)
        .bind::<Text, _>(body)
        .bind::<Binary, _>(&id[..])
        .bind::<Binary, _>(hash.as_slice())
        .bind::<Binary, _>(hash.as_slice())
        .execute(&mut self.connection)
        .expect("inserts");
        sql_query("UPDATE sessions SET last_seq = ?, chain_head = ?, updated_at = '2025-10-19T08:00:00.000000Z' WHERE id = ?")
            .bind::<BigInt, _>(place.last_seq)
            .bind::<Binary, _>(hash.as_slice())
            .bind::<Binary, _>(&place.session_id)
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
