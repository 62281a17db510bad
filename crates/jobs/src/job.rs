//! One unit of work.

use kernel::id::JobId;
use kernel::{StoreError, Timestamp};

use crate::error::Error;
use crate::kind::JobKind;

/// The longest payload, in bytes.
pub const PAYLOAD_MAX_BYTES: usize = 16 * 1024;
/// The longest dedupe key, in bytes.
pub const DEDUPE_KEY_MAX_BYTES: usize = 200;
/// The longest stored reason of a failure, in characters; longer ones are cut.
pub const REASON_MAX_CHARS: usize = 1_000;

/// Work to be scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What is to be done.
    pub kind: JobKind,
    /// JSON that the worker of that kind reads.
    pub payload: String,
    /// The earliest instant at which it is done.
    pub run_at: Timestamp,
    /// When given, at most one job with this key ever exists (until it is pruned).
    pub dedupe_key: Option<String>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// Waits for its time, for the first or another attempt.
    Queued,
    /// Leased to a worker.
    Running,
    /// Done.
    Done,
    /// Given up; a person must look and may replay it.
    Dead,
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Done, Self::Dead];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Why a run did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may work later.
    Later(String),
    /// It will never work; trying again would be noise.
    Never(String),
}

impl Failure {
    /// What is written down.
    pub fn reason(&self) -> &str {
        match self {
            Self::Later(reason) | Self::Never(reason) => reason,
        }
    }
}

/// The fields of a job as they are stored. [`Job::restore`] checks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// JSON that the worker of that kind reads.
    pub payload: String,
    /// The earliest instant of the next attempt.
    pub run_at: Timestamp,
    /// The key that keeps it from being scheduled twice.
    pub dedupe_key: Option<String>,
    /// Where it stands.
    pub status: JobStatus,
    /// Attempts begun since it was scheduled or replayed.
    pub attempts: u32,
    /// Who works on it, while it is running.
    pub lease_owner: Option<String>,
    /// Until when, while it is running.
    pub lease_until: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was scheduled.
    pub created_at: Timestamp,
    /// When it was done or given up.
    pub finished_at: Option<Timestamp>,
}

/// A unit of background work. Running jobs, and only they, have a lease; done and dead ones, and only they, have
/// an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job(StoredJob);

impl Job {
    /// A job that waits for its time.
    ///
    /// # Errors
    /// A payload or a key beyond its limit.
    pub fn new(id: JobId, new: NewJob, now: Timestamp) -> Result<Self, Error> {
        if new.payload.len() > PAYLOAD_MAX_BYTES {
            return Err(Error::TooLong { field: "payload", limit: PAYLOAD_MAX_BYTES });
        }
        if new.dedupe_key.as_ref().is_some_and(|key| key.len() > DEDUPE_KEY_MAX_BYTES) {
            return Err(Error::TooLong { field: "dedupe key", limit: DEDUPE_KEY_MAX_BYTES });
        }
        Ok(Self(StoredJob {
            id,
            kind: new.kind,
            payload: new.payload,
            run_at: new.run_at,
            dedupe_key: new.dedupe_key,
            status: JobStatus::Queued,
            attempts: 0,
            lease_owner: None,
            lease_until: None,
            last_error: None,
            created_at: now,
            finished_at: None,
        }))
    }

    /// A job as it was stored.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the lease or the end does not fit the status.
    pub fn restore(stored: StoredJob) -> Result<Self, StoreError> {
        let leased = stored.lease_owner.is_some() && stored.lease_until.is_some();
        let unleased = stored.lease_owner.is_none() && stored.lease_until.is_none();
        let fits = match stored.status {
            JobStatus::Running => leased && stored.finished_at.is_none(),
            JobStatus::Queued => unleased && stored.finished_at.is_none(),
            JobStatus::Done | JobStatus::Dead => unleased && stored.finished_at.is_some(),
        };
        if fits {
            Ok(Self(stored))
        } else {
            Err(StoreError::corrupt("job", "lease or end does not fit the status"))
        }
    }

    /// The fields, to be stored or shown.
    pub const fn stored(&self) -> &StoredJob {
        &self.0
    }

    /// Its id.
    pub const fn id(&self) -> JobId {
        self.0.id
    }

    /// What is to be done.
    pub const fn kind(&self) -> JobKind {
        self.0.kind
    }

    /// JSON that the worker of that kind reads.
    pub fn payload(&self) -> &str {
        &self.0.payload
    }

    /// Where it stands.
    pub const fn status(&self) -> JobStatus {
        self.0.status
    }

    /// Attempts begun since it was scheduled or replayed, the running one included.
    pub const fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether no attempt is left after this one.
    pub const fn is_last_attempt(&self) -> bool {
        self.0.attempts >= self.0.kind.patience().max_attempts
    }

    /// Whether this is the same lease: the same owner in the same attempt.
    pub(crate) fn same_lease(&self, other: &Self) -> bool {
        self.0.status == JobStatus::Running
            && self.0.attempts == other.0.attempts
            && self.0.lease_owner == other.0.lease_owner
    }

    pub(crate) fn leased(mut self, owner: &str, until: Timestamp) -> Self {
        self.0.status = JobStatus::Running;
        self.0.attempts = self.0.attempts.saturating_add(1);
        self.0.lease_owner = Some(owner.to_owned());
        self.0.lease_until = Some(until);
        self
    }

    pub(crate) fn renewed(mut self, until: Timestamp) -> Self {
        self.0.lease_until = Some(until);
        self
    }

    pub(crate) fn done(mut self, now: Timestamp) -> Self {
        self.end(JobStatus::Done, now);
        self
    }

    /// After a failed attempt: waits for the next one, or is dead.
    pub(crate) fn failed(mut self, failure: &Failure, now: Timestamp, random: u64) -> Self {
        self.0.last_error = Some(failure.reason().chars().take(REASON_MAX_CHARS).collect());
        let again = match failure {
            Failure::Later(_) => !self.is_last_attempt(),
            Failure::Never(_) => false,
        };
        if again {
            let wait = self.0.kind.patience().wait_millis(self.0.attempts, random);
            self.queue(now.plus_millis(wait));
        } else {
            self.end(JobStatus::Dead, now);
        }
        self
    }

    /// Given back untouched: the attempt does not count.
    pub(crate) fn returned(mut self, now: Timestamp) -> Self {
        self.0.attempts = self.0.attempts.saturating_sub(1);
        self.queue_again(now);
        self
    }

    /// The worker vanished. The attempt counts, so that work which kills its worker is given up one day; there is
    /// no wait, because most often the process was just restarted.
    pub(crate) fn abandoned(mut self, now: Timestamp) -> Self {
        self.0.last_error = Some("the worker stopped before it reported a result".to_owned());
        if self.is_last_attempt() {
            self.end(JobStatus::Dead, now);
        } else {
            self.queue_again(now);
        }
        self
    }

    pub(crate) fn replayed(mut self, now: Timestamp) -> Result<Self, Error> {
        match self.0.status {
            JobStatus::Dead => {
                self.0.attempts = 0;
                self.queue(now);
                Ok(self)
            }
            JobStatus::Queued | JobStatus::Running | JobStatus::Done => {
                Err(Error::NotRetryable(self.0.status))
            }
        }
    }

    // Never before its own instant, though the clock here may be behind the one that leased it: work that looks what is
    // due by now would find nothing to do and be done.
    fn queue_again(&mut self, now: Timestamp) {
        self.queue(now.max(self.0.run_at));
    }

    fn queue(&mut self, run_at: Timestamp) {
        self.0.status = JobStatus::Queued;
        self.0.run_at = run_at;
        self.0.lease_owner = None;
        self.0.lease_until = None;
        self.0.finished_at = None;
    }

    fn end(&mut self, status: JobStatus, now: Timestamp) {
        self.0.status = status;
        self.0.lease_owner = None;
        self.0.lease_until = None;
        self.0.finished_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus_seconds(seconds)
    }

    fn queued(kind: JobKind) -> Job {
        let new = NewJob { kind, payload: "{}".to_owned(), run_at: at(10), dedupe_key: None };
        Job::new(JobId::new(uuid::Uuid::nil()), new, at(0)).expect("within the limits")
    }

    #[test]
    fn a_job_is_dead_after_its_last_attempt_and_not_before() {
        for kind in JobKind::ALL {
            let mut job = queued(kind);
            let max = kind.patience().max_attempts;
            for attempt in 1..=max {
                job = job.leased("worker", at(60));
                assert_eq!(job.attempts(), attempt);
                job = job.failed(&Failure::Later("no answer".to_owned()), at(20), 0);
                let expected = if attempt < max { JobStatus::Queued } else { JobStatus::Dead };
                assert_eq!(job.status(), expected, "{kind} after {attempt}");
                assert!(job.stored().run_at > at(20) || attempt == max, "{kind} waits after {attempt}");
            }
            assert_eq!(job.stored().last_error.as_deref(), Some("no answer"));
        }
    }

    #[test]
    fn what_can_never_work_is_given_up_at_once() {
        let job = queued(JobKind::Mail).leased("worker", at(60));
        let job = job.failed(&Failure::Never("no such address".to_owned()), at(20), 0);
        assert_eq!(job.status(), JobStatus::Dead);
        assert_eq!(job.stored().finished_at, Some(at(20)));
    }

    #[test]
    fn a_vanished_worker_costs_an_attempt_and_a_returned_job_does_not() {
        let leased = queued(JobKind::Prune).leased("worker", at(60));
        assert_eq!(leased.clone().returned(at(20)).attempts(), 0);
        let mut job = leased.abandoned(at(20));
        assert_eq!((job.attempts(), job.status(), job.stored().run_at), (1, JobStatus::Queued, at(20)));
        while job.status() == JobStatus::Queued {
            job = job.leased("worker", at(60)).abandoned(at(20));
        }
        assert_eq!((job.attempts(), job.status()), (JobKind::Prune.patience().max_attempts, JobStatus::Dead));
    }

    #[test]
    fn what_goes_back_to_the_queue_does_not_run_before_its_instant_on_a_clock_that_is_behind() {
        let leased = queued(JobKind::TimeLimit).leased("worker", at(60));
        for (now, run_at) in [(at(5), at(10)), (at(20), at(20))] {
            assert_eq!(leased.clone().abandoned(now).stored().run_at, run_at);
            assert_eq!(leased.clone().returned(now).stored().run_at, run_at);
        }
    }

    #[test]
    fn only_what_is_dead_runs_again() {
        let dead =
            queued(JobKind::Mail).leased("w", at(60)).failed(&Failure::Never("no".to_owned()), at(20), 0);
        let again = dead.replayed(at(30)).expect("a dead job is replayed");
        assert_eq!((again.status(), again.attempts(), again.stored().run_at), (JobStatus::Queued, 0, at(30)));
        assert_eq!(again.clone().replayed(at(31)), Err(Error::NotRetryable(JobStatus::Queued)));
        let running = again.leased("w", at(90));
        assert_eq!(running.clone().replayed(at(31)), Err(Error::NotRetryable(JobStatus::Running)));
        assert_eq!(running.done(at(32)).replayed(at(33)), Err(Error::NotRetryable(JobStatus::Done)));
    }

    #[test]
    fn stored_fields_must_fit_the_status() {
        let good = queued(JobKind::Mail).leased("w", at(60)).stored().clone();
        assert!(Job::restore(good.clone()).is_ok());
        for broken in [
            StoredJob { lease_owner: None, ..good.clone() },
            StoredJob { status: JobStatus::Queued, ..good.clone() },
            StoredJob { status: JobStatus::Done, lease_owner: None, lease_until: None, ..good.clone() },
            StoredJob { finished_at: Some(at(1)), ..good },
        ] {
            assert!(matches!(Job::restore(broken), Err(StoreError::Corrupt(_))));
        }
    }

    #[test]
    fn limits_are_kept() {
        let new = |payload: usize, key: usize| NewJob {
            kind: JobKind::Mail,
            payload: "x".repeat(payload),
            run_at: at(0),
            dedupe_key: Some("k".repeat(key)),
        };
        let make = |new| Job::new(JobId::new(uuid::Uuid::nil()), new, at(0));
        assert!(make(new(PAYLOAD_MAX_BYTES, DEDUPE_KEY_MAX_BYTES)).is_ok());
        assert!(matches!(make(new(PAYLOAD_MAX_BYTES + 1, 1)), Err(Error::TooLong { field: "payload", .. })));
        assert!(matches!(
            make(new(1, DEDUPE_KEY_MAX_BYTES + 1)),
            Err(Error::TooLong { field: "dedupe key", .. })
        ));
        let failed =
            queued(JobKind::Mail).leased("w", at(60)).failed(&Failure::Later("é".repeat(5_000)), at(1), 0);
        assert_eq!(
            failed.stored().last_error.as_ref().map(|text| text.chars().count()),
            Some(REASON_MAX_CHARS)
        );
    }
}
