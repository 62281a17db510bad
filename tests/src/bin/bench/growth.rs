//! How cost grows: the same thing when there is little of everything and when there is much.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tests::{Client, Person, TestServer};

use crate::chat::{self, TEXT};
use crate::client::LightSocket;
use crate::{Line, Scale, percentile, webhooks};

/// How often each thing is done; the middle counts.
const TIMES: usize = 200;

/// Messages on their way at once while a log is filled.
const WINDOW: usize = 64;

/// The lines of growth.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let server = crate::server().await;
    let crowd = chat::crowd(&server, 1).await;
    let session = crowd.sessions.first().expect("a session").clone();
    let many = scale.growth;
    let mut log = Log { server: &server, person: &crowd.customer, session: &session, said: 0 };
    let short = (log.send(2).await, log.join().await, log.page().await);
    log.grow(many).await;
    let long = (log.send(2).await, log.join().await, log.page().await);
    let crowded = log.send(scale.tabs).await;
    let few = list(&server, 50).await;
    let lots = list(&server, many / 10).await;
    vec![
        grown("a message to the other side, in a log", many, short.0, long.0),
        grown("joining at the end of a log", many, short.1, long.1),
        grown("the newest hundred lines of a log", many, short.2, long.2),
        grown("the first page of one's sessions, of", many / 10, few, lots),
        fan_out(scale.tabs, long.0, crowded),
    ]
}

fn grown(what: &'static str, many: usize, little: u64, much: u64) -> Line {
    let ratio = much as f64 / little.max(1) as f64;
    Line {
        what,
        measured: format!("{much} µs with {many}"),
        beside: format!("{little} µs with few"),
        ratio: format!("{ratio:.2} ×"),
        goal: "≤ 1.5 ×",
        met: ratio <= 1.5,
    }
}

fn fan_out(tabs: usize, two: u64, crowded: u64) -> Line {
    let each = crowded.saturating_sub(two) as f64 / tabs.saturating_sub(2).max(1) as f64;
    Line {
        what: "a message to the last of many sockets of one session",
        measured: format!("{crowded} µs to {tabs} sockets"),
        beside: format!("{two} µs to two"),
        ratio: format!("{each:.1} µs for each more"),
        goal: "≤ 100 µs for each more",
        met: each <= 100.0,
    }
}

/// The log of one session.
struct Log<'s> {
    server: &'s TestServer,
    person: &'s Person,
    session: &'s str,
    said: usize,
}

impl Log<'_> {
    fn frame(&mut self) -> String {
        self.said += 1;
        format!(
            r#"{{"type":"send","channel":"session:{}","client_ref":"g{}","text":"{TEXT}"}}"#,
            self.session, self.said
        )
    }

    async fn socket(&self) -> LightSocket {
        LightSocket::joined(self.server, &self.person.client, self.session).await
    }

    /// From sending a message until the last of so many sockets but the sender's own has it.
    async fn send(&mut self, sockets: usize) -> u64 {
        let mut sender = self.socket().await;
        let mut others = Vec::new();
        for _ in 1..sockets {
            others.push(self.socket().await);
        }
        let mut taken = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let frame = self.frame();
            let begun = Instant::now();
            sender.send(frame).await;
            join_all(others.iter_mut().map(message)).await;
            taken.push(begun.elapsed());
            message(&mut sender).await;
        }
        middle(&taken)
    }

    async fn join(&self) -> u64 {
        let mut taken = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let end = self.person.session(self.session).await["last_seq"].clone();
            let mut socket = LightSocket::open(&self.server.socket_url(), Some(&self.person.client)).await;
            let channel = format!("session:{}", self.session);
            let begun = Instant::now();
            socket.send(format!(r#"{{"type":"join","channel":"{channel}","after_seq":{end}}}"#)).await;
            while !socket.next().await.starts_with(r#"{"type":"joined""#) {}
            taken.push(begun.elapsed());
        }
        middle(&taken)
    }

    async fn page(&self) -> u64 {
        let end = self.person.session(self.session).await["last_seq"].as_u64().expect("a number");
        let path =
            format!("/api/sessions/{}/events?after_seq={}&limit=100", self.session, end.saturating_sub(100));
        gets(&self.person.client, &path).await
    }

    /// Fills the log, many messages on their way at once.
    async fn grow(&mut self, lines: usize) {
        let mut socket = self.socket().await;
        let (mut sent, mut acknowledged) = (0, 0);
        while acknowledged < lines {
            while sent < lines && sent - acknowledged < WINDOW {
                let frame = self.frame();
                socket.send(frame).await;
                sent += 1;
            }
            if socket.next().await.starts_with(r#"{"type":"ack""#) {
                acknowledged += 1;
            }
        }
    }
}

async fn message(socket: &mut LightSocket) {
    while !socket.next().await.contains(r#""kind":"message""#) {}
}

/// The first page of somebody's sessions when there are so many.
async fn list(server: &TestServer, count: usize) -> u64 {
    let shopper = vec![server.customer().await];
    let news = webhooks::orders(server, &shopper, count).await;
    webhooks::deliver(server, news, None).await;
    // The mails and offers of all these sessions are no part of a list.
    let begun = Instant::now();
    while !is_queue_empty(server).await {
        assert!(begun.elapsed() < Duration::from_secs(300), "the queue does not empty");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    gets(&shopper[0].client, "/api/sessions?limit=50").await
}

async fn is_queue_empty(server: &TestServer) -> bool {
    let metrics = server.guest().get("/metrics").await.expect_status(200);
    metrics.text.lines().any(|line| line == "pitlane_jobs_due 0")
}

async fn gets(client: &Client, path: &str) -> u64 {
    let mut taken = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        client.get(path).await.expect_status(200);
        taken.push(begun.elapsed());
    }
    middle(&taken)
}

fn middle(taken: &[Duration]) -> u64 {
    let mut micros: Vec<u64> =
        taken.iter().map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)).collect();
    micros.sort_unstable();
    percentile(&micros, 0.5)
}
