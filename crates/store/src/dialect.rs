//! The statements that differ between the two databases.

use kernel::StoreError;
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::types::Id;

/// A table whose rows decide, and are locked before a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// `users`.
    User,
    /// `sessions`.
    Session,
    /// `session_requests`.
    Request,
    /// `orders`.
    Order,
    /// `intakes`.
    Intake,
    /// `payments`.
    Payment,
    /// `refunds`.
    Refund,
    /// `applications`.
    Application,
}

impl Lock {
    const fn statement(self) -> &'static str {
        match self {
            Self::User => "SELECT 1 FROM users WHERE id = $1 FOR UPDATE",
            Self::Session => "SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE",
            Self::Request => "SELECT 1 FROM session_requests WHERE id = $1 FOR UPDATE",
            Self::Order => "SELECT 1 FROM orders WHERE id = $1 FOR UPDATE",
            Self::Intake => "SELECT 1 FROM intakes WHERE id = $1 FOR UPDATE",
            Self::Payment => "SELECT 1 FROM payments WHERE id = $1 FOR UPDATE",
            Self::Refund => "SELECT 1 FROM refunds WHERE id = $1 FOR UPDATE",
            Self::Application => "SELECT 1 FROM applications WHERE id = $1 FOR UPDATE",
        }
    }
}

/// Keeps other transactions from deciding about this row until the end of this one. SQLite has one writer, so
/// there is nothing to do there. A row that does not exist locks nothing.
///
/// # Errors
/// A failure of the storage; on PostgreSQL a deadlock, which runs the transaction again.
pub fn lock_row(connection: &mut AnyConnection, lock: Lock, id: Uuid) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(_) => {
            prepared::<()>(lock.statement(), &[Value::Id(Id(id))]).execute(connection).stored().map(drop)
        }
    }
}
