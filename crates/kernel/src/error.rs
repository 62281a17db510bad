//! What a store can answer instead of a result.

/// A failure of the storage, seen from a domain.
///
/// Absence is never an error: lookups answer `Option`. A broken uniqueness rule is not one either: inserts that
/// can collide answer `bool`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The transaction lost against another one and may be run again from its start.
    #[error("the transaction must be run again: {0}")]
    Retry(String),
    /// A constraint that the code should have respected was violated. A defect.
    #[error("a constraint was violated: {0}")]
    Constraint(String),
    /// A row holds what the domain does not allow. A defect, or a hand on the database.
    #[error("a stored row is not valid: {0}")]
    Corrupt(String),
    /// The storage can't be used now: not reachable, full, read-only.
    #[error("the storage is not available: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// A row of `entity` that does not pass the domain's own checks.
    pub fn corrupt(entity: &str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt(format!("{entity}: {reason}"))
    }

    /// Whether the same transaction may succeed when it is run again at once.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Retry(_))
    }
}
