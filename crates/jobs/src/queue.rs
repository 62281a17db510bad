//! Scheduling, leasing, finishing and replaying.
//!
//! A lease is a promise of one worker to report within [`LEASE_SECONDS`]. It renews the promise while it works;
//! when it stops doing so (`kill -9`, a lost machine) the job goes back to the queue. A result is only recorded
//! while the lease still stands, so a worker that comes back late changes nothing; its effects must therefore
//! be safe to repeat, which every kind ensures with its own keys.

use kernel::id::JobId;
use kernel::{Context, Timestamp};

use crate::error::Error;
use crate::job::{Failure, Job, NewJob};
use crate::kind::JobKind;
use crate::store::Store;

/// How long a lease lasts, in seconds.
pub const LEASE_SECONDS: i64 = 60;
/// How often a worker renews its leases, in seconds: three chances before one ends.
pub const RENEW_SECONDS: i64 = 20;
/// The most jobs leased or released in one transaction.
pub const BATCH_MAX: u32 = 64;
/// How long finished jobs stay, and with them the memory of their dedupe keys, in seconds: 30 days.
pub const KEEP_DONE_SECONDS: i64 = 30 * 86_400;

/// Schedules a job; `false` when one with its dedupe key exists already.
///
/// # Errors
/// [`Error::TooLong`] for a payload or key beyond its limit, or a failure of the storage.
pub fn schedule(store: &mut dyn Store, new: NewJob, cx: &Context) -> Result<bool, Error> {
    let job = Job::new(JobId::new(cx.id()), new, cx.now)?;
    Ok(store.job_insert(&job)?)
}

/// Makes sure that the next run of a repeating kind is scheduled. Runs fall on multiples of the interval, so every
/// node and every restart agrees on the next one, and a long stop is followed by one run, not by all it missed.
/// Does nothing for a kind that does not repeat.
///
/// # Errors
/// When the storage fails.
pub fn schedule_next(store: &mut dyn Store, kind: JobKind, cx: &Context) -> Result<(), Error> {
    let Some(every) = kind.every_seconds().map(i64::from) else { return Ok(()) };
    let slot = cx.now.unix_seconds().div_euclid(every) + 1;
    let wait = slot * every - cx.now.unix_seconds();
    let job = NewJob {
        kind,
        payload: "{}".to_owned(),
        run_at: cx.now.plus_seconds(wait),
        dedupe_key: Some(format!("{kind}:{slot}")),
    };
    schedule(store, job, cx).map(|_| ())
}

/// Takes up to `limit` due jobs for `owner`. Each counts one attempt from now on.
///
/// # Errors
/// When the storage fails.
pub fn lease(store: &mut dyn Store, owner: &str, limit: u32, cx: &Context) -> Result<Vec<Job>, Error> {
    let until = cx.now.plus_seconds(LEASE_SECONDS);
    let mut leased = Vec::new();
    for job in store.jobs_due_for_update(cx.now, limit.min(BATCH_MAX))? {
        let job = job.leased(owner, until);
        store.job_update(&job)?;
        leased.push(job);
    }
    Ok(leased)
}

/// Up to `limit` jobs of one kind that are due and that nobody works on, for a worker that can do several at once. They
/// are locked until the transaction ends and stay in the queue unless they are [handed over](hand_over) in it.
///
/// # Errors
/// When the storage fails.
pub fn due(store: &mut dyn Store, kind: JobKind, limit: u32, cx: &Context) -> Result<Vec<Job>, Error> {
    Ok(store.jobs_due_of_kind_for_update(kind, cx.now, limit)?)
}

/// Ends a job that waits in the queue, because another one that is scheduled in the same transaction does its work.
///
/// # Errors
/// When the storage fails.
pub fn hand_over(store: &mut dyn Store, job: Job, cx: &Context) -> Result<(), Error> {
    Ok(store.job_update(&job.done(cx.now))?)
}

/// Extends the lease of a job that is being worked on.
///
/// # Errors
/// [`Error::LeaseLost`] when it has ended, or a failure of the storage.
pub fn renew(store: &mut dyn Store, job: &Job, cx: &Context) -> Result<(), Error> {
    let held = held(store, job)?;
    Ok(store.job_update(&held.renewed(cx.now.plus_seconds(LEASE_SECONDS)))?)
}

/// Records that the work is done. A repeating kind is scheduled again in the same transaction.
///
/// # Errors
/// [`Error::LeaseLost`] when the lease has ended, or a failure of the storage.
pub fn complete(store: &mut dyn Store, job: &Job, cx: &Context) -> Result<(), Error> {
    let held = held(store, job)?;
    store.job_update(&held.done(cx.now))?;
    schedule_next(store, job.kind(), cx)
}

/// Records that the attempt failed: the job waits for the next one, or is dead. Answers the job as it is now.
/// A repeating kind that is dead is scheduled again, for its next regular run.
///
/// # Errors
/// [`Error::LeaseLost`] when the lease has ended, or a failure of the storage.
pub fn fail(store: &mut dyn Store, job: &Job, failure: &Failure, cx: &Context) -> Result<Job, Error> {
    let failed = held(store, job)?.failed(failure, cx.now, u64::from_le_bytes(cx.random()));
    store.job_update(&failed)?;
    if failed.stored().finished_at.is_some() {
        schedule_next(store, job.kind(), cx)?;
    }
    Ok(failed)
}

/// Gives a leased job back untouched, when its worker stops in an orderly way.
///
/// # Errors
/// [`Error::LeaseLost`] when the lease has ended, or a failure of the storage.
pub fn release(store: &mut dyn Store, job: &Job, cx: &Context) -> Result<(), Error> {
    let held = held(store, job)?;
    Ok(store.job_update(&held.returned(cx.now))?)
}

/// Puts jobs back whose worker vanished, at most [`BATCH_MAX`] at once; answers how many.
///
/// # Errors
/// When the storage fails.
pub fn release_expired(store: &mut dyn Store, cx: &Context) -> Result<u32, Error> {
    abandon(store, cx.now, cx)
}

/// Puts every leased job back, whoever holds it. Only for a start that knows that no other worker lives: the
/// one process that holds the lock of an SQLite file.
///
/// # Errors
/// When the storage fails.
pub fn release_held(store: &mut dyn Store, cx: &Context) -> Result<u32, Error> {
    let end_of_every_lease = cx.now.plus_seconds(100 * 365 * 86_400);
    let mut released = 0;
    loop {
        let batch = abandon(store, end_of_every_lease, cx)?;
        released += batch;
        if batch < BATCH_MAX {
            return Ok(released);
        }
    }
}

/// Runs a dead job again, now and with all its attempts.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotRetryable`] for one that is not dead, or a failure of the storage.
pub fn retry(store: &mut dyn Store, id: JobId, cx: &Context) -> Result<Job, Error> {
    let job = store.job_by_id_for_update(id)?.ok_or(Error::NotFound)?.replayed(cx.now)?;
    store.job_update(&job)?;
    Ok(job)
}

/// Deletes finished jobs that are older than [`KEEP_DONE_SECONDS`], up to 1,000 at once; answers how many. Dead
/// ones stay until a person has looked.
///
/// # Errors
/// When the storage fails.
pub fn prune(store: &mut dyn Store, cx: &Context) -> Result<u32, Error> {
    Ok(store.jobs_delete_done(cx.now.plus_seconds(-KEEP_DONE_SECONDS), 1_000)?)
}

fn held(store: &mut dyn Store, job: &Job) -> Result<Job, Error> {
    store.job_by_id_for_update(job.id())?.filter(|stored| stored.same_lease(job)).ok_or(Error::LeaseLost)
}

fn abandon(store: &mut dyn Store, ended: Timestamp, cx: &Context) -> Result<u32, Error> {
    let mut released = 0;
    for job in store.jobs_expired_for_update(ended, BATCH_MAX)? {
        let job = job.abandoned(cx.now);
        store.job_update(&job)?;
        if job.stored().finished_at.is_some() {
            schedule_next(store, job.kind(), cx)?;
        }
        released += 1;
    }
    Ok(released)
}
