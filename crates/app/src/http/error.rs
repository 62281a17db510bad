//! The only place that knows status codes: every error of the domains and use cases, mapped exhaustively. The
//! part of each domain stands in a file of its own.

use kernel::StoreError;

use super::problem::Problem;
use crate::usecases::Error;

/// What a client sees of an error. What it may not see goes to the log here.
pub fn problem(error: &Error) -> Problem {
    match error {
        Error::Store(error) => store(error),
    }
}

/// A failure of the storage: never the client's fault.
pub fn store(error: &StoreError) -> Problem {
    tracing::error!(%error, "the storage failed");
    match error {
        StoreError::Unavailable(_) | StoreError::Retry(_) => Problem::unavailable(),
        StoreError::Constraint(_) | StoreError::Corrupt(_) => Problem::internal(),
    }
}
