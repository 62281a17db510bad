//! From a signed webhook to a committed session, participants, ledger, event and jobs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::server::WEBHOOK_SECRET;
use tests::{Client, Person, TestServer};

use crate::copies::copied_a_second;
use crate::{Line, Scale, percentile};

/// Callers at once.
const CALLERS: usize = 64;
/// Orders that are made at once beforehand.
const SHOPPERS: usize = 8;

/// A webhook that is ready to be sent.
pub struct News {
    body: String,
    signature: String,
}

/// The lines of the webhooks.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let mut server = crate::server().await;
    let steady = usize::try_from(scale.webhook_rate * scale.seconds).unwrap_or(0);
    let shoppers = shoppers(&server).await;
    let mut news = orders(&server, &shoppers, scale.webhooks + steady).await;
    let later = news.split_off(scale.webhooks);
    let rows_before = rows(&server);
    let (rate, _) = deliver(&server, news, None).await;
    let each = (rows(&server) - rows_before) as f64 / scale.webhooks as f64;
    let made = server.database().count("orders", "status = 'fulfilled'");
    assert_eq!(usize::try_from(made).ok(), Some(scale.webhooks), "every webhook was carried out");
    let (_, latency) = deliver(&server, later, Some(scale.webhook_rate)).await;
    server.kill9();
    let bare = copied_a_second(&server.data().join("pitlane.db"), i64::try_from(CALLERS).unwrap_or(1));
    let (p50, p99) = (percentile(&latency, 0.50), percentile(&latency, 0.99));
    vec![
        Line {
            what: "signed webhook to a committed session, a second",
            measured: format!("{rate:.0}"),
            beside: format!(
                "{bare:.0}, the same {each:.0} rows copied by SQLite in commits of {CALLERS} webhooks"
            ),
            ratio: format!("{:.0} %", 100.0 * rate / bare),
            goal: "≥ 2,000",
            met: rate >= 2_000.0,
        },
        Line {
            what: "the same at a steady rate, p99",
            measured: format!("{p99} µs"),
            beside: format!("{p50} µs p50 at {} a second", scale.webhook_rate),
            ratio: format!("{:.1} ×", p99 as f64 / p50.max(1) as f64),
            goal: "≤ 25,000 µs at 500/s",
            met: p99 <= 25_000,
        },
    ]
}

fn rows(server: &TestServer) -> i64 {
    [
        "sessions",
        "session_participants",
        "session_events",
        "session_requests",
        "request_offers",
        "payments",
        "ledger_transactions",
        "ledger_entries",
        "jobs",
        "deliveries",
        "crm_interactions",
        "webhook_events",
    ]
    .iter()
    .map(|table| server.database().count(table, "1 = 1"))
    .sum()
}

/// People who buy at the same time.
pub async fn shoppers(server: &TestServer) -> Vec<Person> {
    futures_util::future::join_all((0..SHOPPERS).map(|_| server.customer())).await
}

/// That many orders with an open payment page each, and the news that each is paid.
pub async fn orders(server: &TestServer, shoppers: &[Person], count: usize) -> Vec<News> {
    let shares = shoppers.iter().enumerate().map(|(number, person)| async move {
        let provider = server.provider();
        let mut made = Vec::new();
        for _ in 0..count / shoppers.len() + usize::from(number < count % shoppers.len()) {
            made.push(paid(person, &provider).await);
        }
        made
    });
    futures_util::future::join_all(shares).await.into_iter().flatten().collect()
}

/// As Stripe would tell it, without the page being paid: the server takes a signed last word as it stands.
async fn paid(person: &Person, provider: &Client) -> News {
    let checkout = person.checkout("chat10").await;
    let page = provider.get(&format!("/v1/checkout/sessions/{}", checkout.id)).await.expect_status(200);
    let mut page: Value = page.body;
    page["status"] = json!("complete");
    page["payment_status"] = json!("paid");
    page["payment_intent"] = json!(format!("pi_{}", checkout.order_id.replace('-', "")));
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let body = json!({
        "id": format!("evt_{}", checkout.order_id.replace('-', "")), "object": "event", "type": "checkout.session.completed",
        "api_version": "2026-09-30", "created": now, "livemode": false, "pending_webhooks": 1, "request": null,
        "data": { "object": page },
    })
    .to_string();
    News { body, signature: String::new() }
}

fn signed(news: News) -> News {
    let at = time::OffsetDateTime::now_utc().unix_timestamp();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).expect("any key will do");
    mac.update(format!("{at}.{}", news.body).as_bytes());
    News { signature: format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes())), ..news }
}

/// Delivers all, as fast as they are answered or at that rate: webhooks a second, and microseconds to each answer,
/// sorted.
pub async fn deliver(server: &TestServer, news: Vec<News>, rate: Option<u64>) -> (f64, Vec<u64>) {
    let count = news.len();
    let queue: Arc<Mutex<VecDeque<News>>> = Arc::new(Mutex::new(news.into_iter().map(signed).collect()));
    let client = reqwest::Client::builder().pool_max_idle_per_host(CALLERS).build().expect("a client");
    let url = format!("{}/api/stripe/webhook", server.url());
    let start = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let (queue, client, url) = (Arc::clone(&queue), client.clone(), url.clone());
        tokio::spawn(async move {
            let mut taken = Vec::new();
            let mut number = caller;
            loop {
                let due = rate.map_or(start, |rate| {
                    start + Duration::from_micros(1_000_000 * u64::try_from(number).unwrap_or(0) / rate)
                });
                tokio::time::sleep_until(due.into()).await;
                number += CALLERS;
                let Some(news) = queue.lock().expect("nobody panicked").pop_front() else { break };
                // From when it was due: a late caller waited too.
                let sent = if rate.is_some() { due } else { Instant::now() };
                let request = client.post(&url).header("stripe-signature", news.signature);
                let answer = request.header("content-type", "application/json").body(news.body).send().await;
                let answer = answer.expect("an answer");
                assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text().await);
                answer.bytes().await.expect("a body");
                taken.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            taken
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut taken = Vec::with_capacity(count);
    for caller in callers {
        taken.extend(caller.await.expect("nobody panicked"));
    }
    taken.sort_unstable();
    (count as f64 / start.elapsed().as_secs_f64(), taken)
}
