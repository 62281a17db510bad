//! What a page weighs, how soon a slow phone shows it, and whether it jumps.

use std::time::Duration;

use tests::browser::{Browser, Screen, in_browser};
use tests::{Backend, Client};

use crate::Line;

const BYTES: (&str, &str) = ("a page: bytes over the wire, nothing cached", "≤ 150 KB");
const DOCS: (&str, &str) = ("the same, of the description of every operation for developers", "≤ 150 KB");
const PAINT: (&str, &str) =
    ("a page on a slow phone (CPU ÷ 4, 1.6 Mbit/s, 150 ms): largest paint", "≤ 1,500 ms");
const SHIFT: (&str, &str) = ("the same: layout shift", "0");

/// What one page came to.
#[derive(Debug, Clone, Default)]
struct Weight {
    path: String,
    kilobytes: f64,
    paint_millis: f64,
    shift: f64,
}

const WATCH: &str = "
    window.watched = { paint: 0, shift: 0 };
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) watched.paint = entry.startTime; })
      .observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) watched.shift += entry.value; })
      .observe({ type: 'layout-shift', buffered: true });";
const TOLD: &str = "
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return [entries.map((entry) => [entry.name, entry.encodedBodySize]), watched.paint, watched.shift];";

/// The lines of the pages: the worst of each.
pub fn measure() -> Vec<Line> {
    let (mut weights, mut docs) = (Vec::new(), Weight::default());
    in_browser(Backend::Sqlite, &[("RUST_LOG", "warn")], async |server, driver| {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        for number in 0..20 {
            dana.say(session, &format!("{number}"), "It shakes at a light and smooths out when I drive.")
                .await;
        }
        let guest = driver.open(server, Screen::Phone).await;
        for path in ["/", "/start"] {
            weights.push(weigh(&guest, &server.guest(), path).await);
        }
        docs = weigh(&guest, &server.guest(), "/api/docs").await;
        guest.sign_in_as(dana).await;
        let video = dana.paid_session("video15").await;
        meeting.mechanic.accept(&video).await;
        meeting.mechanic.step(&video, "start").await.expect_status(200);
        let over = dana.paid_session("chat10").await;
        meeting.mechanic.accept(&over).await;
        meeting.mechanic.step(&over, "start").await.expect_status(200);
        meeting.mechanic.step(&over, "end").await.expect_status(200);
        let own = [
            "/dashboard".to_owned(),
            "/intake?plan=chat10".to_owned(),
            format!("/chat/{session}"),
            format!("/sessions/{video}/room"),
            format!("/sessions/{over}/complete"),
            "/account".to_owned(),
        ];
        for path in own {
            weights.push(weigh(&guest, &dana.client, &path).await);
        }
        guest.close().await;
    });
    if weights.is_empty() {
        return [BYTES, DOCS, PAINT, SHIFT].map(|(what, goal)| Line::without_browser(what, goal)).into();
    }
    let worst = |figure: fn(&Weight) -> f64| {
        weights.iter().max_by(|one, two| figure(one).total_cmp(&figure(two))).cloned().unwrap_or_default()
    };
    let (heavy, late, jumpy) =
        (worst(|page| page.kilobytes), worst(|page| page.paint_millis), worst(|page| page.shift));
    let pages = format!("the heaviest of {}", weights.len());
    vec![
        Line {
            what: BYTES.0,
            measured: format!("{:.0} KB, {}", heavy.kilobytes, place(&heavy)),
            beside: pages.clone(),
            ratio: String::new(),
            goal: BYTES.1,
            met: heavy.kilobytes <= 150.0,
        },
        Line {
            what: DOCS.0,
            measured: format!("{:.0} KB, {}", docs.kilobytes, docs.path),
            beside: format!("{:.0} ms largest paint on the slow phone", docs.paint_millis),
            ratio: String::new(),
            goal: DOCS.1,
            met: docs.kilobytes <= 150.0,
        },
        Line {
            what: PAINT.0,
            measured: format!("{:.0} ms, {}", late.paint_millis, place(&late)),
            beside: pages.clone(),
            ratio: String::new(),
            goal: PAINT.1,
            met: late.paint_millis <= 1_500.0,
        },
        Line {
            what: SHIFT.0,
            measured: format!("{:.3}, {}", jumpy.shift, place(&jumpy)),
            beside: pages,
            ratio: String::new(),
            goal: SHIFT.1,
            met: jumpy.shift < 0.0005,
        },
    ]
}

fn place(weight: &Weight) -> String {
    weight.path.split('/').take(2).collect::<Vec<_>>().join("/")
}

/// What the heads of an answer weigh, which browsers don't tell.
async fn heads(client: &Client, url: &str) -> usize {
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let answer = client.get(&format!("/{path}")).await;
    let lines = answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    "HTTP/1.1 200 OK\r\n\r\n".len() + lines.sum::<usize>()
}

async fn weigh(browser: &Browser, client: &Client, path: &str) -> Weight {
    browser.slow_phone().await;
    browser.open(path).await;
    browser.script(WATCH).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let told = browser.script(TOLD).await;
    let figure = |place: usize| told[place].as_f64().unwrap_or(f64::INFINITY);
    let mut bytes = 0.0;
    for part in told[0].as_array().into_iter().flatten() {
        let heads = heads(client, part[0].as_str().unwrap_or_default()).await;
        bytes += part[1].as_f64().unwrap_or(f64::INFINITY) + heads as f64;
    }
    Weight { path: path.to_owned(), kilobytes: bytes / 1_000.0, paint_millis: figure(1), shift: figure(2) }
}
