//! Closes an order that was not paid in time.

use jobs::{Failure, Job};
use kernel::id::OrderId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::expire_order::expire_order;

#[derive(Deserialize)]
struct Payload {
    order_id: OrderId,
}

/// Closes the order of this job unless it was paid.
///
/// # Errors
/// When the provider can't say how the order stands, or the storage fails.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { order_id } = payload(job)?;
    expire_order(pitlane, order_id).await.map_err(later)
}
