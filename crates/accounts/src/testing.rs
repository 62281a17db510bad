//! A context whose ids and bytes can be replayed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Context, Entropy, Timestamp};
use uuid::Uuid;

#[derive(Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn id(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1)
    }

    fn fill(&self, buffer: &mut [u8]) {
        let seed = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = seed[index % seed.len()];
        }
    }
}

/// A context that many seconds after the start of the tests' time.
pub(crate) fn context(seconds: i64) -> Context {
    Context::new(at(seconds), Arc::new(Counter::default()))
}

/// That many seconds after the start of the tests' time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_760_860_800 + seconds).expect("in range")
}
