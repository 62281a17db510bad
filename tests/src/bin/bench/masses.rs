//! Many sockets, some of which read nothing.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tests::{Client, TestServer, until};
use tokio_tungstenite::tungstenite::Message;

use crate::chat::{TEXT, sent_at};
use crate::client::LightSocket;
use crate::memory::settled;
use crate::webhooks;
use crate::{Line, Scale, percentile};

/// Sessions that are made at once.
const MAKERS: usize = 8;

/// The lines of many sockets.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let server = crate::server().await;
    let sessions = sessions(&server, scale.masses / 2).await;
    let process = server.process_id();
    let calm = load(&server, &sessions, scale, 0).await;
    let before = settled(process).await;
    let slow = load(&server, &sessions, scale, 10).await;
    let after = settled(process).await;
    let (p99, limit) = (percentile(&slow, 0.99), percentile(&calm, 0.99).max(1));
    let growth = after as f64 / before as f64;
    vec![
        Line {
            what: "many sockets, one in ten reads nothing: send to the other side, p99",
            measured: format!("{p99} µs over {} sockets", scale.masses),
            beside: format!("{limit} µs when all read"),
            ratio: format!("{:.2} ×", p99 as f64 / limit as f64),
            goal: "unchanged (≤ 1.25 ×)",
            met: p99 as f64 <= 1.25 * limit as f64,
        },
        Line {
            what: "the same: memory afterwards",
            measured: format!("{:.0} MiB", after as f64 / 1_048_576.0),
            beside: format!("{:.0} MiB after the run in which all read", before as f64 / 1_048_576.0),
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
    let mut offers = until("every request to be offered", async || {
        let offers = all(&mechanic.client, "/api/requests").await;
        (offers.len() == count).then_some(offers)
    })
    .await;
    let shares: Vec<Vec<Value>> = std::iter::from_fn(|| {
        (!offers.is_empty()).then(|| offers.split_off(offers.len().saturating_sub(count / MAKERS + 1)))
    })
    .collect();
    let started = shares.into_iter().map(async |share| {
        for offer in share {
            let (id, session) = (offer["id"].as_str(), offer["session_id"].as_str());
            let path = format!("/api/requests/{}/accept", id.expect("an id"));
            mechanic.client.post_nothing(&path).await.expect_status(200);
            mechanic.step(session.expect("an id"), "start").await.expect_status(200);
        }
    });
    futures_util::future::join_all(started).await;
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

/// Customers send at a steady rate; of every `stuck_of` mechanics one reads nothing. Microseconds to those who read.
async fn load(server: &TestServer, pairs: &[Pair], scale: Scale, stuck_of: usize) -> Vec<u64> {
    let epoch = Instant::now();
    let micros = move || u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (mut senders, mut stuck, mut listeners, mut echoes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, pair) in pairs.iter().enumerate() {
        let customer = LightSocket::joined(server, &pair.customer, &pair.session).await;
        let mechanic = LightSocket::joined(server, &pair.mechanic, &pair.session).await;
        let (sink, mut incoming) = customer.split();
        echoes.push(tokio::spawn(async move { while incoming.next().await.is_some() {} }));
        if stuck_of > 0 && number % stuck_of == 0 {
            stuck.push(mechanic);
            continue;
        }
        senders.push((pair.session.clone(), sink));
        listeners.push(tokio::spawn(async move {
            let (_sink, mut stream) = mechanic.split();
            let mut taken = Vec::new();
            while let Some(Ok(Message::Text(frame))) = stream.next().await {
                match sent_at(&frame) {
                    Some(u64::MAX) => break,
                    Some(sent) => taken.push(micros().saturating_sub(sent)),
                    None => {}
                }
            }
            taken
        }));
    }
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / scale.steady_rate));
    for number in 0..scale.steady_rate * scale.seconds * 2 {
        pace.tick().await;
        let turn = usize::try_from(number).unwrap_or(0) % senders.len();
        let (session, sink) = &mut senders[turn];
        let frame = format!(
            r#"{{"type":"send","channel":"session:{session}","client_ref":"{stuck_of}-{number}","text":"at:{}: {TEXT}"}}"#,
            micros()
        );
        sink.send(Message::text(frame)).await.expect("the socket is open");
    }
    for (session, sink) in &mut senders {
        let last = format!(
            r#"{{"type":"send","channel":"session:{session}","client_ref":"{stuck_of}-last","text":"at:{}:"}}"#,
            u64::MAX
        );
        sink.send(Message::text(last)).await.expect("the socket is open");
    }
    let mut taken = Vec::new();
    for listener in listeners {
        taken.extend(listener.await.expect("nobody panicked"));
    }
    for echo in echoes {
        echo.abort();
    }
    taken.sort_unstable();
    taken
}
