//! A session's mechanic begins.

use crm::NewInteraction;
use kernel::Context;
use kernel::id::{SessionId, UserId};
use sessions::{Status, Step};
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::{Error, journey, personal, time_limit};

/// Starts the session; its time runs from now.
///
/// # Errors
/// Those of [`sessions::start`]; the storage's.
pub async fn start_session(pitlane: &Pitlane, by: UserId, session: SessionId) -> Result<Step, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| start(tx, by, session, &cx)).await
}

fn start(tx: &mut Tx<'_>, by: UserId, session: SessionId, cx: &Context) -> Result<Step, Error> {
    let step = sessions::start(tx, session, by, cx)?;
    if step.before == Status::Requested {
        // The mechanic was put in by hand, so nobody has closed the request.
        if let Some(closed) = dispatch::assign(tx, session, by, cx)? {
            personal::request_withdrawn(tx, &closed.request, &closed.withdrawn, cx);
        }
    }
    let customer = step.session.customer();
    journey::record(tx, NewInteraction::session_started(customer, session, by, step.before.as_str()), cx)?;
    time_limit::arm(tx, &step.session, cx)?;
    personal::session_changed(tx, &step.session, cx)?;
    Ok(step)
}
