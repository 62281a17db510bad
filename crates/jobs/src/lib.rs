//! Background work: what is to be done, when, by whom, and how often it is tried.
//!
//! One table is outbox and timer in one. A job is scheduled in the transaction that causes it, so it exists exactly
//! when its cause does, and every timer of the product is such a row: nothing waits in memory.
//!
//! | module | holds |
//! |---|---|
//! | [`kind`] | [`JobKind`]: every kind of work, its attempts and its back-off |
//! | [`job`] | [`Job`]: one unit of work and its states |
//! | [`queue`] | scheduling, leasing, finishing and replaying |
//! | [`store`] | [`Store`]: what the queue needs from a database |
//! | [`error`] | [`Error`]: what can go wrong |
//!
//! It owns job kinds, leases, back-off, dead-letter rules and dedupe keys.
//!
//! It must never know what a job does: the payload is text that only the worker of that kind reads.
//!
//! | limit | value |
//! |---|---|
//! | payload | [`job::PAYLOAD_MAX_BYTES`] |
//! | dedupe key | [`job::DEDUPE_KEY_MAX_BYTES`] |
//! | stored reason of a failure | [`job::REASON_MAX_CHARS`] |
//! | jobs leased or released at once | [`queue::BATCH_MAX`] |
//! | lease | [`queue::LEASE_SECONDS`], renewed while the work goes on |
//! | finished jobs are kept | [`queue::KEEP_DONE_SECONDS`] |

pub mod error;
pub mod job;
pub mod kind;
pub mod queue;
pub mod store;

pub use error::Error;
pub use job::{Failure, Job, JobStatus, NewJob, StoredJob};
pub use kind::JobKind;
pub use queue::{
    complete, due, fail, hand_over, lease, prune, release, release_expired, release_held, renew, retry,
    schedule, schedule_next,
};
pub use store::{Counts, Store};
