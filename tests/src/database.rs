//! A database of its own for each server, and a look into it.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use uuid::Uuid;

/// Which database a server uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file in the server's folder.
    Sqlite,
    /// A database in the server that `PITLANE_TEST_POSTGRES` names.
    Postgres,
}

impl Backend {
    /// Whether tests can use it here. SQLite always; PostgreSQL when `cargo xtask test` started one.
    ///
    /// # Panics
    /// In CI, where everything must be able to run.
    pub fn is_available(self) -> bool {
        let available = self == Self::Sqlite || postgres_url().is_some();
        assert!(
            available || std::env::var("CI").as_deref() != Ok("true"),
            "PITLANE_TEST_POSTGRES is not set"
        );
        available
    }
}

fn postgres_url() -> Option<String> {
    std::env::var("PITLANE_TEST_POSTGRES").ok()
}

/// One database, removed at the end.
#[derive(Debug)]
pub struct Database {
    url: String,
    name: Option<String>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    place: String,
}

impl Database {
    /// An empty database: a path in `folder`, or a new one in the PostgreSQL of the tests.
    ///
    /// # Panics
    /// PostgreSQL refuses.
    pub fn create(backend: Backend, folder: &Path) -> Self {
        match backend {
            Backend::Sqlite => {
                Self { url: format!("sqlite://{}", folder.join("data/pitlane.db").display()), name: None }
            }
            Backend::Postgres => {
                let server = postgres_url().expect("PostgreSQL is available");
                let name = format!("pitlane_{}", Uuid::new_v4().simple());
                let mut connection = PgConnection::establish(&server).expect("PostgreSQL answers");
                connection.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database is created");
                let (base, _) = server.rsplit_once('/').expect("the address ends with a database");
                Self { url: format!("{base}/{name}?sslmode=disable"), name: Some(name) }
            }
        }
    }

    /// The address, as `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The single number that a query answers in a column called `number`.
    ///
    /// # Panics
    /// The query fails.
    pub fn number(&self, query: &str) -> i64 {
        let row: Number = match self.file() {
            Some(path) => sql_query(query).get_result(&mut sqlite(path)).expect(query),
            None => sql_query(query).get_result(&mut self.postgres()).expect(query),
        };
        row.number
    }

    /// How many rows of a table hold a condition; `true` for all.
    ///
    /// # Panics
    /// The query fails.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        self.number(&format!("SELECT count(*) AS number FROM {table} WHERE {condition}"))
    }

    /// Runs statements past the product, to break what it guards.
    ///
    /// # Errors
    /// The database refuses them, as its own constraints should.
    pub fn execute(&self, statements: &str) -> Result<(), String> {
        let done = match self.file() {
            Some(path) => sqlite(path).batch_execute(statements),
            None => self.postgres().batch_execute(statements),
        };
        done.map_err(|error| error.to_string())
    }

    /// Every column that holds this text somewhere, as `table.column`: whatever the tables are, whatever the type.
    ///
    /// # Panics
    /// A query fails.
    pub fn places(&self, text: &str) -> Vec<String> {
        let columns = match self.is_sqlite() {
            true => {
                "SELECT t.name || '.' || c.name AS place FROM sqlite_schema t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1"
            }
            false => {
                "SELECT table_name || '.' || column_name AS place FROM information_schema.columns
                 WHERE table_schema = 'public' ORDER BY 1"
            }
        };
        let columns = self.texts(columns);
        assert!(columns.len() > 100, "{columns:?}");
        let text = text.replace('\'', "''");
        let mut found = Vec::new();
        for part in columns.chunks(50) {
            let one = |column: &String| {
                let (table, name) = column.split_once('.').expect("a table and a column");
                format!(
                    "SELECT '{column}' AS place WHERE EXISTS
                       (SELECT 1 FROM {table} WHERE CAST(\"{name}\" AS TEXT) LIKE '%{text}%')"
                )
            };
            found.extend(self.texts(&part.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")));
        }
        found
    }

    fn texts(&self, query: &str) -> Vec<String> {
        let rows: Vec<Place> = match self.file() {
            Some(path) => sql_query(query).load(&mut sqlite(path)).expect(query),
            None => sql_query(query).load(&mut self.postgres()).expect(query),
        };
        rows.into_iter().map(|row| row.place).collect()
    }

    /// Whether this is SQLite, for the few words that differ.
    pub fn is_sqlite(&self) -> bool {
        self.name.is_none()
    }

    /// Takes PostgreSQL away from whoever uses this database, or gives it back.
    ///
    /// # Panics
    /// This is SQLite, or PostgreSQL refuses.
    pub fn plug(&self, in_use: bool) {
        let (name, server) = (self.name.as_ref().expect("PostgreSQL"), postgres_url().expect("its address"));
        let mut connection = PgConnection::establish(&server).expect("PostgreSQL answers");
        let allow = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {in_use}");
        connection.batch_execute(&allow).expect("the database can be closed");
        if !in_use {
            let end =
                format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            connection.batch_execute(&end).expect("connections can be ended");
        }
    }

    /// Makes PostgreSQL refuse to write for whoever uses this database, or write again.
    ///
    /// # Panics
    /// This is SQLite, or PostgreSQL refuses.
    pub fn keep_from_writing(&self, read_only: bool) {
        let (name, server) = (self.name.as_ref().expect("PostgreSQL"), postgres_url().expect("its address"));
        let mut connection = PgConnection::establish(&server).expect("PostgreSQL answers");
        let allow = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
        connection.batch_execute(&allow).expect("the database takes its settings");
        // Connections that are open keep theirs.
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        connection.batch_execute(&end).expect("connections can be ended");
    }

    fn file(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite://")
    }

    fn postgres(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("PostgreSQL answers")
    }
}

fn sqlite(path: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path).expect("the file opens");
    connection
        .batch_execute("PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON;")
        .expect("SQLite takes its settings");
    connection
}

impl Drop for Database {
    fn drop(&mut self) {
        // The database of a failed test is left to be looked at until the server that holds it goes.
        let (Some(name), Some(server), false) = (&self.name, postgres_url(), std::thread::panicking()) else {
            return;
        };
        if let Ok(mut connection) = PgConnection::establish(&server) {
            let _ = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}
