//! Flood control: how fast one person, and one network address, may ask.
//!
//! Each has a bucket of requests that refills steadily, kept as the one instant at which it would be full again (the
//! generic cell rate algorithm). `/api/auth/*` has a limit of its own, on attempts; what is signed, static or only
//! watches the process has none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use accounts::attempts::network;
use actix_web::HttpRequest;
use kernel::UserId;

use super::address;
use super::problem::{ApiResult, Problem};
use crate::config::{Limits as Settings, Rate};
use crate::state::Pitlane;

const SHARDS: usize = 16;
/// Buckets that are not full, in one shard. One is two words and a key; all of them stay under ten megabytes.
const SHARD_MAX: usize = 8_192;
const SWEEP: Duration = Duration::from_secs(1);
/// Paths without a limit here: their answers come from memory, are for operators, or have a limit of their own.
const UNLIMITED: [&str; 11] = [
    "/api/auth/",
    "/api/stripe/webhook",
    "/api/resend/webhook",
    "/api/livekit/webhook",
    "/api/twilio/status",
    "/static/",
    "/favicon.ico",
    "/healthz",
    "/readyz",
    "/metrics",
    "/dev/",
];
/// What stands in for outside actors on a development server.
const STAND_INS: [&str; 2] = ["/v1/", "/sandbox"];

/// The buckets of this node.
#[derive(Debug)]
pub struct Limits {
    people: Buckets<UserId>,
    addresses: Buckets<u128>,
}

impl Limits {
    /// Full buckets.
    pub fn new(settings: Settings) -> Self {
        Self { people: Buckets::new(settings.person), addresses: Buckets::new(settings.address) }
    }

    /// Takes one request of a person.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn of_person(&self, person: UserId) -> ApiResult<()> {
        self.people.take(person, Instant::now()).map_err(too_many)
    }

    /// Takes one request of the address it came from, unless its path has no limit.
    ///
    /// This machine itself has none: what comes from there without saying for whom is a proxy that
    /// `server.trusted_proxies` doesn't name, and its limit would be everybody's.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn of_address(&self, request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<()> {
        let path = request.path();
        if UNLIMITED.iter().chain(&STAND_INS).any(|prefix| path.starts_with(prefix)) {
            return Ok(());
        }
        let Ok(address) = address::of(request, pitlane).parse::<IpAddr>() else { return Ok(()) };
        if address.is_loopback() {
            return Ok(());
        }
        self.addresses.take(network(address), Instant::now()).map_err(too_many)
    }
}

fn too_many(wait: Duration) -> Problem {
    let begun = u64::from(wait.subsec_nanos() > 0);
    Problem::too_many((wait.as_secs() + begun).max(1))
}

/// A bucket for each key. One that is full again is forgotten.
#[derive(Debug)]
struct Buckets<K> {
    /// How long one request takes to come back; `None` limits nothing.
    interval: Option<Duration>,
    /// How long an empty bucket takes to be full.
    depth: Duration,
    hasher: RandomState,
    shards: Vec<Mutex<Shard<K>>>,
}

#[derive(Debug)]
struct Shard<K> {
    /// When each bucket is full again.
    full: HashMap<K, Instant>,
    /// When those that are full were forgotten last: looking for them costs, and a flood must not make it cost often.
    swept: Option<Instant>,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1).checked_div(rate.per_second);
        Self {
            interval,
            depth: interval.unwrap_or_default().saturating_mul(rate.burst),
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(|| Mutex::new(Shard { full: HashMap::new(), swept: None }))
                .take(SHARDS)
                .collect(),
        }
    }

    /// Takes one, or says how long it is until there is one again.
    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let Some(interval) = self.interval else { return Ok(()) };
        let shards = u64::try_from(self.shards.len()).unwrap_or(1);
        let index = usize::try_from(self.hasher.hash_one(&key) % shards).unwrap_or(0);
        let Some(shard) = self.shards.get(index) else { return Ok(()) };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.full.len() >= SHARD_MAX && !shard.full.contains_key(&key) {
            if shard.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP) {
                shard.full.retain(|_, full| *full > now);
                shard.swept = Some(now);
            }
            // More at once than anybody has: one more bucket would not help, and memory is bounded.
            if shard.full.len() >= SHARD_MAX {
                return Ok(());
            }
        }
        let full = match shard.full.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(now),
        };
        let next = (*full).max(now) + interval;
        match (next - now).checked_sub(self.depth) {
            Some(wait) if !wait.is_zero() => Err(wait),
            Some(_) | None => {
                *full = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(burst: u32, per_second: u32) -> Buckets<u32> {
        Buckets::new(Rate { burst, per_second })
    }

    #[test]
    fn a_burst_passes_and_then_as_many_as_come_back() {
        let (buckets, start) = (buckets(100, 10), Instant::now());
        let taken = |at: Instant| (0..1_000).take_while(|_| buckets.take(7, at).is_ok()).count();
        assert_eq!(taken(start), 100);
        assert_eq!(buckets.take(7, start), Err(Duration::from_millis(100)));
        assert_eq!(buckets.take(8, start), Ok(()), "everybody has a bucket of their own");
        assert_eq!(taken(start + Duration::from_millis(250)), 2);
        assert_eq!(taken(start + Duration::from_secs(3_600)), 100, "it is never more than full");
    }

    #[test]
    fn who_waits_as_long_as_was_said_gets_through() {
        let (buckets, start) = (buckets(100, 3), Instant::now());
        for _ in 0..100 {
            buckets.take(1, start).expect("the burst passes");
        }
        let wait = buckets.take(1, start).expect_err("it is empty");
        let said = too_many(wait).retry_after_seconds.expect("it says how long");
        assert!(said >= 1 && buckets.take(1, start + Duration::from_secs(said)).is_ok());
    }

    #[test]
    fn nothing_is_limited_by_a_rate_of_zero() {
        let (buckets, now) = (buckets(100, 0), Instant::now());
        assert!((0..10_000).all(|_| buckets.take(1, now).is_ok()));
    }

    #[test]
    fn memory_is_bounded_and_full_buckets_make_room() {
        let (buckets, start) = (buckets(100, 10), Instant::now());
        for key in 0..300_000 {
            buckets.take(key, start).expect("a first request passes");
        }
        let kept = |buckets: &Buckets<u32>| -> usize {
            buckets.shards.iter().map(|shard| shard.lock().expect("nobody panicked").full.len()).sum()
        };
        assert_eq!(kept(&buckets), SHARDS * SHARD_MAX);
        let later = start + Duration::from_secs(1);
        for key in 300_000..300_100 {
            buckets.take(key, later).expect("a first request passes");
        }
        assert!(kept(&buckets) < SHARDS * SHARD_MAX);
    }
}
