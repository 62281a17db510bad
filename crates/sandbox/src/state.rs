//! The sandbox's state: objects as JSON documents in its own SQLite file.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;

use crate::document::{Document, Kind};
use crate::fault::{Fault, no_such};
use crate::{Clock, Error, Settings};

const SCHEMA: &str = "
create table if not exists document (
    seq integer primary key,
    id text not null unique,
    kind text not null,
    created integer not null,
    json text not null,
    hidden text not null
);
create index if not exists document_kind on document (kind, seq);
create index if not exists document_intent on document (kind, json_extract(json, '$.payment_intent'));
create index if not exists document_customer on document (kind, json_extract(json, '$.customer'));
create table if not exists idempotency (
    key text primary key,
    endpoint text not null,
    fingerprint text not null,
    status integer not null,
    body text not null,
    created integer not null
);
create index if not exists idempotency_created on idempotency (created);
create table if not exists delivery (
    id integer primary key,
    event text not null references document (id),
    state text not null check (state in ('pending', 'delivered', 'dropped', 'failed')),
    attempts integer not null default 0,
    next_at integer not null default 0,
    last_status integer
);
create index if not exists delivery_pending on delivery (id) where state = 'pending';
create table if not exists delivery_endpoint (
    delivery integer primary key references delivery (id),
    endpoint text not null references document (id)
);
create table if not exists timer (
    what text not null,
    id text not null,
    at integer not null,
    primary key (what, id)
);
create index if not exists timer_at on timer (at);
create table if not exists setting (name text primary key, value text not null);
";

/// The SQLite file. One connection: the sandbox serves one developer, and one writer needs no retries.
pub(crate) struct Database {
    path: PathBuf,
    connection: Mutex<SqliteConnection>,
}

/// What a transaction answered, and whether it recorded events that are now to be delivered.
pub(crate) struct Done<T> {
    pub(crate) value: T,
    pub(crate) told: bool,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| Error::Folder { path: path.to_owned(), source })?;
        }
        let mut connection = connect(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        prepare(&mut connection)?;
        connection.batch_execute(SCHEMA)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// Runs `work` in one transaction that a fault rolls back.
    pub(crate) fn transaction<T>(
        &self,
        settings: &Settings,
        clock: &Clock,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault>,
    ) -> Result<Done<T>, Fault> {
        let mut connection = self.lock()?;
        connection.immediate_transaction(|connection| {
            // Read inside the lock, so that times never run backwards from one transaction to the next.
            let mut tx = Tx { connection, settings, now: clock(), origin: Origin::default(), told: false };
            let value = work(&mut tx)?;
            Ok(Done { value, told: tx.told })
        })
    }

    fn lock(&self) -> Result<MutexGuard<'_, SqliteConnection>, Fault> {
        match self.connection.lock() {
            Ok(connection) => Ok(connection),
            Err(poisoned) => {
                // A panic left the old connection inside a transaction; closing it rolls that back.
                let mut guard = poisoned.into_inner();
                *guard = connect(&self.path).map_err(|error| Fault::Internal(error.to_string()))?;
                prepare(&mut guard)?;
                self.connection.clear_poison();
                Ok(guard)
            }
        }
    }
}

fn connect(path: &Path) -> Result<SqliteConnection, diesel::ConnectionError> {
    // Readable for its owner alone. What stands in the way is told by the connection itself.
    let _ = File::options().write(true).create_new(true).mode(0o600).open(path);
    SqliteConnection::establish(&path.to_string_lossy())
}

fn prepare(connection: &mut SqliteConnection) -> Result<(), diesel::result::Error> {
    connection.batch_execute(
        "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;",
    )
}

#[derive(QueryableByName)]
struct DocumentRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    json: String,
    #[diesel(sql_type = Text)]
    hidden: String,
}

/// Which documents a list asks for, newest first.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) kind: Kind,
    /// A field's wanted values; any of them will do.
    pub(crate) fields: Vec<(&'static str, Vec<String>)>,
    /// Further conditions in SQL.
    pub(crate) conditions: Vec<String>,
    /// Comparisons of `created`: an SQL operator and a time.
    pub(crate) created: Vec<(&'static str, i64)>,
    pub(crate) cursor: Cursor,
    pub(crate) limit: i64,
}

impl Search {
    /// The newest documents of a kind whose `field` is `value`.
    pub(crate) fn newest(kind: Kind, field: &'static str, value: &str, limit: i64) -> Self {
        Self {
            kind,
            fields: vec![(field, vec![value.to_owned()])],
            conditions: Vec::new(),
            created: Vec::new(),
            cursor: Cursor::Newest,
            limit,
        }
    }
}

/// Where a page of a list begins.
#[derive(Clone, Debug)]
pub(crate) enum Cursor {
    Newest,
    After(String),
    Before(String),
}

/// The request that a transaction serves; empty when a page or the clock caused it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// One transaction, at one instant.
pub(crate) struct Tx<'a> {
    pub(crate) connection: &'a mut SqliteConnection,
    pub(crate) settings: &'a Settings,
    pub(crate) now: i64,
    pub(crate) origin: Origin,
    /// Whether events were recorded that are now to be delivered.
    pub(crate) told: bool,
}

impl Tx<'_> {
    pub(crate) fn insert(&mut self, kind: Kind, document: &Document, hidden: &Value) -> Result<(), Fault> {
        sql_query("insert into document (id, kind, created, json, hidden) values (?, ?, ?, ?, ?)")
            .bind::<Text, _>(document.id())
            .bind::<Text, _>(kind.object())
            .bind::<BigInt, _>(document.integer("created"))
            .bind::<Text, _>(document.json().to_string())
            .bind::<Text, _>(hidden.to_string())
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn update(&mut self, document: &Document) -> Result<(), Fault> {
        sql_query("update document set json = ? where id = ?")
            .bind::<Text, _>(document.json().to_string())
            .bind::<Text, _>(document.id())
            .execute(self.connection)?;
        Ok(())
    }

    /// What is kept beside an object and never shown by the API.
    pub(crate) fn hidden(&mut self, id: &str) -> Result<Value, Fault> {
        match self.row(None, id)? {
            Some(row) => parse(&row.hidden),
            None => Ok(Value::Null),
        }
    }

    pub(crate) fn hide(&mut self, id: &str, hidden: &Value) -> Result<(), Fault> {
        sql_query("update document set hidden = ? where id = ?")
            .bind::<Text, _>(hidden.to_string())
            .bind::<Text, _>(id)
            .execute(self.connection)?;
        Ok(())
    }

    fn row(&mut self, kind: Option<Kind>, id: &str) -> Result<Option<DocumentRow>, Fault> {
        let row =
            sql_query("select seq, json, hidden from document where id = ?1 and (?2 is null or kind = ?2)")
                .bind::<Text, _>(id)
                .bind::<Nullable<Text>, _>(kind.map(Kind::object))
                .get_result::<DocumentRow>(self.connection)
                .optional()?;
        Ok(row)
    }

    pub(crate) fn find(&mut self, kind: Kind, id: &str) -> Result<Option<Document>, Fault> {
        match self.row(Some(kind), id)? {
            Some(row) => Ok(Some(Document::new(parse(&row.json)?))),
            None => Ok(None),
        }
    }

    /// An object of any kind, for `expand`.
    pub(crate) fn find_any(&mut self, id: &str) -> Result<Option<Value>, Fault> {
        self.row(None, id)?.map(|row| parse(&row.json)).transpose()
    }

    /// The object, or Stripe's `resource_missing` naming `param`.
    pub(crate) fn require(&mut self, kind: Kind, id: &str, param: &str) -> Result<Document, Fault> {
        self.find(kind, id)?.ok_or_else(|| no_such(kind, id, param).into())
    }

    /// The newest object of a kind whose `field` is `value`.
    pub(crate) fn find_by(
        &mut self,
        kind: Kind,
        field: &'static str,
        value: &str,
    ) -> Result<Option<Document>, Fault> {
        let (mut found, _) = self.search(&Search::newest(kind, field, value, 1))?;
        Ok(found.pop())
    }

    /// A page of documents and whether there are more beyond it.
    pub(crate) fn search(&mut self, search: &Search) -> Result<(Vec<Document>, bool), Fault> {
        let mut sql = String::from(
            "select seq, json, hidden from document
             where kind = ? and json_extract(json, '$.deleted') is null",
        );
        let mut texts = Vec::new();
        for (field, values) in &search.fields {
            let places = vec!["?"; values.len()].join(", ");
            sql.push_str(&format!(" and json_extract(json, '$.{field}') in ({places})"));
            texts.extend(values.iter().cloned());
        }
        for condition in &search.conditions {
            sql.push_str(&format!(" and ({condition})"));
        }
        for (operator, at) in &search.created {
            sql.push_str(&format!(" and created {operator} {at}"));
        }
        let (param, id) = match &search.cursor {
            Cursor::Newest => ("", None),
            Cursor::After(id) => ("starting_after", Some(id)),
            Cursor::Before(id) => ("ending_before", Some(id)),
        };
        if let Some(id) = id {
            let row = self.row(Some(search.kind), id)?.ok_or_else(|| no_such(search.kind, id, param))?;
            let operator = if param == "starting_after" { '<' } else { '>' };
            sql.push_str(&format!(" and seq {operator} {}", row.seq));
        }
        let backwards = matches!(search.cursor, Cursor::Before(_));
        let order = if backwards { "asc" } else { "desc" };
        // One more than asked for tells whether there is another page.
        sql.push_str(&format!(" order by seq {order} limit {}", search.limit.saturating_add(1)));
        let mut query = sql_query(sql).into_boxed::<Sqlite>().bind::<Text, _>(search.kind.object());
        for text in texts {
            query = query.bind::<Text, _>(text);
        }
        let mut rows = query.load::<DocumentRow>(self.connection)?;
        let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if backwards {
            rows.reverse();
        }
        let documents = rows.iter().map(|row| Ok(Document::new(parse(&row.json)?)));
        Ok((documents.collect::<Result<_, Fault>>()?, more))
    }
}

fn parse(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text)
        .map_err(|error| Fault::Internal(format!("a stored object can't be read: {error}")))
}
