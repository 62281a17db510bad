//! The only place that knows status codes: every error of the domains and use cases, mapped exhaustively. The
//! part of each domain stands in a file of its own.

mod accounts;
mod intake;
mod jobs;
mod payments;
mod sessions;

use std::io::ErrorKind;

use kernel::StoreError;

use super::problem::Problem;
use crate::usecases::Error;

/// What a client sees of an error. What it may not see goes to the log here.
pub fn problem(error: &Error) -> Problem {
    match error {
        Error::Accounts(error) => accounts::problem(error),
        Error::Store(error) => store(error),
        Error::AccountSuspended { support_address } => accounts::suspended(support_address),
        Error::UnknownMechanic => sessions::unknown_mechanic(),
        Error::Dispatch(error) => sessions::request(error),
        Error::Sessions(error) => sessions::session(error),
        Error::Room(error) => sessions::room(error),
        Error::Intake(error) => intake::intake(error),
        Error::Files(error) => intake::storage(error),
        Error::Archive(error) => archive(error),
        Error::EmailUnverified => intake::email_unverified(),
        Error::Jobs(error) => jobs::job(error),
        Error::Notifications(error) => jobs::notification(error),
        Error::Payments(error) => payments::problem(error),
        Error::Gateway(error) => payments::gateway(error),
        Error::Callback(error) => payments::callback(error),
        Error::Charge(refusal) => payments::charge(refusal),
        Error::Extend(refusal) => payments::extension(*refusal),
        Error::Upgrade(refusal) => payments::upgrade(refusal),
        Error::Checkout(refusal) => payments::checkout(*refusal),
        Error::Template(error) => unexpected(error),
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

/// An archive that this machine can't write: there may be space again, anything else is a defect.
fn archive(error: &std::io::Error) -> Problem {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        tracing::error!(%error, "there is no space for an archive");
        return Problem::unavailable();
    }
    unexpected(error)
}

/// A defect of ours.
pub fn unexpected(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a defect");
    Problem::internal()
}

#[cfg(test)]
mod tests;
