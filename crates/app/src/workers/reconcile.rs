//! Asks the payment provider about everything whose outcome is not known.

use jobs::Failure;

use super::later;
use crate::state::Pitlane;
use crate::usecases::reconcile_payments::reconcile_payments;

/// One comparison. What could not be settled is looked at again in the next.
///
/// # Errors
/// When the provider's list or the storage can't be read.
pub async fn run(pitlane: &Pitlane) -> Result<(), Failure> {
    let done = reconcile_payments(pitlane).await.map_err(later)?;
    if done.missed_events + done.failures > 0 {
        tracing::warn!(?done, "reconciled");
    }
    Ok(())
}
