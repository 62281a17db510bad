//! What the queue needs from a database.

use kernel::id::JobId;
use kernel::{StoreError, Timestamp};

use crate::job::{Job, JobStatus};
use crate::kind::JobKind;

/// How many jobs are in each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting, in all.
    pub queued: u64,
    /// Waiting, and their time has come.
    pub due: u64,
    /// Leased.
    pub running: u64,
    /// Given up.
    pub dead: u64,
}

/// The jobs, inside one transaction. Methods that lock skip what another transaction holds: two workers never
/// see the same job.
pub trait Store {
    /// Adds a job; `false` when one with its dedupe key exists.
    ///
    /// # Errors
    /// When the storage fails.
    fn job_insert(&mut self, job: &Job) -> Result<bool, StoreError>;

    /// Writes every field of a job that exists.
    ///
    /// # Errors
    /// When the storage fails.
    fn job_update(&mut self, job: &Job) -> Result<(), StoreError>;

    /// One job.
    ///
    /// # Errors
    /// When the storage fails.
    fn job_by_id(&mut self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// One job, locked until the end of the transaction.
    ///
    /// # Errors
    /// When the storage fails.
    fn job_by_id_for_update(&mut self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// Locks and answers queued jobs whose time has come, the longest waiting first.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_due_for_update(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError>;

    /// The same for jobs of one kind.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_due_of_kind_for_update(
        &mut self,
        kind: JobKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError>;

    /// Locks and answers running jobs whose lease ended at or before `now`.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_expired_for_update(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError>;

    /// The earliest instant at which a job is due or a lease ends; `None` when nothing waits or runs.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_next_instant(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// Jobs in that status, or in any, newest first, before that id.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_newest(
        &mut self,
        status: Option<JobStatus>,
        before: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError>;

    /// How many jobs are in each status.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_count(&mut self, now: Timestamp) -> Result<Counts, StoreError>;

    /// Deletes up to `limit` jobs that were done before that instant; answers how many.
    ///
    /// # Errors
    /// When the storage fails.
    fn jobs_delete_done(&mut self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;
}
