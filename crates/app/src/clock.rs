//! The clock and the source of ids and random bytes: the ports through which time and chance come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kernel::{Context, Entropy, Timestamp};
use time::OffsetDateTime;
use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

/// The time of this process. In development it can be moved forward; everything in the process sees it.
#[derive(Clone, Default)]
pub struct Clock {
    ahead_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// The instant now.
    pub fn now(&self) -> Timestamp {
        Timestamp::new(OffsetDateTime::now_utc()).plus_seconds(self.ahead_seconds.load(Ordering::Relaxed))
    }

    /// Moves the clock forward and answers the new time. Only development offers this to the outside.
    pub fn advance(&self, seconds: u32) -> Timestamp {
        self.ahead_seconds.fetch_add(i64::from(seconds), Ordering::Relaxed);
        self.now()
    }
}

/// Ids and random bytes from the operating system.
pub struct SystemEntropy {
    counter: std::sync::Mutex<ContextV7>,
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self { counter: std::sync::Mutex::new(ContextV7::new()) }
    }
}

impl Entropy for SystemEntropy {
    fn id(&self, now: Timestamp) -> Uuid {
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
        let nanos = now.as_offset_date_time().nanosecond();
        let counter = self.counter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(UuidTime::from_unix(&*counter, seconds, nanos))
    }

    fn fill(&self, buffer: &mut [u8]) {
        // Without random bytes no token can be made safely: better no answer than a guessable one.
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// A context for one use case, now.
pub fn context(clock: &Clock, entropy: &Arc<dyn Entropy>) -> Context {
    Context::new(clock.now(), Arc::clone(entropy))
}
