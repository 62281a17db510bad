//! One consistent picture of a database as a file, and back.
//!
//! | database | the file |
//! |---|---|
//! | SQLite | a database of its own, by `VACUUM INTO` |
//! | PostgreSQL | one line a row, `{"table":…,"row":…}`, all from one repeatable-read transaction |
//!
//! Both are made while the server works. Everything here blocks.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use diesel_migrations::MigrationHarness;

use crate::connection::{Access, AnyConnection, connect, keep_private};
use crate::db::{Location, Settings};
use crate::error::{OpenError, open_error};
use crate::migrate;
use crate::prepared::{Value, prepared};

/// Rows that are read or written at once.
const ROWS: usize = 500;

/// A file of `files`, whose bytes lie elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Under which key its bytes lie.
    pub key: String,
    /// The SHA-256 of its bytes.
    pub sha256: Vec<u8>,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Whether it is in use; an upload that is not may be swept at any moment.
    pub in_use: bool,
}

/// What a picture of the database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `sqlite` or `postgres`.
    pub kind: String,
    /// The migrations that had run, in order.
    pub migrations: Vec<String>,
    /// The files that belong to it.
    pub files: Vec<KeptFile>,
}

#[derive(QueryableByName)]
struct FileRow {
    #[diesel(sql_type = Text)]
    storage_key: String,
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    size_bytes: i64,
    #[diesel(sql_type = Bool)]
    in_use: bool,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn failed(settings: &Settings) -> impl Fn(String) -> OpenError {
    let place = settings.place();
    move |reason| open_error(&place, &reason)
}

fn lines(connection: &mut PgConnection, query: &str) -> Result<Vec<String>, String> {
    let rows: Vec<Line> = diesel::sql_query(query).load(connection).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|row| row.line).collect())
}

/// Writes a picture of the database, as it is at one moment, to the new file `to`.
///
/// # Errors
/// The database can't be read, is not of this version, or the file can't be written.
pub fn take(settings: &Settings, to: &Path) -> Result<Picture, OpenError> {
    let failed = failed(settings);
    let mut connection = connect(settings, Access::ReadWrite).map_err(|error| failed(error.to_string()))?;
    let migrations = migrate::verified(&mut connection)?;
    match &mut connection {
        AnyConnection::Sqlite(sqlite) => {
            let target = to.to_str().ok_or_else(|| failed("the path of the copy is no text".to_owned()))?;
            keep_private(target);
            diesel::sql_query("VACUUM INTO ?")
                .bind::<Text, _>(target)
                .execute(sqlite)
                .map_err(|error| failed(error.to_string()))?;
            // From the copy, so that the list and the rows are of the same moment.
            let mut copy = SqliteConnection::establish(target).map_err(|error| failed(error.to_string()))?;
            let files =
                diesel::sql_query(FILES).load(&mut copy).map_err(|error| failed(error.to_string()))?;
            Ok(Picture { kind: "sqlite".to_owned(), migrations, files: kept(files) })
        }
        AnyConnection::Postgres(postgres) => {
            let files = write_rows(postgres, to).map_err(&failed)?;
            Ok(Picture { kind: "postgres".to_owned(), migrations, files })
        }
    }
}

/// Whether a row of now still needs the bytes under that key.
///
/// # Errors
/// The database can't be read.
pub fn is_in_use(settings: &Settings, key: &str) -> Result<bool, OpenError> {
    let failed = failed(settings);
    let mut connection = connect(settings, Access::ReadWrite).map_err(|error| failed(error.to_string()))?;
    let query = prepared::<Text>(
        "SELECT storage_key FROM files WHERE storage_key = $1 AND expires_at IS NULL",
        &[Value::Text(key)],
    )
    .load::<String>(&mut connection);
    Ok(!query.map_err(|error| failed(error.to_string()))?.is_empty())
}

const FILES: &str = "SELECT storage_key, sha256, size_bytes, expires_at IS NULL AS in_use FROM files";
const TABLES: &str = "SELECT quote_ident(tablename) AS line FROM pg_tables \
     WHERE schemaname = current_schema() AND tablename <> '__diesel_schema_migrations' ORDER BY 1";

fn kept(rows: Vec<FileRow>) -> Vec<KeptFile> {
    rows.into_iter()
        .map(|row| KeptFile {
            key: row.storage_key,
            sha256: row.sha256,
            size_bytes: u64::try_from(row.size_bytes).unwrap_or(0),
            in_use: row.in_use,
        })
        .collect()
}

fn write_rows(connection: &mut PgConnection, to: &Path) -> Result<Vec<KeptFile>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    let private = File::options().create_new(true).write(true).mode(0o600).open(to);
    let mut out = BufWriter::new(private.map_err(told)?);
    let run = |connection: &mut PgConnection, sql: &str| {
        connection.batch_execute(sql).map_err(|error| error.to_string())
    };
    run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    for table in lines(connection, TABLES)? {
        run(
            connection,
            &format!("DECLARE picture CURSOR FOR SELECT row_to_json(t)::text AS line FROM {table} t"),
        )?;
        loop {
            let rows = lines(connection, &format!("FETCH {ROWS} FROM picture"))?;
            for row in &rows {
                let name = serde_json::Value::from(table.as_str());
                writeln!(out, "{{\"table\":{name},\"row\":{row}}}").map_err(told)?;
            }
            if rows.len() < ROWS {
                break;
            }
        }
        run(connection, "CLOSE picture")?;
    }
    let files: Vec<FileRow> = diesel::sql_query(FILES).load(connection).map_err(|error| error.to_string())?;
    run(connection, "COMMIT")?;
    out.flush().map_err(told)?;
    Ok(kept(files))
}

/// Why a database must not be written over: it is there, or somebody uses it. `None` when nothing stands in the way.
///
/// # Errors
/// A PostgreSQL that can't be reached.
pub fn in_the_way(settings: &Settings) -> Result<Option<String>, OpenError> {
    let failed = failed(settings);
    match settings.location() {
        Location::Sqlite(path) => {
            let there = std::fs::metadata(path).is_ok_and(|found| found.len() > 0);
            Ok(there.then(|| format!("{path} is there already")))
        }
        Location::Postgres(_) => {
            let mut connection = postgres(settings).map_err(&failed)?;
            let found = lines(
                &mut connection,
                "SELECT 'table ' || tablename AS line FROM pg_tables WHERE schemaname = current_schema() LIMIT 1",
            );
            let there = found.map_err(&failed)?.pop();
            Ok(there.map(|table| format!("{} holds data already: {table}", settings.place())))
        }
    }
}

fn postgres(settings: &Settings) -> Result<PgConnection, String> {
    match connect(settings, Access::ReadWrite).map_err(|error| error.to_string())? {
        AnyConnection::Postgres(postgres) => Ok(postgres),
        AnyConnection::Sqlite(_) => Err("this is no PostgreSQL".to_owned()),
    }
}

/// Puts a picture in the place of whatever the database holds, and brings it to this version's schema. The server must
/// be stopped.
///
/// # Errors
/// A picture of the other kind of database or of a newer version; a PostgreSQL that others are connected to; a picture
/// that can't be read. On PostgreSQL nothing has changed then.
pub fn put_back(settings: &Settings, picture: &Picture, from: &Path) -> Result<(), OpenError> {
    let failed = failed(settings);
    let kind = match settings.location() {
        Location::Sqlite(_) => "sqlite",
        Location::Postgres(_) => "postgres",
    };
    if picture.kind != kind {
        return Err(failed(format!("this is a backup of {}", picture.kind)));
    }
    let known = migrate::known(settings)?;
    if let Some(newer) = picture.migrations.iter().find(|name| !known.contains(*name)) {
        return Err(OpenError::SchemaNewer(newer.clone()));
    }
    match settings.location() {
        Location::Sqlite(path) => {
            let target = Path::new(path);
            let told = |error: std::io::Error| failed(error.to_string());
            if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(told)?;
            }
            // A log of the old file must never be played into the new one.
            for suffix in ["-wal", "-shm"] {
                match std::fs::remove_file(format!("{path}{suffix}")) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(told(error)),
                    Ok(()) | Err(_) => {}
                }
            }
            std::fs::rename(from, target).or_else(|_| std::fs::copy(from, target).map(drop)).map_err(told)?;
            File::open(target).and_then(|file| file.sync_all()).map_err(told)?;
        }
        Location::Postgres(_) => {
            let mut connection = postgres(settings).map_err(&failed)?;
            let others = lines(
                &mut connection,
                "SELECT count(*)::text AS line FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            match others.map_err(&failed)?.pop().as_deref() {
                Some("0") | None => {}
                Some(count) => {
                    return Err(failed(format!("{count} other connections are open: stop the server first")));
                }
            }
            connection
                .transaction::<(), Undone, _>(|connection| load(connection, picture, from).map_err(Undone))
                .map_err(|undone| failed(undone.0))?;
        }
    }
    migrate::run(settings).map(drop)
}

// What went wrong inside the transaction, in words.
struct Undone(String);

impl From<diesel::result::Error> for Undone {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.to_string())
    }
}

fn load(connection: &mut PgConnection, picture: &Picture, from: &Path) -> Result<(), String> {
    let run = |connection: &mut PgConnection, sql: &str| {
        connection.batch_execute(sql).map_err(|error| error.to_string())
    };
    run(connection, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")?;
    migrate_to(connection, &picture.migrations)?;
    // Rows come in the order of the tables' names; what refers to what is checked when all are there.
    let keys = lines(
        connection,
        "SELECT format('%s|%I|%s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS line \
         FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace",
    )?;
    let keys: Vec<(&str, &str, &str)> = keys
        .iter()
        .filter_map(|key| {
            let (table, rest) = key.split_once('|')?;
            let (name, definition) = rest.split_once('|')?;
            Some((table, name, definition))
        })
        .collect();
    for (table, name, _) in &keys {
        run(connection, &format!("ALTER TABLE {table} DROP CONSTRAINT {name}"))?;
    }
    // What a migration put in comes back with the backup.
    for table in lines(connection, TABLES)? {
        run(connection, &format!("TRUNCATE {table}"))?;
    }
    read_rows(connection, from)?;
    for (table, name, definition) in &keys {
        run(connection, &format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))?;
    }
    // Who worked on a job when the picture was taken is gone. On SQLite the server sees to that when it starts alone.
    run(
        connection,
        "UPDATE jobs SET status = 'queued', lease_owner = NULL, lease_until = NULL WHERE status = 'running'",
    )
}

// Exactly the schema that the rows were written under; later migrations change them like any others.
fn migrate_to(connection: &mut PgConnection, wanted: &[String]) -> Result<(), String> {
    let all: Vec<Box<dyn Migration<Pg>>> =
        MigrationSource::<Pg>::migrations(&migrate::POSTGRES).map_err(|error| error.to_string())?;
    let version = |one: &dyn Migration<Pg>| one.name().version().to_string();
    connection.setup_migrations()?;
    for migration in all.iter().filter(|one| wanted.contains(&version(&***one))) {
        connection.run_migration(&**migration).map_err(|error| error.to_string())?;
    }
    Ok(())
}

trait Setup {
    fn setup_migrations(&mut self) -> Result<(), String>;
}

impl Setup for PgConnection {
    // Looking for migrations makes their table.
    fn setup_migrations(&mut self) -> Result<(), String> {
        self.applied_migrations().map(drop).map_err(|error| error.to_string())
    }
}

fn read_rows(connection: &mut PgConnection, from: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", from.display());
    let mut rows: (String, Vec<String>) = Default::default();
    for line in BufReader::new(File::open(from).map_err(told)?).lines() {
        let line = line.map_err(told)?;
        let read: Row<'_> =
            serde_json::from_str(&line).map_err(|error| format!("a row can't be read: {error}"))?;
        if read.table != rows.0 || rows.1.len() >= ROWS {
            insert(connection, &rows.0, &rows.1)?;
            rows = (read.table, Vec::new());
        }
        rows.1.push(read.row.get().to_owned());
    }
    insert(connection, &rows.0, &rows.1)
}

#[derive(serde::Deserialize)]
struct Row<'l> {
    table: String,
    #[serde(borrow)]
    row: &'l serde_json::value::RawValue,
}

fn insert(connection: &mut PgConnection, table: &str, rows: &[String]) -> Result<(), String> {
    if rows.is_empty() {
        return Ok(());
    }
    // The name comes from a file: it must be one of ours, quoted as the catalogue quotes it.
    if !lines(connection, TABLES)?.iter().any(|known| known == table) {
        return Err(format!("there is no table {table}"));
    }
    let columns = lines(
        connection,
        &format!(
            "SELECT quote_ident(attname) AS line FROM pg_attribute WHERE attrelid = '{table}'::regclass \
             AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
        ),
    )?
    .join(", ");
    let mut sql = format!("INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} ");
    write!(sql, "FROM json_populate_recordset(NULL::{table}, $1::json)")
        .map_err(|error| error.to_string())?;
    let inserted = diesel::sql_query(sql)
        .bind::<Text, _>(format!("[{}]", rows.join(",")))
        .execute(connection)
        .map_err(|error| format!("{table}: {error}"))?;
    if inserted == rows.len() { Ok(()) } else { Err(format!("{table}: {inserted} of {} rows", rows.len())) }
}
