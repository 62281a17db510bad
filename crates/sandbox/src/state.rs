//! The sandbox's state: objects as JSON documents in its own SQLite file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;

use crate::control::Control;
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
create table if not exists delivery (
    id integer primary key,
    event text not null references document (id),
    state text not null check (state in ('pending', 'delivered', 'dropped', 'failed')),
    attempts integer not null default 0,
    next_at integer not null default 0,
    last_status integer
);
create index if not exists delivery_pending on delivery (id) where state = 'pending';
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
            let mut tx = Tx { connection, settings, now: clock(), told: false };
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

/// A kept answer.
#[derive(QueryableByName)]
pub(crate) struct Kept {
    #[diesel(sql_type = Text)]
    pub(crate) endpoint: String,
    #[diesel(sql_type = Text)]
    pub(crate) fingerprint: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) status: i64,
    #[diesel(sql_type = Text)]
    pub(crate) body: String,
}

/// A webhook that is still to be sent.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Pending {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) event: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) next_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) created: i64,
    #[diesel(sql_type = Text)]
    pub(crate) json: String,
}

/// What became of a webhook, for the overview page.
#[derive(QueryableByName)]
pub(crate) struct Delivered {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Text)]
    pub(crate) object: String,
    #[diesel(sql_type = Text)]
    pub(crate) state: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) last_status: Option<i64>,
}

/// Something that is due.
#[derive(QueryableByName)]
pub(crate) struct Timer {
    #[diesel(sql_type = Text)]
    pub(crate) what: String,
    #[diesel(sql_type = Text)]
    pub(crate) id: String,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Which documents a list asks for, newest first.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) kind: Kind,
    /// A field's wanted values; any of them will do.
    pub(crate) fields: Vec<(&'static str, Vec<String>)>,
    /// Comparisons of `created`: an SQL operator and a time.
    pub(crate) created: Vec<(&'static str, i64)>,
    pub(crate) cursor: Cursor,
    pub(crate) limit: i64,
}

/// Where a page of a list begins.
#[derive(Clone, Debug)]
pub(crate) enum Cursor {
    Newest,
    After(String),
    Before(String),
}

/// One transaction, at one instant.
pub(crate) struct Tx<'a> {
    connection: &'a mut SqliteConnection,
    pub(crate) settings: &'a Settings,
    pub(crate) now: i64,
    told: bool,
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
        let (mut found, _) = self.search(&Search {
            kind,
            fields: vec![(field, vec![value.to_owned()])],
            created: Vec::new(),
            cursor: Cursor::Newest,
            limit: 1,
        })?;
        Ok(found.pop())
    }

    /// A page of documents and whether there are more beyond it.
    pub(crate) fn search(&mut self, search: &Search) -> Result<(Vec<Document>, bool), Fault> {
        let mut sql = String::from("select seq, json, hidden from document where kind = ?");
        let mut texts = Vec::new();
        for (field, values) in &search.fields {
            let places = vec!["?"; values.len()].join(", ");
            sql.push_str(&format!(" and json_extract(json, '$.{field}') in ({places})"));
            texts.extend(values.iter().cloned());
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

    pub(crate) fn kept(&mut self, key: &str) -> Result<Option<Kept>, Fault> {
        // Stripe forgets keys after a day.
        sql_query("delete from idempotency where created <= ?")
            .bind::<BigInt, _>(self.now - 86_400)
            .execute(self.connection)?;
        let kept = sql_query("select endpoint, fingerprint, status, body from idempotency where key = ?")
            .bind::<Text, _>(key)
            .get_result::<Kept>(self.connection)
            .optional()?;
        Ok(kept)
    }

    pub(crate) fn keep(&mut self, key: &str, kept: &Kept) -> Result<(), Fault> {
        sql_query("insert into idempotency (key, endpoint, fingerprint, status, body, created) values (?, ?, ?, ?, ?, ?)")
            .bind::<Text, _>(key)
            .bind::<Text, _>(&kept.endpoint)
            .bind::<Text, _>(&kept.fingerprint)
            .bind::<BigInt, _>(kept.status)
            .bind::<Text, _>(&kept.body)
            .bind::<BigInt, _>(self.now)
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn timer_set(&mut self, what: &str, id: &str, at: i64) -> Result<(), Fault> {
        sql_query(
            "insert into timer (what, id, at) values (?, ?, ?) on conflict do update set at = excluded.at",
        )
        .bind::<Text, _>(what)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(at)
        .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn timer_clear(&mut self, what: &str, id: &str) -> Result<(), Fault> {
        sql_query("delete from timer where what = ? and id = ?")
            .bind::<Text, _>(what)
            .bind::<Text, _>(id)
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn timers_due(&mut self) -> Result<Vec<Timer>, Fault> {
        let due = sql_query("select what, id from timer where at <= ? order by at, id limit 200")
            .bind::<BigInt, _>(self.now)
            .load(self.connection)?;
        Ok(due)
    }

    /// Adds an event to the outgoing webhooks: twice when they are to be doubled, marked as dropped when
    /// they are to be lost.
    pub(crate) fn delivery_insert(&mut self, event: &str) -> Result<(), Fault> {
        let control = self.control()?;
        let state = if control.drop { "dropped" } else { "pending" };
        for _ in 0..if control.duplicate { 2 } else { 1 } {
            sql_query("insert into delivery (event, state) values (?, ?)")
                .bind::<Text, _>(event)
                .bind::<Text, _>(state)
                .execute(self.connection)?;
        }
        self.told = true;
        Ok(())
    }

    /// The oldest deliveries that are not done.
    pub(crate) fn deliveries_pending(&mut self) -> Result<Vec<Pending>, Fault> {
        let pending = sql_query(
            "select delivery.id, event, attempts, next_at, document.created, document.json
             from delivery join document on document.id = delivery.event
             where state = 'pending' order by delivery.id limit 500",
        )
        .load(self.connection)?;
        Ok(pending)
    }

    /// The newest webhooks.
    pub(crate) fn deliveries_newest(&mut self) -> Result<Vec<Delivered>, Fault> {
        let newest = sql_query(
            "select json_extract(json, '$.type') as name, json_extract(json, '$.data.object.id') as object,
                    state, attempts, last_status
             from delivery join document on document.id = delivery.event
             order by delivery.id desc limit 50",
        )
        .load(self.connection)?;
        Ok(newest)
    }

    /// Notes how an attempt ended.
    pub(crate) fn delivery_note(
        &mut self,
        id: i64,
        state: &str,
        next_at: i64,
        status: Option<i64>,
    ) -> Result<(), Fault> {
        sql_query("update delivery set state = ?, attempts = attempts + 1, next_at = ?, last_status = ? where id = ?")
            .bind::<Text, _>(state)
            .bind::<BigInt, _>(next_at)
            .bind::<Nullable<BigInt>, _>(status)
            .bind::<BigInt, _>(id)
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn deliveries_drop(&mut self) -> Result<(), Fault> {
        sql_query("update delivery set state = 'dropped' where state = 'pending'")
            .execute(self.connection)?;
        Ok(())
    }

    /// Makes everything undelivered due at once.
    pub(crate) fn deliveries_hurry(&mut self) -> Result<(), Fault> {
        sql_query("update delivery set next_at = 0 where state = 'pending'").execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn control(&mut self) -> Result<Control, Fault> {
        let kept = sql_query("select value from setting where name = 'control'")
            .get_result::<Named>(self.connection)
            .optional()?;
        match kept {
            None => Ok(Control::default()),
            Some(kept) => serde_json::from_str(&kept.value)
                .map_err(|error| Fault::Internal(format!("stored control: {error}"))),
        }
    }

    pub(crate) fn control_set(&mut self, control: &Control) -> Result<(), Fault> {
        let text = serde_json::to_string(control).map_err(|error| Fault::Internal(error.to_string()))?;
        sql_query("insert into setting (name, value) values ('control', ?) on conflict do update set value = excluded.value")
            .bind::<Text, _>(text)
            .execute(self.connection)?;
        Ok(())
    }
}

fn parse(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text)
        .map_err(|error| Fault::Internal(format!("a stored object can't be read: {error}")))
}
