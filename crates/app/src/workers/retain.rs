//! Deletes what was kept as long as it has to be (G-09).

use jobs::Failure;

use super::later;
use crate::state::Pitlane;
use crate::usecases::retain;

/// Everything whose time is over, in small transactions.
///
/// # Errors
/// When the storage fails; to be tried again.
pub async fn run(pitlane: &Pitlane) -> Result<(), Failure> {
    let done = retain::retain(pitlane).await.map_err(later)?;
    if done != retain::Done::default() {
        tracing::info!(
            sessions = done.sessions,
            applications = done.applications,
            intakes = done.intakes,
            orders = done.orders,
            "kept long enough"
        );
    }
    Ok(())
}
