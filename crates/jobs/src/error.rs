//! What can go wrong with a job.

use kernel::StoreError;

use crate::job::JobStatus;

/// Why an operation on the queue had no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such job.
    #[error("there is no such job")]
    NotFound,
    /// The lease ended and somebody else may be doing the work; the result of this run must not be recorded.
    #[error("the lease on this job has ended")]
    LeaseLost,
    /// Only a dead job can be run again: every other one runs by itself or is done.
    #[error("a job that is {} can't be run again", .0.as_str())]
    NotRetryable(JobStatus),
    /// A payload or a key beyond its limit. A defect of the caller.
    #[error("a job's {field} holds at most {limit} bytes")]
    TooLong {
        /// Which part is too long.
        field: &'static str,
        /// Its limit in bytes.
        limit: usize,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
