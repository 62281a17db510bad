//! Whether the database does its work, for whoever has to know before somebody's request finds out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kernel::StoreError;

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::tx::Tx;

// Every database has these rows and nothing else changes them, so nobody waits for this one's lock.
const TOUCH_POSTGRES: &str = "UPDATE __diesel_schema_migrations SET run_on = run_on \
                     WHERE version = (SELECT min(version) FROM __diesel_schema_migrations)";

// A row whose bytes stay the same is not written at all there; this is, and has the value that opening gave it.
const TOUCH_SQLITE: &str = "PRAGMA user_version = 1";

/// Writes for real, and leaves everything as it was.
pub(crate) fn touch(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    match tx.conn() {
        AnyConnection::Postgres(connection) => connection.batch_execute(TOUCH_POSTGRES).stored(),
        AnyConnection::Sqlite(connection) => connection.batch_execute(TOUCH_SQLITE).stored(),
    }
}

/// The file of a SQLite database. SQLite itself notices that it was cut off only when it needs a page that is neither there
/// nor in its memory, which may be long after.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    longest: AtomicU64,
}

impl DatabaseFile {
    /// The file as it is now.
    pub(crate) fn new(path: &Path) -> Self {
        let length = fs::metadata(path).map_or(0, |file| file.len());
        Self { path: path.to_owned(), longest: AtomicU64::new(length) }
    }

    /// Finds out whether it is as long as it must be. It is shorter than its pages are together while the newest stand in
    /// the log beside it, so it must have become shorter besides; a VACUUM makes it shorter and removes pages.
    pub(crate) fn check(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let pages = size(tx)?;
        // Never opened: closing a second handle would give up the locks of SQLite's own.
        let file = fs::metadata(&self.path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let length = file.len();
        let longest = self.longest.load(Ordering::Relaxed);
        if length < longest && length < pages {
            let reason = format!("the database's file has {length} bytes of {pages}: it was cut off");
            return Err(StoreError::Unavailable(reason));
        }
        self.longest.store(length, Ordering::Relaxed);
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

// All pages together, of SQLite.
fn size(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let query = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
    let rows: Vec<Size> = sql_query(query).load(tx.conn()).stored()?;
    Ok(rows.first().and_then(|size| u64::try_from(size.bytes).ok()).unwrap_or(0))
}
