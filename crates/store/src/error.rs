//! Failures: of opening a database, and of a query inside a transaction.

use std::cell::Cell;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use kernel::StoreError;

/// Why a database can't be used at all. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database that Pitlane knows.
    #[error(
        "database.url: {0:?} is not a database; write sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME"
    )]
    Url(String),
    /// The file can't be opened or created.
    #[error("the database {place} can't be opened: {reason}")]
    Open {
        /// The file or host.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// The file exists and can't be written.
    #[error("the database {0} can't be written: make the file and its folder writable for this user")]
    ReadOnly(String),
    /// The disk holds no more.
    #[error("the disk under {0} is full: free some space and start again")]
    Full(String),
    /// Another process migrates or serves it.
    #[error("the database {0} is in use by another process")]
    Busy(String),
    /// A newer Pitlane has been here.
    #[error(
        "the database is newer than this version: it has migration {0}; install the version that wrote it"
    )]
    SchemaNewer(String),
    /// A migration is missing and this command does not run them.
    #[error("the database lacks migration {0}: run `pitlane migrate`")]
    SchemaOlder(String),
    /// A migration failed; its transaction was rolled back.
    #[error("migration failed and was rolled back: {0}")]
    Migration(String),
}

/// What a failed query means for the transaction it ran in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Run the closure again.
    Retry,
    /// The database itself is in trouble; nothing in this batch can be trusted to be there.
    Fatal,
}

thread_local! {
    // A closure may wrap a StoreError in any error of its own; the runner reads here what really happened.
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Takes what the queries since the last call on this thread ran into.
pub(crate) fn take_fault() -> Option<Fault> {
    FAULT.take()
}

/// Turns diesel's result into the kernel's, and notes what the transaction's runner must know.
pub trait Stored<T> {
    /// The value, or the failure in the kernel's words.
    ///
    /// # Errors
    /// [`StoreError`], by what diesel reported.
    fn stored(self) -> Result<T, StoreError>;
}

impl<T> Stored<T> for diesel::QueryResult<T> {
    fn stored(self) -> Result<T, StoreError> {
        self.map_err(|error| {
            let error = translate(&error);
            match &error {
                StoreError::Retry(_) => FAULT.set(Some(Fault::Retry)),
                StoreError::Unavailable(_) => FAULT.set(Some(Fault::Fatal)),
                StoreError::Constraint(_) | StoreError::Corrupt(_) => {}
            }
            error
        })
    }
}

// SQLite reports these as text only, and of PostgreSQL's the kinds are not told apart.
const UNAVAILABLE: [&str; 17] = [
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "database is locked",
    "unable to open database file",
    "database disk image is malformed",
    "file is not a database",
    "out of memory",
    "interrupted",
    "server closed the connection",
    "no connection to the server",
    "No space left on device",
    "terminating connection",
    "canceling statement due to",
    "the database system is",
    "remaining connection slots",
    "too many clients",
];

#[expect(clippy::wildcard_enum_match_arm, reason = "diesel's enums are not exhaustive")]
pub(crate) fn translate(error: &DieselError) -> StoreError {
    match error {
        DieselError::DatabaseError(kind, info) => {
            let message = info.message().to_owned();
            match kind {
                DatabaseErrorKind::SerializationFailure => StoreError::Retry(message),
                // A standby, or a server whose disk is nearly full, is read-only for everybody.
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction => StoreError::Unavailable(message),
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::ExclusionViolation => StoreError::Constraint(message),
                _ if message.contains("deadlock detected") => StoreError::Retry(message),
                _ if UNAVAILABLE.iter().any(|known| message.contains(known)) => {
                    StoreError::Unavailable(message)
                }
                _ => StoreError::Constraint(message),
            }
        }
        DieselError::DeserializationError(reason) => StoreError::Corrupt(reason.to_string()),
        DieselError::BrokenTransactionManager => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Constraint(error.to_string()),
    }
}

/// Whether nothing more can be written beside a file. SQLite says no more than "I/O error" when what is lacking is space
/// for the memory that its connections share.
fn is_full(file: &str) -> bool {
    let probe = format!("{file}.probe");
    // More than SQLite asks for at once.
    let written = std::fs::write(&probe, [0; 65_536]);
    // Where it can't even be made there is nothing to remove.
    let _ = std::fs::remove_file(&probe);
    written.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
}

/// What the system said when a database was opened, in words that help.
pub(crate) fn open_error(place: &str, reason: &str) -> OpenError {
    let place = place.to_owned();
    if reason.contains("readonly") || reason.contains("read-only") {
        OpenError::ReadOnly(place)
    } else if reason.contains("disk is full") || (reason.contains("disk I/O error") && is_full(&place)) {
        OpenError::Full(place)
    } else if reason.contains("is locked") {
        OpenError::Busy(place)
    } else {
        OpenError::Open { place, reason: reason.trim().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ails_the_database_itself_is_no_fault_of_the_statement() {
        let told =
            |kind, message: &str| translate(&DieselError::DatabaseError(kind, Box::new(message.to_owned())));
        let read_only = "cannot execute INSERT in a read-only transaction";
        let found = told(DatabaseErrorKind::ReadOnlyTransaction, read_only);
        assert!(matches!(found, StoreError::Unavailable(_)), "{found:?}");
        for message in [
            "could not extend file \"base/16384/16420\": No space left on device",
            "terminating connection due to administrator command",
            "canceling statement due to statement timeout",
            "the database system is shutting down",
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "sorry, too many clients already",
            "database disk image is malformed",
            "file is not a database",
            "attempt to write a readonly database",
        ] {
            let found = told(DatabaseErrorKind::Unknown, message);
            assert!(matches!(found, StoreError::Unavailable(_)), "{message}: {found:?}");
        }
        let found = told(DatabaseErrorKind::Unknown, "column \"colour\" does not exist");
        assert!(matches!(found, StoreError::Constraint(_)), "{found:?}");
        let found = told(DatabaseErrorKind::UniqueViolation, "duplicate key");
        assert!(matches!(found, StoreError::Constraint(_)), "{found:?}");
    }
}
