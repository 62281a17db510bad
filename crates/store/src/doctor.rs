//! The invariants, as queries that find what breaks them.
//!
//! Each domain states its own in a file of this folder, as a list of [`Invariant`]s named `INVARIANTS`. The
//! numbers are those of `docs/architecture.md`; one number may be checked in several files, each from its side.
//! `pitlane doctor` prints them, and the tests use the same code as their oracle.

mod accounts;
mod notifications;
mod payments;
mod sessions;

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use kernel::StoreError;

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::tx::Tx;

pub use self::payments::{SoldUpgrade, sold_upgrades};

/// The most violations of one invariant that are told.
pub const TOLD_MAX: usize = 100;

/// Something that must always hold.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// Its number in the list of the architecture.
    pub number: u8,
    /// What holds, in one sentence.
    pub statement: &'static str,
    /// Finds what breaks it: one line for each violation, naming the row.
    pub check: fn(&mut Tx<'_>) -> Result<Vec<String>, StoreError>,
}

/// What an invariant looks like now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The invariant's number.
    pub number: u8,
    /// What should hold.
    pub statement: &'static str,
    /// What breaks it; empty when it holds.
    pub violations: Vec<String>,
}

/// Every invariant that applies so far, by number.
pub fn invariants() -> Vec<Invariant> {
    let mut all: Vec<Invariant> =
        [accounts::INVARIANTS, notifications::INVARIANTS, payments::INVARIANTS, sessions::INVARIANTS]
            .concat();
    all.sort_by_key(|invariant| invariant.number);
    all
}

/// Checks every invariant on one picture of the database.
///
/// # Errors
/// When the storage fails; a broken invariant is a finding, not an error.
pub fn examine(tx: &mut Tx<'_>) -> Result<Vec<Finding>, StoreError> {
    invariants()
        .into_iter()
        .map(|Invariant { number, statement, check }| {
            Ok(Finding { number, statement, violations: check(tx)? })
        })
        .collect()
}

/// Runs a query that both databases understand and that answers one text column named `what`, one row for each
/// violation.
pub(crate) fn found(tx: &mut Tx<'_>, query: &str) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        what: String,
    }
    let limited = format!("SELECT what FROM ({query}) AS violations LIMIT {TOLD_MAX}");
    let lines: Vec<Line> = diesel::sql_query(limited).load(tx.conn()).stored()?;
    Ok(lines.into_iter().map(|line| line.what).collect())
}

/// The SQL that writes an id column as text, for [`found`].
pub(crate) fn id_text(tx: &mut Tx<'_>, column: &str) -> String {
    match tx.conn() {
        AnyConnection::Postgres(_) => format!("CAST({column} AS text)"),
        AnyConnection::Sqlite(_) => format!("lower(hex({column}))"),
    }
}
