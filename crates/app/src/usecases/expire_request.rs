//! Nobody accepted in time: the session expires and the money goes back by itself (C21).

use jobs::{JobKind, NewJob};
use kernel::id::SessionId;
use kernel::{BasisPoints, Context, PlanCode, Timestamp};
use notifications::Milestone;
use payments::RefundReason;
use serde_json::json;
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::give_back::give_back;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, personal};

/// Schedules [`expire_request`] for the moment after which nobody is waited for any more. Once per session.
///
/// # Errors
/// The storage's.
pub fn schedule(tx: &mut Tx<'_>, session: SessionId, at: Timestamp, cx: &Context) -> Result<(), Error> {
    let job = NewJob {
        kind: JobKind::ExpireRequest,
        payload: json!({ "session_id": session }).to_string(),
        run_at: at,
        dedupe_key: Some(format!("expire_request:{session}")),
    };
    jobs::schedule(tx, job, cx)?;
    Ok(())
}

/// Gives the session's request up unless somebody accepted it; then the session expires and its whole price goes back.
/// Answers whether it was given up. May run any number of times.
///
/// # Errors
/// The storage's.
pub async fn expire_request(pitlane: &Pitlane, session: SessionId) -> Result<bool, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| expire(tx, session, &cx)).await
}

fn expire(tx: &mut Tx<'_>, session: SessionId, cx: &Context) -> Result<bool, Error> {
    // The session first, as everywhere, so that an accept at the same instant waits for this or is seen here.
    if sessions::Store::session_for_update(tx, session)?.is_none() {
        return Ok(false);
    }
    let Some(closed) = dispatch::expire(tx, session, cx)? else { return Ok(false) };
    personal::request_withdrawn(tx, &closed.request, &closed.withdrawn, cx);
    let step = sessions::expire(tx, session, cx)?;
    let money_goes_back = give_back(tx, &step.session, BasisPoints::ONE, RefundReason::Unaccepted, cx)?;
    let free = step.session.parts().plan == PlanCode::Free;
    let message = if free {
        "No mechanic took your request in time. Your free session is still yours."
    } else {
        "No mechanic took your request in time. What you paid goes back to your card."
    };
    personal::notification(
        tx,
        step.session.customer(),
        Side::Customer,
        "Nobody was free",
        message,
        "Try again",
        "/dashboard",
        cx,
    );
    // Where money goes back, the mail about it tells why.
    if !money_goes_back {
        let customer = step.session.customer();
        mail::enqueue(tx, Milestone::SessionCancelled, customer, About::Session(session), cx)?;
    }
    Ok(true)
}
