//! One verb a file: the places where domains meet in one transaction.

use kernel::StoreError;

/// Why a use case did not happen. Each domain keeps its own reasons; `http::error` maps them all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
