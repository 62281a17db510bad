//! Chat through the whole stack.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tests::{Person, TestServer};
use tokio_tungstenite::tungstenite::Message;

use crate::client::LightSocket;
use crate::writer::BareWriter;
use crate::{Line, Scale, percentile};

/// What people say here: as long as a usual chat message.
pub const TEXT: &str = "It shakes at a light and smooths out when I drive, what could it be?";

/// A driver with paid sessions that a mechanic has started.
pub struct Crowd {
    /// Who paid.
    pub customer: Person,
    /// Who helps.
    pub mechanic: Person,
    /// The sessions.
    pub sessions: Vec<String>,
}

/// Pays for that many chats, one after the other, as people do.
pub async fn crowd(server: &TestServer, sessions: usize) -> Crowd {
    let (customer, mechanic) = (server.customer().await, server.mechanic().await);
    let mut ids = Vec::with_capacity(sessions);
    for _ in 0..sessions {
        let session = customer.paid_session("chat10").await;
        mechanic.accept(&session).await;
        mechanic.step(&session, "start").await.expect_status(200);
        ids.push(session);
    }
    Crowd { customer, mechanic, sessions: ids }
}

/// The lines of the chat.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let mut server = crate::server().await;
    let crowd = crowd(&server, scale.busy_sessions.max(scale.steady_sessions)).await;
    let (acknowledged, delivered) = flat_out(&server, &crowd, scale).await;
    let latency = steady(&server, &crowd, scale).await;
    server.kill9();
    let file = server.data().join("pitlane.db");
    let mut writer = BareWriter::open(&file);
    let bare = writer.rate(2 * scale.busy_sessions, scale.seconds);
    let commits = writer.single_commits(200 * usize::try_from(scale.seconds).unwrap_or(1));
    let (p50, p99) = (percentile(&latency, 0.50), percentile(&latency, 0.99));
    let (commit, slow_commit) = (percentile(&commits, 0.50).max(1), percentile(&commits, 0.99).max(1));
    let share = 100.0 * acknowledged / bare;
    vec![
        Line {
            what: "chat flat out, acknowledged writes/s",
            measured: format!("{acknowledged:.0}"),
            beside: format!("{bare:.0} bare writer, batches of {}", 2 * scale.busy_sessions),
            ratio: format!("{share:.0} %"),
            goal: "≥ 40 %",
            met: share >= 40.0,
        },
        Line {
            what: "chat flat out, messages delivered/s",
            measured: format!("{delivered:.0}"),
            beside: "the client on the same cores".to_owned(),
            ratio: String::new(),
            goal: "≥ 50,000",
            met: delivered >= 50_000.0,
        },
        Line {
            what: "chat steady, send to the other side, p50",
            measured: format!("{p50} µs"),
            beside: format!("{commit} µs bare commit"),
            ratio: format!("{:.1} ×", p50 as f64 / commit as f64),
            goal: "≤ 3 ×",
            met: p50 <= 3 * commit,
        },
        Line {
            what: "chat steady, send to the other side, p99",
            measured: format!("{p99} µs"),
            beside: format!("{slow_commit} µs bare commit, p99"),
            ratio: format!("{:.1} ×", p99 as f64 / slow_commit as f64),
            goal: "≤ 5,000 µs",
            met: p99 <= 5_000,
        },
    ]
}

/// Every socket sends again as soon as it is acknowledged. Acknowledged and delivered messages a second.
async fn flat_out(server: &TestServer, crowd: &Crowd, scale: Scale) -> (f64, f64) {
    let (acknowledged, delivered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let stop = Arc::new(AtomicBool::new(false));
    let mut sockets = Vec::new();
    for session in crowd.sessions.iter().take(scale.busy_sessions) {
        for person in [&crowd.customer, &crowd.mechanic] {
            let socket = LightSocket::joined(server, &person.client, session).await;
            sockets.push((session.clone(), person.id.clone(), socket));
        }
    }
    let start = Instant::now();
    let talking: Vec<_> = sockets
        .into_iter()
        .map(|(session, person, mut socket)| {
            let (acknowledged, delivered, stop) =
                (Arc::clone(&acknowledged), Arc::clone(&delivered), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut number = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    socket
                        .send(format!(
                            r#"{{"type":"send","channel":"session:{session}","client_ref":"{person}-{number}","text":"{TEXT}"}}"#
                        ))
                        .await;
                    loop {
                        let frame = socket.next().await;
                        if frame.starts_with(r#"{"type":"ack""#) {
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        assert!(!frame.starts_with(r#"{"type":"error""#), "{frame}");
                        if frame.starts_with(r#"{"type":"event""#) {
                            delivered.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(scale.seconds)).await;
    let seconds = start.elapsed().as_secs_f64();
    let result = (
        acknowledged.load(Ordering::Relaxed) as f64 / seconds,
        delivered.load(Ordering::Relaxed) as f64 / seconds,
    );
    stop.store(true, Ordering::Relaxed);
    for task in talking {
        task.await.expect("nobody panicked");
    }
    result
}

/// Messages at a steady rate: microseconds from the send to the other side, sorted.
async fn steady(server: &TestServer, crowd: &Crowd, scale: Scale) -> Vec<u64> {
    let epoch = Instant::now();
    let micros = move || u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
    let mut senders = Vec::new();
    let mut listeners = Vec::new();
    for session in crowd.sessions.iter().take(scale.steady_sessions) {
        let customer = LightSocket::joined(server, &crowd.customer.client, session).await;
        let mechanic = LightSocket::joined(server, &crowd.mechanic.client, session).await;
        let (sink, mut incoming) = customer.split();
        senders.push((session.clone(), sink));
        // What comes back must be read, or the server would find this client too slow.
        tokio::spawn(async move { while incoming.next().await.is_some() {} });
        listeners.push(tokio::spawn(async move {
            let (_sink, mut stream) = mechanic.split();
            let mut taken = Vec::new();
            while let Some(Ok(Message::Text(frame))) = stream.next().await {
                if let Some(sent) = sent_at(&frame) {
                    if sent == u64::MAX {
                        break;
                    }
                    taken.push(micros().saturating_sub(sent));
                }
            }
            taken
        }));
    }
    let total = scale.steady_rate * scale.seconds;
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / scale.steady_rate));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    for number in 0..total {
        pace.tick().await;
        let turn = usize::try_from(number).unwrap_or(0) % senders.len();
        let (session, sink) = &mut senders[turn];
        let frame = format!(
            r#"{{"type":"send","channel":"session:{session}","client_ref":"steady-{number}","text":"at:{}: {TEXT}"}}"#,
            micros()
        );
        sink.send(Message::text(frame)).await.expect("the socket is open");
    }
    for (session, sink) in &mut senders {
        let last = format!(
            r#"{{"type":"send","channel":"session:{session}","client_ref":"steady-last","text":"at:{}:"}}"#,
            u64::MAX
        );
        sink.send(Message::text(last)).await.expect("the socket is open");
    }
    let mut taken = Vec::new();
    for listener in listeners {
        taken.extend(listener.await.expect("nobody panicked"));
    }
    taken.sort_unstable();
    taken
}

/// When a steady message was sent, in microseconds of the run.
pub fn sent_at(frame: &str) -> Option<u64> {
    let (_, rest) = frame.split_once(r#""text":"at:"#)?;
    rest.split(':').next()?.parse().ok()
}
