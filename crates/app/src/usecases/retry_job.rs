//! An admin has a job that was given up done again.

use accounts::NewAuditEntry;
use accounts::audit;
use jobs::Job;
use kernel::Actor;
use kernel::id::JobId;

use super::Error;
use crate::state::Pitlane;

/// Puts a dead job back into the queue, due now and with all its attempts, and writes down who asked for it.
///
/// # Errors
/// Those of [`jobs::retry`], or a failure of the storage.
pub async fn retry_job(pitlane: &Pitlane, id: JobId, admin: Actor, address: String) -> Result<Job, Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let job = jobs::retry(tx, id, &cx)?;
            let entry = NewAuditEntry::new(admin, "job.retry", "job", id)
                .with("kind", job.kind())
                .from_address(Some(&address));
            audit::record(tx, entry, &cx)?;
            Ok(job)
        })
        .await
}
