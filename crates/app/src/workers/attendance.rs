//! Writes down who is in which room, as the hub tells it.
//!
//! The hub never waits for a database: it puts a line into a queue. Whatever has gathered while one transaction was being
//! written goes into the next, so a thousand people who come back at once are a few transactions.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::state::Pitlane;
use crate::usecases::no_show;

/// The most changes of one transaction.
const BATCH: usize = 256;
/// Attempts at one transaction before its changes are given up.
const ATTEMPTS: u32 = 5;
/// The wait between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the hub until the task is aborted.
pub fn follow(pitlane: Pitlane) -> JoinHandle<()> {
    let (sender, mut changes) = mpsc::unbounded_channel();
    pitlane.hub.report_attendance(sender);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while changes.recv_many(&mut batch, BATCH).await > 0 {
            write(&pitlane, std::mem::take(&mut batch)).await;
        }
    })
}

async fn write(pitlane: &Pitlane, changes: Vec<crate::realtime::hub::Attended>) {
    for attempt in 1..=ATTEMPTS {
        match no_show::note(pitlane, changes.clone()).await {
            Ok(()) => return,
            Err(error) if attempt == ATTEMPTS => {
                tracing::error!(%error, changes = changes.len(), "who came and went could not be written down");
            }
            Err(error) => {
                tracing::warn!(%error, "who came and went can't be written down yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
