//! Tells on other channels what no open page of its person has shown.

use jobs::{Failure, Job};
use kernel::id::EventId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::unseen_notice::follow_up;

#[derive(Deserialize)]
struct Payload {
    event_id: EventId,
}

/// Follows up the notice of this job unless it was acknowledged.
///
/// # Errors
/// The storage fails.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { event_id } = payload(job)?;
    follow_up(pitlane, event_id).await.map_err(later)
}
