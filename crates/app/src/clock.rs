//! The clock and the source of ids and random bytes: the ports through which time and chance come in.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Context, Entropy, Timestamp};
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

/// The time of this process. In development it can be moved forward; everything in the process sees it.
#[derive(Clone)]
pub struct Clock {
    ahead_seconds: Arc<watch::Sender<i64>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ahead_seconds: Arc::new(watch::Sender::new(0)) }
    }
}

impl Clock {
    /// The instant now.
    pub fn now(&self) -> Timestamp {
        Timestamp::new(OffsetDateTime::now_utc()).plus_seconds(*self.ahead_seconds.borrow())
    }

    /// Moves the clock forward and answers the new time. Only development offers this to the outside.
    pub fn advance(&self, seconds: u32) -> Timestamp {
        self.ahead_seconds.send_modify(|ahead| *ahead = ahead.saturating_add(i64::from(seconds)));
        self.now()
    }

    /// Waits until this much time has passed, on this clock: moving it forward counts.
    pub async fn passes(&self, time: Duration) {
        let mut moves = self.moves();
        let until = self.now().as_offset_date_time() + time;
        // Nothing is left, or less than nothing.
        while let Ok(left) = Duration::try_from(until - self.now().as_offset_date_time())
            && !left.is_zero()
        {
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The clock is there while it is borrowed.
                _ = moves.changed() => {}
            }
        }
    }

    /// Tells whoever sleeps until an instant that the clock was moved.
    pub fn moves(&self) -> watch::Receiver<i64> {
        self.ahead_seconds.subscribe()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_stays_moved_for_every_clone_and_tells_who_waits() {
        let clock = Clock::default();
        let (other, moves) = (clock.clone(), clock.moves());
        let before = other.now();
        let after = clock.advance(3_600);
        assert!(after.seconds_since(before) >= 3_600);
        assert!(other.now().seconds_since(before) >= 3_600);
        assert!(moves.has_changed().expect("the clock is there"));
    }

    #[tokio::test]
    async fn time_passes_when_the_clock_is_moved() {
        let clock = Clock::default();
        let (waiting, moved) = (clock.clone(), std::time::Instant::now());
        let waits = tokio::spawn(async move { waiting.passes(Duration::from_secs(3_600)).await });
        tokio::task::yield_now().await;
        clock.advance(3_000);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished(), "not all of it");
        clock.advance(600);
        waits.await.expect("it ends");
        assert!(moved.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn ids_of_one_instant_are_different_and_in_order() {
        let (entropy, now) = (SystemEntropy::default(), Clock::default().now());
        let ids: Vec<Uuid> = (0..100).map(|_| entropy.id(now)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
