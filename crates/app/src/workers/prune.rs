//! Deletes what has outlived its use: finished jobs, old messages of the mailbox, alerts whose cause is long gone, and the accounts' expired links,
//! sign-ins, attempts and keys.

use jobs::Failure;

use crate::state::Pitlane;
use crate::usecases::Error;

/// Deletes up to the limits of each; the next run takes the rest.
///
/// # Errors
/// When the storage fails; to be tried again.
pub async fn run(pitlane: &Pitlane) -> Result<(), Failure> {
    let cx = pitlane.context();
    let deleted = pitlane
        .db
        .write(move |tx| {
            let jobs = jobs::prune(tx, &cx)?;
            let messages = notifications::prune_mailbox(tx, &cx)?;
            notifications::alert::prune(tx, &cx)?;
            let expired = accounts::store::RecordStore::expired_sweep(tx, cx.now)?;
            Ok::<_, Error>((jobs, messages, expired))
        })
        .await
        .map_err(super::later)?;
    tracing::debug!(jobs = deleted.0, messages = deleted.1, expired = deleted.2, "pruned");
    Ok(())
}
