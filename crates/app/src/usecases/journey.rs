//! Recording the customer's journey beside what really matters.

use crm::NewInteraction;
use kernel::{Context, StoreError};
use store::Tx;

use crate::usecases::Error;

/// Writes a step down, inside the transaction that takes it and under a savepoint. A step that can't be written is
/// logged and forgotten: it must never keep a person from what they came for.
///
/// # Errors
/// Only what ends the whole transaction anyway: the storage is gone, or it must be run again.
pub fn record(tx: &mut Tx<'_>, step: NewInteraction, cx: &Context) -> Result<(), Error> {
    let kind = step.kind;
    match tx.savepoint(|inner| crm::record(inner, step, cx)) {
        Ok(_) => Ok(()),
        Err(error @ (StoreError::Retry(_) | StoreError::Unavailable(_))) => Err(error.into()),
        Err(error @ (StoreError::Constraint(_) | StoreError::Corrupt(_))) => {
            tracing::error!(%kind, %error, "a step of a customer's journey could not be recorded");
            Ok(())
        }
    }
}
