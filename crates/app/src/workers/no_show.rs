//! Calls an accepted session off when one side did not come.

use jobs::{Failure, Job};
use kernel::id::SessionId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::no_show;

#[derive(Deserialize)]
struct Payload {
    session_id: SessionId,
}

/// Judges whether somebody is missing in this job's session.
///
/// # Errors
/// The storage fails.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { session_id } = payload(job)?;
    no_show::look(pitlane, session_id).await.map_err(later)
}
