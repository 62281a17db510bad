//! Why something with a request can't be done.

use kernel::StoreError;

/// Why something with a request can't be done. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such request, or it was never offered to this person: to them it doesn't exist.
    #[error("there is no such request")]
    NotFound,
    /// Another mechanic was first.
    #[error("another mechanic took the request")]
    AlreadyTaken,
    /// The request was withdrawn or has expired.
    #[error("the request is closed")]
    Closed,
    /// The mechanic has not been approved.
    #[error("the mechanic is not approved")]
    NotApproved,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
