//! A mechanic takes a request.

use kernel::id::{RequestId, SessionId, UserId};
use kernel::{Context, StoreError};
use notifications::Milestone;
use serde_json::json;
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, no_show, personal, start_nudge};

/// Gives the request's session to this mechanic. Of any number of mechanics exactly one wins; the winner may ask again.
///
/// # Errors
/// [`dispatch::Error`]: not theirs to take, taken, or closed; the storage's.
pub async fn accept_request(
    pitlane: &Pitlane,
    mechanic: UserId,
    request: RequestId,
) -> Result<SessionId, Error> {
    let (cx, nudge) = (pitlane.context(), pitlane.settings.sessions.start_nudge_seconds);
    pitlane.db.write(move |tx| accept(tx, mechanic, request, nudge, &cx)).await
}

fn accept(
    tx: &mut Tx<'_>,
    mechanic: UserId,
    request: RequestId,
    nudge_seconds: u32,
    cx: &Context,
) -> Result<SessionId, Error> {
    let found = dispatch::Store::request_by_id(tx, request)?.ok_or(dispatch::Error::NotFound)?;
    // The session is locked before its request, here as when it is cancelled or assigned.
    sessions::Store::session_for_update(tx, found.session)?;
    let accepted = dispatch::accept(tx, request, mechanic, cx)?;
    let session = accepted.request.session;
    if !accepted.fresh {
        return Ok(session);
    }
    let step = sessions::accept(tx, session, mechanic, cx)?;
    no_show::watch(tx, &step.session, cx)?;
    start_nudge::arm(tx, &step.session, nudge_seconds, cx)?;
    personal::request_withdrawn(tx, &accepted.request, &accepted.withdrawn, cx);
    tell_customer(tx, &accepted.request, mechanic, cx)?;
    Ok(session)
}

/// Tells a customer, by mail and on their channel, who is going to help.
///
/// # Errors
/// The storage's.
pub fn tell_customer(
    tx: &mut Tx<'_>,
    request: &dispatch::Request,
    mechanic: UserId,
    cx: &Context,
) -> Result<(), Error> {
    let helper = accounts::UserStore::user_by_id(tx, mechanic)?
        .ok_or_else(|| StoreError::corrupt("mechanics", "the account is gone"))?;
    let fields = json!({
        "request_id": request.id,
        "session_id": request.session,
        "mechanic_id": mechanic,
        "mechanic_name": helper.name(),
    });
    personal::tell(tx, request.customer, Side::Customer, "request_accepted", fields, cx);
    mail::enqueue(tx, Milestone::MechanicAssigned, request.customer, About::Session(request.session), cx)?;
    Ok(())
}
