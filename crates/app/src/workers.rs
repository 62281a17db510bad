//! What runs without a request: jobs.
//!
//! | module | runs |
//! |---|---|
//! | [`jobs`] | the loop that leases due jobs, runs several at once and writes down what became of them |
//! | [`attendance`] | writes down who is in which room |
//! | one file a kind | the work itself; it may run twice, so each kind is safe to repeat by its own keys |
//!
//! To add a kind: a variant of `jobs::JobKind`, a file here, a line in [`jobs::run`](jobs).

pub mod attendance;
pub mod expire_order;
pub mod expire_request;
pub mod follow_up_notice;
pub mod forget_payer;
pub mod jobs;
pub mod mail;
pub mod mail_batch;
pub mod monitor;
pub mod no_show;
pub mod prune;
pub mod reconcile;
pub mod refund;
pub mod retain;
pub mod sms;
pub mod start_nudge;
pub mod sweep_files;
pub mod time_limit;

pub use jobs::{Carriers, Workers};

use ::jobs::{Failure, Job};
use serde::de::DeserializeOwned;

use crate::usecases::Error;

/// What a job is about, from its payload.
fn payload<T: DeserializeOwned>(job: &Job) -> Result<T, Failure> {
    serde_json::from_str(job.payload())
        .map_err(|error| Failure::Never(format!("the payload can't be read: {error}")))
}

// Most failures pass; those that don't are given up after the kind's attempts.
fn later(error: Error) -> Failure {
    Failure::Later(error.to_string())
}
