//! How webhooks misbehave, set by a test or a developer.

use serde::{Deserialize, Serialize};

/// The body of `POST /sandbox/control`; what is left out is off. It is kept over restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Control {
    /// Each event that happens is delivered twice, both at the same time.
    pub(crate) duplicate: bool,
    /// Milliseconds each delivery waits, at most ten minutes.
    pub(crate) delay_ms: u32,
    /// What is ready together is delivered newest first.
    pub(crate) reorder: bool,
    /// Nothing is delivered, now or later; events can still be listed.
    pub(crate) drop: bool,
}

/// The longest delay that is taken.
pub(crate) const MAX_DELAY_MS: u32 = 600_000;
