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
    let step = NewInteraction::summary_viewed(customer, session);
    let seen = {
        let (kind, step_of) = (step.kind, step.session);
        pitlane
            .db
            .read(move |tx| Ok::<_, Error>(crm::Store::interaction_exists(tx, customer, kind, step_of)?))
            .await?
    };
    if seen {
        return Ok(());
    }
    let cx = pitlane.context();
    pitlane.db.write(move |tx| journey::record(tx, step.clone(), &cx)).await
}
