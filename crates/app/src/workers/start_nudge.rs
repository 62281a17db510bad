//! Asks the mechanic of an accepted session to begin.

use jobs::{Failure, Job};
use kernel::id::SessionId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::start_nudge;

#[derive(Deserialize)]
struct Payload {
    session_id: SessionId,
}

/// Looks whether the mechanic of this job's session has to be asked.
///
/// # Errors
/// The storage fails.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { session_id } = payload(job)?;
    start_nudge::look(pitlane, session_id).await.map(drop).map_err(later)
}
