//! Gives up a request that nobody accepted in time.

use jobs::{Failure, Job};
use kernel::id::SessionId;
use serde::Deserialize;

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::expire_request::expire_request;

#[derive(Deserialize)]
struct Payload {
    session_id: SessionId,
}

/// Gives the request of this job's session up unless it was accepted.
///
/// # Errors
/// The storage fails.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let Payload { session_id } = payload(job)?;
    expire_request(pitlane, session_id).await.map(drop).map_err(later)
}
