//! The loop that leases due jobs, runs several at once and writes down what became of them.
//!
//! It sleeps until the next job is due, and wakes when a transaction schedules one, when the clock is moved, when a
//! run ends, and at least every second, because another node may have scheduled something.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jobs::{Error, Failure, Job, JobKind};
use kernel::id::JobId;
use kernel::{Context, StoreError, Timestamp};
use notifications::{Mailer, Texter};
use store::{Db, Notice, Tx};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::state::Pitlane;
use crate::usecases::monitor::soon as look_soon;
use crate::workers::{
    expire_order, expire_request, follow_up_notice, forget_payer, mail, mail_batch, monitor, no_show, prune,
    reconcile, refund, retain, sms, start_nudge, sweep_files, time_limit,
};

/// Jobs that run at once in this process.
const AT_ONCE: usize = 8;
/// The longest sleep while nothing is known to be due.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How long one run may take. Far beyond every timeout of an outside call; it catches what hangs.
const LONGEST_RUN: Duration = Duration::from_secs(300);

/// Who carries things out of the process.
#[derive(Clone)]
pub struct Carriers {
    /// Carries mail.
    pub mailer: Arc<dyn Mailer>,
    /// Carries text messages.
    pub texter: Arc<dyn Texter>,
}

/// The running loop.
pub struct Workers {
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Workers {
    /// Starts the loop. `alone` says that no other process can hold a lease on this database, so that what a killed
    /// predecessor held is taken up at once instead of when its leases end.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn start(pitlane: Pitlane, carriers: Carriers, alone: bool) -> Result<Self, StoreError> {
        let cx = pitlane.context();
        pitlane
            .db
            .write(move |tx| {
                if alone {
                    jobs::release_held(tx, &cx)?;
                }
                JobKind::ALL.into_iter().try_for_each(|kind| jobs::schedule_next(tx, kind, &cx))
            })
            .await
            .map_err(storage)?;
        let (stop, stopped) = watch::channel(false);
        let queue = Queue::new(pitlane, carriers);
        Ok(Self { stop, running: tokio::spawn(queue.work(stopped)) })
    }

    /// Takes no more jobs, lets the running ones end for up to `server.shutdown_seconds`, and gives the rest back.
    pub async fn stop(self) {
        // The receiver is gone only when the loop has ended.
        let _ = self.stop.send(true);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the worker loop ended badly");
        }
    }
}

// A lease can't be lost and nothing can be missing while no worker runs.
fn storage(error: Error) -> StoreError {
    match error {
        Error::Store(error) => error,
        Error::NotFound | Error::LeaseLost | Error::NotRetryable(_) | Error::TooLong { .. } => {
            StoreError::Constraint(error.to_string())
        }
    }
}

struct Held {
    job: Job,
    renewed_at: Timestamp,
}

struct Queue {
    pitlane: Pitlane,
    carriers: Carriers,
    owner: String,
    wake: Arc<Notify>,
    held: HashMap<JobId, Held>,
    runs: JoinSet<JobId>,
}

impl Queue {
    fn new(pitlane: Pitlane, carriers: Carriers) -> Self {
        let wake = Arc::new(Notify::new());
        wake_on_commit(&pitlane.db, &wake);
        let owner = format!("worker-{}", pitlane.context().id());
        Self { pitlane, carriers, owner, wake, held: HashMap::new(), runs: JoinSet::new() }
    }

    async fn work(mut self, mut stopped: watch::Receiver<bool>) {
        let mut moves = self.pitlane.clock.moves();
        while !*stopped.borrow() {
            let sleep = match self.poll().await {
                Ok(sleep) => sleep,
                Err(error) => {
                    tracing::error!(%error, "due jobs can't be read");
                    LONGEST_SLEEP
                }
            };
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.wake.notified() => {}
                _ = moves.changed() => {}
                _ = stopped.changed() => {}
                Some(ended) = self.runs.join_next() => self.forget(ended),
            }
        }
        self.finish().await;
    }

    fn forget(&mut self, ended: Result<JobId, tokio::task::JoinError>) {
        match ended {
            Ok(id) => drop(self.held.remove(&id)),
            // A run catches the panic of its work, so this is a cancelled one.
            Err(error) => tracing::warn!(%error, "a run was cut off"),
        }
    }

    /// Renews what is held, takes what is due, and answers how long there is nothing to do.
    async fn poll(&mut self) -> Result<Duration, Error> {
        let cx = self.pitlane.context();
        let stale = self
            .held
            .values()
            .filter(|held| cx.now.seconds_since(held.renewed_at) >= jobs::queue::RENEW_SECONDS);
        let stale: Vec<Job> = stale.map(|held| held.job.clone()).collect();
        let free = AT_ONCE.saturating_sub(self.held.len());
        let next: Option<Timestamp> =
            self.pitlane.db.read(|tx| jobs::Store::jobs_next_instant(tx).map_err(Error::from)).await?;
        let due = next.is_some_and(|next| next <= cx.now);
        if !stale.is_empty() || (due && free > 0) {
            self.take(stale, free, &cx).await?;
        }
        // What is due and finds no free place is taken when a run ends.
        let wait = match next {
            Some(next) if !due => next.unix_millis().saturating_sub(cx.now.unix_millis()),
            Some(_) | None => u64::MAX,
        };
        Ok(Duration::from_millis(wait.saturating_add(1)).min(LONGEST_SLEEP))
    }

    async fn take(&mut self, stale: Vec<Job>, free: usize, cx: &kernel::Context) -> Result<(), Error> {
        let (owner, limit) = (self.owner.clone(), u32::try_from(free).unwrap_or(0));
        let (renewals, inside) = (stale.clone(), cx.clone());
        // Renewing comes first: however far the clock was moved, what is being worked on here is not given away.
        let leased = self
            .pitlane
            .db
            .write(move |tx| {
                for job in &renewals {
                    match jobs::renew(tx, job, &inside) {
                        Ok(()) | Err(Error::LeaseLost) => {}
                        Err(error) => return Err(error),
                    }
                }
                jobs::release_expired(tx, &inside)?;
                jobs::lease(tx, &owner, limit, &inside)
            })
            .await?;
        for job in stale {
            if let Some(held) = self.held.get_mut(&job.id()) {
                held.renewed_at = cx.now;
            }
        }
        for job in leased {
            let (pitlane, carriers, id) = (self.pitlane.clone(), self.carriers.clone(), job.id());
            self.held.insert(id, Held { job: job.clone(), renewed_at: cx.now });
            self.runs.spawn(async move {
                attempt(pitlane, carriers, job).await;
                id
            });
        }
        Ok(())
    }

    async fn finish(mut self) {
        let patience = Duration::from_secs(self.pitlane.settings.server.shutdown_seconds);
        let ended = tokio::time::timeout(patience, async {
            while let Some(ended) = self.runs.join_next().await {
                if let Ok(id) = ended {
                    self.held.remove(&id);
                }
            }
        });
        if ended.await.is_ok() {
            return;
        }
        self.runs.shutdown().await;
        let (cx, left): (_, Vec<Job>) =
            (self.pitlane.context(), self.held.into_values().map(|held| held.job).collect());
        let returned = self.pitlane.db.write(move |tx| {
            for job in &left {
                match jobs::release(tx, job, &cx) {
                    Ok(()) | Err(Error::LeaseLost) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        if let Err(error) = returned.await {
            tracing::warn!(%error, "unfinished jobs will be taken up when their leases end");
        }
    }
}

fn wake_on_commit(db: &Db, wake: &Arc<Notify>) {
    let wake = Arc::clone(wake);
    db.on_commit(Arc::new(move |notices| {
        if notices.iter().any(|notice| matches!(notice, Notice::JobsDue)) {
            wake.notify_one();
        }
    }));
}

async fn attempt(pitlane: Pitlane, carriers: Carriers, job: Job) {
    let work = tokio::spawn(run(pitlane.clone(), carriers, job.clone()));
    let stop = work.abort_handle();
    let outcome = match tokio::time::timeout(LONGEST_RUN, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(Failure::Later(format!("the run ended badly: {error}"))),
        Err(_) => {
            stop.abort();
            Err(Failure::Later(format!("the run took longer than {} seconds", LONGEST_RUN.as_secs())))
        }
    };
    let (cx, id, kind) = (pitlane.context(), job.id(), job.kind());
    let recorded = match outcome {
        Ok(()) => pitlane.db.write(move |tx| jobs::complete(tx, &job, &cx)).await,
        Err(failure) => {
            tracing::warn!(job = %id, %kind, attempt = job.attempts(), reason = failure.reason(), "a job failed");
            let failed = pitlane.db.write(move |tx| fail(tx, &job, &failure, &cx)).await;
            failed.map(|job| {
                if job.status() == jobs::JobStatus::Dead {
                    tracing::error!(job = %id, %kind, "a job was given up; an admin can run it again");
                }
            })
        }
    };
    if let Err(error) = recorded {
        // The lease ends by itself and the job runs again, which every kind allows.
        tracing::warn!(job = %id, %kind, %error, "the result of a job can't be recorded");
    }
}

/// Records a failed attempt. Support hears at once of vital work that was given up.
fn fail(tx: &mut Tx<'_>, job: &Job, failure: &Failure, cx: &Context) -> Result<Job, Error> {
    let failed = jobs::fail(tx, job, failure, cx)?;
    if failed.status() == jobs::JobStatus::Dead && failed.kind().is_vital() {
        look_soon(tx, &format!("dead:{}:{}", failed.id(), cx.now), cx)?;
    }
    Ok(failed)
}

/// Runs the work of one job.
async fn run(pitlane: Pitlane, carriers: Carriers, job: Job) -> Result<(), Failure> {
    match job.kind() {
        JobKind::Mail => mail::run(&pitlane, &*carriers.mailer, &job).await,
        JobKind::MailBatch => mail_batch::run(&pitlane, &*carriers.mailer, &job).await,
        JobKind::Sms => sms::run(&pitlane, &*carriers.texter, &job).await,
        JobKind::Reconcile => reconcile::run(&pitlane).await,
        JobKind::ExpireOrder => expire_order::run(&pitlane, &job).await,
        JobKind::ExpireRequest => expire_request::run(&pitlane, &job).await,
        JobKind::TimeLimit => time_limit::run(&pitlane, &job).await,
        JobKind::NoShow => no_show::run(&pitlane, &job).await,
        JobKind::StartNudge => start_nudge::run(&pitlane, &job).await,
        JobKind::Monitor => monitor::run(&pitlane).await,
        JobKind::Refund => refund::run(&pitlane, &job).await,
        JobKind::FollowUpNotice => follow_up_notice::run(&pitlane, &job).await,
        JobKind::SweepFiles => sweep_files::run(&pitlane).await,
        JobKind::ForgetPayer => forget_payer::run(&pitlane, &job).await,
        JobKind::Retain => retain::run(&pitlane).await,
        JobKind::Prune => prune::run(&pitlane).await,
    }
}
