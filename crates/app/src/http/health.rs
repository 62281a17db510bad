//! `/healthz`, `/readyz` and `/metrics`: for whoever watches this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join3;
use jobs::Store;
use kernel::{StoreError, Timestamp};
use serde::Serialize;
use serde_json::json;
use store::views;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::auth::bears;
use super::{Access, ApiResult, Problem, Router};
use crate::metrics::{Reading, Stock};
use crate::state::Pitlane;
use crate::usecases::Error;

/// How long the oldest due job may have waited before nobody seems to work, in seconds.
const JOBS_PATIENCE_SECONDS: i64 = 300;
/// How much of the disk must be free, in bytes.
pub(super) const DISK_RESERVE_BYTES: i64 = 100 * 1_024 * 1_024;

/// How long the database may take: who watches asks again soon, and wants to know meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a look is remembered when all was well, and when it was not: what failed is looked at again soon.
struct Remembered {
    good: Duration,
    bad: Duration,
}

/// At the database: each writes, and a commit costs a flush of the disk.
const DATABASE: Remembered = Remembered { good: Duration::from_secs(5), bad: Duration::from_secs(1) };
/// At the uploads' place: each writes, reads and deletes, and a storage elsewhere has that paid.
const FILES: Remembered = Remembered { good: Duration::from_secs(30), bad: Duration::from_secs(3) };

/// Adds all three.
pub fn routes(router: &mut Router) {
    router.get_or_head("/healthz", Access::Public, alive);
    router.get_or_head("/readyz", Access::Public, ready);
    router.get("/metrics", Access::Signed, metrics);
}

// Whether the process answers at all. It does not look at the database: restarting would not mend that.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// What became of one look. The text says what an operator has to mend, never where.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Whether all is well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

impl Check {
    /// What was seen, and whether it is well.
    pub fn of(ok: bool, detail: impl Into<String>) -> Self {
        Self { ok, detail: detail.into() }
    }
}

/// What this node needs to do its work.
#[derive(Debug, Serialize)]
pub struct Checks {
    /// Reads and writes.
    pub database: Check,
    /// Work that is due is done.
    pub jobs: Check,
    /// What connects several nodes.
    pub bus: Check,
    /// There is room.
    pub disk: Check,
    /// Uploads can be kept and read.
    pub files: Check,
}

impl Checks {
    const fn all(&self) -> bool {
        self.database.ok && self.jobs.ok && self.bus.ok && self.disk.ok && self.files.ok
    }
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    database: &'static str,
    checks: Checks,
}

/// Whether this node can do its work now. 503 takes it out of a balancer's rotation.
async fn ready(pitlane: Data<Pitlane>) -> HttpResponse {
    let checks = look(&pitlane).await;
    let database = pitlane.db.kind();
    if checks.all() {
        HttpResponse::Ok().json(Ready { status: "ready", database, checks })
    } else {
        HttpResponse::ServiceUnavailable().json(Ready { status: "not_ready", database, checks })
    }
}

/// Looks at each, all at the same time.
pub async fn look(pitlane: &Pitlane) -> Checks {
    let now = pitlane.clock.now();
    let read = in_time(pitlane.db.read(|tx| tx.jobs_next_instant().map_err(Error::from)));
    // Whoever asked may go away meanwhile; these looks are taken to their end, for the next who asks.
    let (looks, state) = (Arc::clone(&pitlane.last_checks), pitlane.clone());
    let written = tokio::spawn(async move { looks.database.look(DATABASE, written(&state)).await });
    let (looks, state) = (Arc::clone(&pitlane.last_checks), pitlane.clone());
    let kept = tokio::spawn(async move { looks.files.look(FILES, kept(&state)).await });
    let (read, written, files) = join3(read, taken(written), taken(kept)).await;
    if let Err(error) = &read {
        tracing::error!(%error, "not ready: the database can't be read");
    }
    let database = match &read {
        Ok(_) => written,
        Err(_) => Check::of(false, "can't be read; the log says why"),
    };
    let jobs = match read.map(|next| next.map(|next| waited(next, now))) {
        Ok(Some(seconds)) if seconds > JOBS_PATIENCE_SECONDS => {
            Check::of(false, format!("a due job has waited for {seconds} seconds"))
        }
        Ok(Some(_) | None) => Check::of(true, "nothing waits for long"),
        Err(_) => Check::of(false, "can't be read, as the database can't"),
    };
    let disk = match free_bytes(pitlane) {
        Some(bytes) if bytes < DISK_RESERVE_BYTES => {
            Check::of(false, format!("{} MiB are free", bytes / 1_048_576))
        }
        Some(bytes) => Check::of(true, format!("{} MiB are free", bytes / 1_048_576)),
        None => Check::of(true, "the system does not tell"),
    };
    Checks { database, jobs, bus: Check::of(true, "in this process"), disk, files }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable("it takes too long".to_owned()).into()),
    }
}

async fn written(pitlane: &Pitlane) -> Check {
    match in_time(async { pitlane.db.probe().await.map_err(Error::from) }).await {
        Ok(()) => Check::of(true, "reads and writes"),
        Err(error) => {
            tracing::error!(%error, "not ready: the database can't be written");
            Check::of(false, "can't be written; the log says why")
        }
    }
}

async fn kept(pitlane: &Pitlane) -> Check {
    match gateways::files::probe(&*pitlane.files).await {
        Ok(()) => Check::of(true, "kept, read and deleted"),
        Err(error) => {
            tracing::error!(%error, "not ready: the place of the uploads");
            Check::of(false, "uploads can't be kept; the log says why")
        }
    }
}

async fn taken(look: JoinHandle<Check>) -> Check {
    look.await.unwrap_or_else(|error| {
        tracing::error!(%error, "not ready: a look could not be taken");
        Check::of(false, "this could not be looked at; the log says why")
    })
}

/// The last looks that cost something.
#[derive(Debug, Default)]
pub struct LastChecks {
    database: LastLook,
    files: LastLook,
}

/// The last look at one thing. Who asks while one is being taken waits for it.
#[derive(Debug, Default)]
struct LastLook(Mutex<Option<(Instant, Check)>>);

impl LastLook {
    async fn look(&self, remembered: Remembered, look: impl Future<Output = Check>) -> Check {
        let mut last = self.0.lock().await;
        if let Some((taken, check)) = &*last
            && taken.elapsed() < if check.ok { remembered.good } else { remembered.bad }
        {
            return check.clone();
        }
        let check = look.await;
        *last = Some((Instant::now(), check.clone()));
        check
    }
}

fn waited(next: Timestamp, now: Timestamp) -> i64 {
    now.seconds_since(next).max(0)
}

/// What is free where this node keeps its data: the smaller of the database's and the uploads' disk.
fn free_bytes(pitlane: &Pitlane) -> Option<i64> {
    let uploads = pitlane.settings.files.folder();
    let folders = [Some(pitlane.settings.data_folder()), uploads];
    folders.into_iter().flatten().filter_map(|folder| free_at(&folder)).min()
}

/// What is free on the disk of a folder, as far as the system tells.
pub(super) fn free_at(folder: &Path) -> Option<i64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    i64::try_from(found.f_bavail.saturating_mul(found.f_frsize)).ok()
}

/// For a scraper on this machine, or one that knows `server.metrics_token`.
async fn metrics(request: HttpRequest, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    if !may_scrape(&request, &pitlane) {
        return Err(Problem::not_found());
    }
    let now = pitlane.clock.now();
    let stock = in_time(pitlane.db.read(move |tx| {
        Ok::<_, Error>((tx.jobs_count(now)?, tx.jobs_next_instant()?, views::admin::counts(tx)?))
    }));
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let database = match stock.await {
        Ok((jobs, next, sessions)) => Some(Stock {
            jobs_due: number(jobs.due),
            jobs_dead: number(jobs.dead),
            jobs_oldest_seconds: next.map_or(0, |next| waited(next, now)),
            sessions: sessions.into_iter().map(|(status, count)| (status.as_str(), count)).collect(),
        }),
        Err(error) => {
            tracing::error!(%error, "the figures lack those of the database");
            None
        }
    };
    let reading = Reading {
        sockets: i64::try_from(pitlane.hub.connected()).unwrap_or(i64::MAX),
        disk_free_bytes: free_bytes(&pitlane),
        database,
    };
    let text = pitlane.metrics.text(&reading).map_err(|error| super::error::unexpected(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}

fn may_scrape(request: &HttpRequest, pitlane: &Pitlane) -> bool {
    if bears(request, pitlane.settings.server.metrics_token.expose()) {
        return true;
    }
    // A proxy on this machine speaks for people elsewhere, and says so.
    let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"];
    let direct = forwarded.iter().all(|name| !request.headers().contains_key(*name));
    direct && request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback())
}
