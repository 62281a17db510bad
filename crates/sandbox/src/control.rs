//! How webhooks misbehave, set by a test or a developer.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The body of `POST /sandbox/control`; what is left out is off. It is kept over restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Control {
    /// Each event that happens is delivered twice, both at the same time.
    #[serde(deserialize_with = "switch")]
    pub(crate) duplicate: bool,
    /// Milliseconds each delivery waits, at most ten minutes.
    pub(crate) delay_ms: u32,
    /// What is ready together is delivered newest first.
    #[serde(deserialize_with = "switch")]
    pub(crate) reorder: bool,
    /// Nothing is delivered, now or later; events can still be listed.
    #[serde(deserialize_with = "switch")]
    pub(crate) drop: bool,
}

/// `true`, `false`, or 1 and 0 for them.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "true or false")]
    enum Switch {
        Plain(bool),
        Number(u8),
    }
    match Switch::deserialize(deserializer)? {
        Switch::Plain(on) => Ok(on),
        Switch::Number(0) => Ok(false),
        Switch::Number(1) => Ok(true),
        Switch::Number(_) => Err(D::Error::custom("true or false")),
    }
}

/// The longest delay that is taken.
pub(crate) const MAX_DELAY_MS: u32 = 600_000;
