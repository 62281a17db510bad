//! A chat becomes video: from the tap on "Upgrade" to the mechanic's socket, and to both pictures.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::browser::{Browser, Screen, in_browser};
use tests::money::GOOD_CARD;
use tests::recorder::Recorder;
use tests::{Backend, Person, TestServer, until};

use crate::client::LightSocket;
use crate::{Line, Scale, percentile};

const PICTURES: &str =
    "both pictures after `session_upgraded`, two browsers with made-up cameras, the slowest";
const PICTURES_GOAL: &str = "≤ 2,000 ms";

/// How often the pictures are measured.
const CALLS: usize = 5;

/// The lines of the two calls and of the frame.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let recorder = Recorder::start();
    let settings = [
        ("RUST_LOG", "warn"),
        ("PITLANE_LIMITS__PERSON_PER_SECOND", "0"),
        ("PITLANE_PAYMENTS__API_BASE", recorder.url()),
    ];
    let server = TestServer::spawn(Backend::Sqlite, &settings).await;
    recorder.forward_to(server.url());
    let (dana, max) = (server.customer().await, server.mechanic().await);
    let mut sessions = vec![started(&dana.session_with_card("chat10", GOOD_CARD).await, &max).await];
    while sessions.len() < scale.upgrades {
        sessions.push(started(&dana.paid_session("chat10").await, &max).await);
    }
    let mut socket = LightSocket::open(&server.socket_url(), Some(&max.client)).await;
    socket.send(format!(r#"{{"type":"join","channel":"{}"}}"#, max.channel("mechanic"))).await;
    while !socket.next().await.starts_with(r#"{"type":"joined""#) {}
    let (mut whole, mut own) = (Vec::new(), Vec::new());
    for session in &sessions {
        let (begun, before) = (Instant::now(), recorder.waited_micros());
        // The webhook may be first; then the second call finds it done.
        let heard = async {
            let told = upgraded(&mut socket, session, begun).await;
            (told, recorder.waited_micros())
        };
        let (_, (told, waited)) = tokio::join!(tap(&dana, session), heard);
        whole.push(told);
        // Each wait that was over when the frame came, in full: where two ran in parallel, both are taken off, and what
        // the server did meanwhile with them.
        own.push(told.saturating_sub(waited - before));
    }
    whole.sort_unstable();
    own.sort_unstable();
    let (p50, p99) = (percentile(&whole, 0.50), percentile(&whole, 0.99));
    let (own50, own99) = (percentile(&own, 0.50), percentile(&own, 0.99));
    vec![
        Line {
            what: "upgrade, from the tap to `session_upgraded` on the mechanic's socket, p99",
            measured: format!("{p99} µs"),
            beside: format!("{p50} µs p50 of {}", whole.len()),
            ratio: format!("{:.1} ×", p99 as f64 / p50.max(1) as f64),
            goal: "≤ 150,000 µs",
            met: p99 <= 150_000,
        },
        Line {
            what: "the same without the waits for the payment provider, each in full, p99",
            measured: format!("{own99} µs"),
            beside: format!("{own50} µs p50 of {p50} µs"),
            ratio: format!("{:.0} %", 100.0 * own50 as f64 / p50.max(1) as f64),
            goal: "≤ 20,000 µs",
            met: own99 <= 20_000,
        },
    ]
}

async fn started(session: &str, mechanic: &Person) -> String {
    mechanic.accept(session).await;
    mechanic.step(session, "start").await.expect_status(200);
    session.to_owned()
}

/// What the page does when somebody taps: the charge, then the switch.
async fn tap(customer: &Person, session: &str) {
    let body = json!({ "session_id": session, "upgrade_amount": 20.00 });
    let paid = customer.client.post("/api/sessions/upgrade/payment", body).await.expect_status(200);
    let body = json!({ "payment_intent_id": paid.text_at("payment_intent_id") });
    let path = format!("/api/sessions/{session}/upgrade");
    customer.client.send(Method::PATCH, &path, Some(body)).await.expect_status(200);
}

/// Microseconds until the mechanic's page hears of it.
async fn upgraded(socket: &mut LightSocket, session: &str, begun: Instant) -> u64 {
    loop {
        let frame: Value = serde_json::from_str(&socket.next().await).expect("a frame");
        if frame["type"] == "session_upgraded" && frame["session_id"] == session {
            return u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        }
    }
}

/// Presses "Enable Camera" as soon as it is there, as a quick person would, and notes when the upgrade was heard of and
/// when the other side was first seen.
const WATCH: &str = "
    window.watched = { upgraded: 0, seen: 0 };
    const room = document.querySelector('video-room');
    const picture = room.querySelector('[data-remote]');
    const look = () => {
      if (room.hasAttribute('paid')) watched.upgraded ||= Date.now();
      const button = room.querySelector('[data-do=enter][data-word=upgraded]');
      if (!button.hidden && !room.hidden) button.click();
    };
    new MutationObserver(look).observe(room, { attributes: true, subtree: true });
    picture.requestVideoFrameCallback(() => (watched.seen = Date.now()));";

/// The line of the pictures: two browsers with made-up cameras.
pub fn pictures() -> Line {
    let mut taken = Vec::new();
    in_browser(Backend::Sqlite, &[("RUST_LOG", "warn")], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let phone = driver.open_with_camera(server, Screen::Phone).await;
        let desk = driver.open_with_camera(server, Screen::Desk).await;
        phone.sign_in_as(&dana).await;
        desk.sign_in_as(&max).await;
        for _ in 0..CALLS {
            let session = started(&dana.session_with_card("chat10", GOOD_CARD).await, &max).await;
            for browser in [&phone, &desk] {
                browser.open(&format!("/chat/{session}")).await;
            }
            phone.reads("1 mechanic connected").await;
            desk.reads("Customer connected").await;
            for browser in [&phone, &desk] {
                browser.script(WATCH).await;
            }
            tap(&dana, &session).await;
            let (phone, desk) = tokio::join!(watched(&phone), watched(&desk));
            let (first, last) = (phone.0.min(desk.0), phone.1.max(desk.1));
            taken.push(last.saturating_sub(first));
            max.step(&session, "end").await.expect_status(200);
        }
        phone.close().await;
        desk.close().await;
    });
    if taken.is_empty() {
        return Line::without_browser(PICTURES, PICTURES_GOAL);
    }
    taken.sort_unstable();
    let (middle, worst) = (percentile(&taken, 0.50), percentile(&taken, 1.0));
    Line {
        what: PICTURES,
        measured: format!("{worst} ms"),
        beside: format!("{middle} ms in the middle of {CALLS}"),
        ratio: String::new(),
        goal: PICTURES_GOAL,
        met: worst <= 2_000,
    }
}

/// When one side heard of the upgrade and when it saw the other, in milliseconds since 1970.
async fn watched(browser: &Browser) -> (u64, u64) {
    until("the other side to be seen", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let told = browser.script("return [watched.upgraded, watched.seen];").await;
        let (upgraded, seen) = (told[0].as_u64()?, told[1].as_u64().filter(|seen| *seen > 0)?);
        Some((upgraded, seen))
    })
    .await
}
