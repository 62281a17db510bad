//! Looks for what is overdue or has gone wrong.

use jobs::Failure;

use super::later;
use crate::state::Pitlane;
use crate::usecases::monitor::{Looked, monitor};

/// Does what is due by now.
///
/// # Errors
/// When the storage fails; to be tried again.
pub async fn run(pitlane: &Pitlane) -> Result<(), Failure> {
    let Looked { nudged, alerted, ended } = monitor(pitlane).await.map_err(later)?;
    tracing::debug!(nudged, alerted, ended, "looked after sessions");
    Ok(())
}
