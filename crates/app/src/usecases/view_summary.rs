//! A customer opens what came of a session.

use crm::NewInteraction;
use kernel::id::{SessionId, UserId};

use crate::state::Pitlane;
use crate::usecases::{Error, journey};

/// Notes that the customer has opened the summary, the first time. A page that reads itself again is no second view.
///
/// # Errors
/// The storage's, when it is gone.
pub async fn note_view(pitlane: &Pitlane, customer: UserId, session: SessionId) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let step = NewInteraction::summary_viewed(customer, session);
            if crm::Store::interaction_exists(tx, customer, step.kind, step.session)? {
                return Ok(());
            }
            journey::record(tx, step, &cx)
        })
        .await
}
