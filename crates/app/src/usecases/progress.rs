//! How far a request that spends has come, so that the same request after a crash goes on from there.

use accounts::IdempotencyKey;
use accounts::idempotency::{self, ProcessId};
use store::Tx;

use super::Error;

/// What was noted for the key of a request. Without a key nothing is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    reached: Option<String>,
    holds: Option<(IdempotencyKey, ProcessId)>,
}

impl Progress {
    /// Of a request whose key is held by that process, and that came so far before.
    pub const fn of(key: IdempotencyKey, process: ProcessId, reached: Option<String>) -> Self {
        Self { reached, holds: Some((key, process)) }
    }

    /// What an earlier call noted that never answered, or failed.
    pub fn reached(&self) -> Option<&str> {
        self.reached.as_deref()
    }

    /// Notes in the transaction that commits it what has been done, in 1 to 100 characters.
    ///
    /// # Errors
    /// The storage's.
    pub fn note(&self, tx: &mut Tx<'_>, reached: &str) -> Result<(), Error> {
        let Some((key, process)) = &self.holds else { return Ok(()) };
        Ok(idempotency::reach(tx, key, *process, reached)?)
    }
}
