//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// How long anything may take before its test fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer.
///
/// # Panics
/// There is none in time; the message says `what` was waited for.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} for {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
