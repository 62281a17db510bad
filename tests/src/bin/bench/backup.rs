//! Requests while a large database is backed up.

use std::time::{Duration, Instant};

use tests::TestServer;

use crate::{Line, Scale, chat, percentile};

/// Requests a second of each kind.
const RATE: u64 = 50;

/// The line of the backup.
pub async fn measure(scale: Scale) -> Line {
    let server = crate::server().await;
    let crowd = chat::crowd(&server, 4).await;
    fill(&server, scale.backup_megabytes);
    let calm = requests(&crowd, "calm", Duration::from_secs(scale.seconds)).await;
    let file = server.folder().join("backup.pitlane");
    let mut command = server.command();
    let begun = Instant::now();
    let mut child = command.arg("backup").arg(&file).spawn().expect("the binary runs");
    let mut busy = Vec::new();
    let mut turn = 0;
    let status = loop {
        busy.extend(requests(&crowd, &format!("busy{turn}"), Duration::from_millis(500)).await);
        turn += 1;
        if let Some(status) = child.try_wait().expect("the process can be asked") {
            break status;
        }
    };
    assert!(status.success(), "the backup failed");
    let seconds = begun.elapsed().as_secs_f64();
    busy.sort_unstable();
    let size = std::fs::metadata(&file).expect("a file").len() / 1_048_576;
    let (most, before) = (percentile(&busy, 1.0), percentile(&calm, 1.0).max(1));
    let because = most.saturating_sub(before);
    Line {
        what: "a request while a large database is backed up, slowest",
        measured: format!("{:.1} ms ({size} MiB in {seconds:.0} s)", most as f64 / 1_000.0),
        beside: format!("{:.1} ms without the backup", before as f64 / 1_000.0),
        ratio: format!("{:.1} ×", most as f64 / before as f64),
        goal: "≤ 50 ms because of it",
        met: because <= 50_000,
    }
}

/// Puts that many MiB into the database.
fn fill(server: &TestServer, megabytes: u64) {
    let pages = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
        INSERT INTO webhook_events (id, kind, created_at, received_at, body, outcome)
        SELECT 'evt_' || hex(randomblob(12)), 'filler', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z',
               hex(randomblob(52428)), 'ignored' FROM n";
    for _ in 0..megabytes {
        server.database().execute(pages).expect("it is filled");
    }
}

/// Reads and writes at a steady rate: microseconds each, sorted.
async fn requests(crowd: &chat::Crowd, name: &str, time: Duration) -> Vec<u64> {
    let session = crowd.sessions.first().expect("a session");
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
    let (start, mut taken, mut number) = (Instant::now(), Vec::new(), 0);
    while start.elapsed() < time {
        pace.tick().await;
        number += 1;
        let begun = Instant::now();
        crowd.customer.client.get(&format!("/api/sessions/{session}")).await.expect_status(200);
        taken.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        let begun = Instant::now();
        crowd.customer.say(session, &format!("{name}-{number}"), chat::TEXT).await.expect_status(201);
        taken.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    taken.sort_unstable();
    taken
}
