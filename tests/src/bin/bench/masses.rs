//! Many sockets, some of which read nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tests::{Client, TestServer, until};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::interval;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::chat::{TEXT, sent_at};
use crate::client::{LightSocket, Stream};
use crate::memory::settled;
use crate::webhooks;
use crate::{Line, Scale, percentile};

/// Sessions that are made at once.
const MAKERS: usize = 8;

/// Sessions whose sockets are opened at once.
const JOINED_AT_ONCE: usize = 50;

/// Loads with slow readers, and as many without.
const TURNS: usize = 3;

/// The lines of many sockets.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let server = crate::server().await;
    let begun = Instant::now();
    let sessions = sessions(&server, scale.masses / 2).await;
    eprintln!("{} sessions, made in {} s", sessions.len(), begun.elapsed().as_secs());
    let process = server.process_id();
    // Whatever the first load fills, caches and pools, is full before anything is compared.
    load(&server, &sessions, scale, "warm", 0).await;
    // In turns: runs differ more than the loads do, and what any load leaves behind is not the slow readers' doing.
    let (mut calm, mut slow, mut resident) = (Vec::new(), Vec::new(), vec![settled(process).await]);
    for turn in 0..TURNS {
        let all_read = load(&server, &sessions, scale, &format!("calm{turn}"), 0).await;
        calm.push(percentile(&all_read, 0.99).max(1));
        resident.push(settled(process).await);
        let some_read = load(&server, &sessions, scale, &format!("slow{turn}"), 10).await;
        slow.push(percentile(&some_read, 0.99));
        resident.push(settled(process).await);
    }
    eprintln!("p99 in µs: {calm:?} when all read, {slow:?} with slow readers; resident {resident:?}");
    calm.sort_unstable();
    slow.sort_unstable();
    let (p99, limit) = (percentile(&slow, 0.5), percentile(&calm, 0.5));
    let [.., before, again, after] = resident[..] else { panic!("three readings at least") };
    let growth = after as f64 / again as f64;
    let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    vec![
        Line {
            what: "many sockets, one in ten reads nothing: send to the other side, p99, the middle of three runs",
            measured: format!("{p99} µs over {} sockets", scale.masses),
            beside: format!("{limit} µs when all read, the middle of three in turns with those"),
            ratio: format!("{:.2} ×", p99 as f64 / limit as f64),
            goal: "unchanged (≤ 1.25 ×)",
            met: p99 as f64 <= 1.25 * limit as f64,
        },
        Line {
            what: "the same: memory afterwards",
            measured: format!("{:.0} MiB", mebibytes(after)),
            beside: format!(
                "{:.0} MiB after the run in which all read, {:.0} MiB after the one before that",
                mebibytes(again),
                mebibytes(before)
            ),
            ratio: format!("{growth:.2} ×"),
            goal: "no growth (≤ 1.05 ×)",
            met: growth <= 1.05,
        },
    ]
}

/// A running session and its two sides.
struct Pair {
    session: String,
    customer: Client,
    mechanic: Client,
}

/// Running sessions of a few people. Their payments are told as the provider would, one list of offers is read instead
/// of one for each, and everything goes on at once: making them is not what is measured.
async fn sessions(server: &TestServer, count: usize) -> Vec<Pair> {
    let customers = webhooks::shoppers(server).await;
    let mechanic = server.mechanic().await;
    let news = webhooks::orders(server, &customers, count).await;
    webhooks::deliver(server, news, None).await;
    let offers = until("every request to be offered", async || {
        let offers = all(&mechanic.client, "/api/requests").await;
        (offers.len() == count).then_some(offers)
    })
    .await;
    let started = offers.chunks(count.div_ceil(MAKERS).max(1)).map(async |share| {
        for offer in share {
            let (id, session) = (offer["id"].as_str(), offer["session_id"].as_str());
            let path = format!("/api/requests/{}/accept", id.expect("an id"));
            mechanic.client.post_nothing(&path).await.expect_status(200);
            mechanic.step(session.expect("an id"), "start").await.expect_status(200);
        }
    });
    join_all(started).await;
    let mut pairs = Vec::with_capacity(count);
    for customer in &customers {
        pairs.extend(all(&customer.client, "/api/sessions").await.into_iter().map(|session| Pair {
            session: session["id"].as_str().expect("an id").to_owned(),
            customer: customer.client.another_tab(),
            mechanic: mechanic.client.another_tab(),
        }));
    }
    pairs
}

/// Every item of a list.
async fn all(client: &Client, list: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{list}?limit=500{cursor}")).await.expect_status(200);
        items.extend(page.body["items"].as_array().expect("a list").clone());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// How often a socket shows that it is alive, as every client does.
const ALIVE: Duration = Duration::from_secs(25);

/// A socket's way out, shared by whoever sends and by what keeps it alive.
type Way = Arc<Mutex<SplitSink<Stream, Message>>>;

/// Keeps every socket alive until it is aborted: all of them once in [`ALIVE`], evenly.
fn kept_alive(ways: Vec<Way>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut pace = interval(ALIVE / u32::try_from(ways.len().max(1)).unwrap_or(u32::MAX));
        for way in ways.iter().cycle() {
            pace.tick().await;
            // One that was closed shows where it is read.
            let _ = way.lock().await.send(Message::Ping(Bytes::new())).await;
        }
    })
}

/// Customers send at a steady rate; of every `stuck_of` mechanics one reads nothing. Microseconds to those who read.
async fn load(server: &TestServer, pairs: &[Pair], scale: Scale, name: &str, stuck_of: usize) -> Vec<u64> {
    let epoch = Instant::now();
    let micros = move || u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (mut senders, mut stuck, mut listeners, mut echoes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (part, some) in pairs.chunks(JOINED_AT_ONCE).enumerate() {
        let joined = join_all(some.iter().map(async |pair| {
            let customer = LightSocket::joined(server, &pair.customer, &pair.session).await;
            (pair, customer, LightSocket::joined(server, &pair.mechanic, &pair.session).await)
        }));
        let mut ways = Vec::with_capacity(2 * some.len());
        for (place, (pair, customer, mechanic)) in joined.await.into_iter().enumerate() {
            let (sink, mut incoming) = customer.split();
            let way: Way = Arc::new(Mutex::new(sink));
            ways.push(way.clone());
            echoes.push(tokio::spawn(async move { while incoming.next().await.is_some() {} }));
            let (sink, mut stream) = mechanic.split();
            ways.push(Arc::new(Mutex::new(sink)));
            if stuck_of > 0 && (part * JOINED_AT_ONCE + place).is_multiple_of(stuck_of) {
                stuck.push((way, stream));
                continue;
            }
            senders.push((pair.session.clone(), way));
            listeners.push(tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Some(Ok(frame)) = stream.next().await {
                    let Message::Text(frame) = frame else { continue };
                    match sent_at(&frame) {
                        Some(u64::MAX) => break,
                        Some(sent) => taken.push(micros().saturating_sub(sent)),
                        None => {}
                    }
                }
                taken
            }));
        }
        echoes.push(kept_alive(ways));
    }
    // What nobody reads still has to be sent: to the stuck ones too.
    senders.extend(
        stuck
            .iter()
            .zip(pairs.iter().step_by(stuck_of.max(1)))
            .map(|((way, _), pair)| (pair.session.clone(), way.clone())),
    );
    let mut pace = interval(Duration::from_micros(1_000_000 / scale.steady_rate));
    for number in 0..scale.steady_rate * scale.seconds * 2 {
        pace.tick().await;
        let turn = usize::try_from(number).unwrap_or(0) % senders.len();
        let (session, way) = &senders[turn];
        let frame = format!(
            r#"{{"type":"send","channel":"session:{session}","client_ref":"{name}-{number}","text":"at:{}: {TEXT}"}}"#,
            micros()
        );
        way.lock().await.send(Message::text(frame)).await.expect("the socket is open");
    }
    for (session, way) in &senders {
        let last = format!(
            r#"{{"type":"send","channel":"session:{session}","client_ref":"{name}-last","text":"at:{}:"}}"#,
            u64::MAX
        );
        way.lock().await.send(Message::text(last)).await.expect("the socket is open");
    }
    let mut taken = Vec::new();
    for listener in listeners {
        taken.extend(listener.await.expect("nobody panicked"));
    }
    for echo in echoes {
        echo.abort();
    }
    taken.sort_unstable();
    eprintln!("{name}: {} s, {} messages heard", epoch.elapsed().as_secs(), taken.len());
    taken
}
