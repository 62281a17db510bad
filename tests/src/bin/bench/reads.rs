//! `GET /api/sessions/{id}`, signed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{Line, Scale, bare, chat};

/// Callers at once.
const CALLERS: usize = 16;

/// The line of the reads.
pub async fn measure(scale: Scale) -> Line {
    let server = crate::server().await;
    let crowd = chat::crowd(&server, 4).await;
    let cookie = crowd.customer.client.cookie().expect("signed in");
    let session = crowd.sessions.first().expect("a session").clone();
    let bare_url = format!("{}/{session}", bare::serve_rows(&server.data().join("pitlane.db")));
    let url = format!("{}/api/sessions/{session}", server.url());
    let bare = rate(&bare_url, None, scale.seconds).await;
    let ours = rate(&url, Some(&cookie), scale.seconds).await;
    let share = 100.0 * ours / bare;
    Line {
        what: "GET /api/sessions/{id}, signed in, requests/s",
        measured: format!("{ours:.0}"),
        beside: format!("{bare:.0} bare handler, one row"),
        ratio: format!("{share:.0} %"),
        goal: "≥ 50 %",
        met: share >= 50.0,
    }
}

async fn rate(url: &str, cookie: Option<&str>, seconds: u64) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let client = reqwest::Client::builder().pool_max_idle_per_host(CALLERS).build().expect("a client");
    let start = Instant::now();
    let until = start + Duration::from_secs(seconds);
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (client, url, done) = (client.clone(), url.to_owned(), Arc::clone(&done));
            let cookie = cookie.map(str::to_owned);
            tokio::spawn(async move {
                while Instant::now() < until {
                    let mut request = client.get(&url);
                    if let Some(cookie) = &cookie {
                        request = request.header("cookie", cookie);
                    }
                    let response = request.send().await.expect("an answer");
                    assert_eq!(response.status().as_u16(), 200);
                    response.bytes().await.expect("a body");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("nobody panicked");
    }
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}
