//! Sends money back.

use jobs::{Failure, Job};
use kernel::id::RefundId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::refund_payment::{Carried, refund_payment};

#[derive(Deserialize)]
struct Payload {
    refund_id: RefundId,
}

/// Carries out the refund of this job.
///
/// # Errors
/// When the provider can't be reached, or refuses, which a person must look at.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { refund_id } = payload(job)?;
    match refund_payment(pitlane, refund_id).await.map_err(later)? {
        Carried::Done | Carried::InHand => Ok(()),
        Carried::Refused => Err(Failure::Never("the payment provider refuses the refund".to_owned())),
    }
}
