//! Warns before the end of a session's time, and ends the session at it.

use jobs::{Failure, Job};
use kernel::id::SessionId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::time_limit;

#[derive(Deserialize)]
struct Payload {
    session_id: SessionId,
}

/// Looks at the time of this job's session.
///
/// # Errors
/// The storage fails.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { session_id } = payload(job)?;
    time_limit::look(pitlane, session_id).await.map_err(later)
}
