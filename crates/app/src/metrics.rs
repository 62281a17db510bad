//! What `/metrics` tells, in the words of OpenMetrics.
//!
//! Counters and histograms are kept here as things happen; gauges that the database knows are read when somebody asks, and
//! left out while it can't be read.
//! A route is named by its pattern, so that no id and no secret becomes a label.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper ends of the buckets of request times, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

impl EncodeLabelSet for Answered {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        labels(
            encoder,
            &[("method", self.method), ("route", &self.route), ("status", &self.status.to_string())],
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route(String);

impl EncodeLabelSet for Route {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        labels(encoder, &[("route", &self.0)])
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Named(&'static str, &'static str);

impl EncodeLabelSet for Named {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        labels(encoder, &[(self.0, self.1)])
    }
}

fn labels(encoder: &mut LabelSetEncoder<'_>, pairs: &[(&str, &str)]) -> Result<(), std::fmt::Error> {
    use prometheus_client::encoding::EncodeLabel;
    pairs.iter().try_for_each(|pair| pair.encode(encoder.encode_label()))
}

/// What this node and the database know at the moment somebody asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Signed-in sockets of this node.
    pub sockets: i64,
    /// Free bytes where the database or the uploads lie; `None` when the system does not tell.
    pub disk_free_bytes: Option<i64>,
    /// What the database tells; `None` when it can't be read now.
    pub database: Option<Stock>,
}

/// What the database knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stock {
    /// Jobs that are due and wait.
    pub jobs_due: i64,
    /// Jobs that were given up.
    pub jobs_dead: i64,
    /// Seconds for which the oldest due job has waited.
    pub jobs_oldest_seconds: i64,
    /// Sessions by status: those that have not ended.
    pub sessions: Vec<(&'static str, i64)>,
}

/// The counters of this process.
pub struct Metrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        }
    }
}

impl Metrics {
    /// Counts an answer. `route` is the pattern that the request matched; empty when there was none.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = if route.is_empty() { "none" } else { route };
        self.requests.get_or_create(&Answered { method, route: route.to_owned(), status }).inc();
        self.seconds.get_or_create(&Route(route.to_owned())).observe(took.as_secs_f64());
    }

    /// Everything as text.
    ///
    /// # Errors
    /// A formatting error, which a string never gives.
    pub fn text(&self, reading: &Reading) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("pitlane");
        registry.register("http_requests", "Answers by method, route and status", self.requests.clone());
        registry.register("http_request_seconds", "Time from request to answer", self.seconds.clone());
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        };
        gauge("sockets", "Signed-in sockets of this node", reading.sockets);
        if let Some(bytes) = reading.disk_free_bytes {
            gauge("disk_free_bytes", "Free bytes where data is kept", bytes);
        }
        gauge("database_up", "Whether the database can be read", i64::from(reading.database.is_some()));
        if let Some(stock) = &reading.database {
            gauge("jobs_due", "Jobs that are due and wait", stock.jobs_due);
            gauge("jobs_dead", "Jobs that were given up", stock.jobs_dead);
            gauge(
                "jobs_oldest_due_seconds",
                "How long the oldest due job has waited",
                stock.jobs_oldest_seconds,
            );
            let sessions = Family::<Named, Gauge>::default();
            for (status, count) in &stock.sessions {
                sessions.get_or_create(&Named("status", status)).set(*count);
            }
            registry.register("sessions", "Sessions that have not ended, by status", sessions);
        }
        let info = Family::<Named, Gauge<u64, AtomicU64>>::default();
        info.get_or_create(&Named("version", env!("CARGO_PKG_VERSION"))).set(1);
        registry.register("build", "The version that runs", info);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_counted_by_route_and_what_is_asked_for_is_shown() {
        let metrics = Metrics::default();
        for took in [2, 40] {
            metrics.answered("GET", "/api/sessions/{id}", 200, Duration::from_millis(took));
        }
        metrics.answered("POST", "", 404, Duration::ZERO);
        let stock = Stock { sessions: vec![("in_progress", 2)], ..Stock::default() };
        let reading = Reading { sockets: 3, database: Some(stock), ..Reading::default() };
        let text = metrics.text(&reading).expect("text");
        for line in [
            "pitlane_http_requests_total{method=\"GET\",route=\"/api/sessions/{id}\",status=\"200\"} 2",
            "pitlane_http_requests_total{method=\"POST\",route=\"none\",status=\"404\"} 1",
            "pitlane_http_request_seconds_bucket{le=\"0.0025\",route=\"/api/sessions/{id}\"} 1",
            "pitlane_http_request_seconds_count{route=\"/api/sessions/{id}\"} 2",
            "pitlane_sockets 3",
            "pitlane_sessions{status=\"in_progress\"} 2",
            "pitlane_database_up 1",
            "pitlane_jobs_due 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
        let text = metrics.text(&Reading { sockets: 3, ..Reading::default() }).expect("text");
        for line in ["pitlane_database_up 0", "pitlane_sockets 3"] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
        assert!(text.contains("pitlane_http_requests_total{"), "{text}");
        assert!(!text.contains("pitlane_jobs") && !text.contains("pitlane_sessions{"), "{text}");
    }
}
