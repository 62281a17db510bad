//! A session is called off before it starts, and what is due goes back.

use accounts::audit::{self, NewAuditEntry};
use kernel::id::SessionId;
use kernel::{Actor, BasisPoints, Context, StoreError};
use payments::RefundReason;
use pricing::{Catalog, refund_share};
use sessions::{EndReason, ParticipantRole, Session, Status, Step};
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::give_back::give_back;
use crate::usecases::{Error, personal};

/// Cancels the session for its customer, its mechanic or an admin; withdraws its request; refunds by the tiers of the
/// session's own price book when the customer cancels, and everything when somebody else does.
///
/// # Errors
/// Those of [`sessions::cancel`]; the storage's.
pub async fn cancel_session(pitlane: &Pitlane, by: Actor, session: SessionId) -> Result<Step, Error> {
    let cx = pitlane.context();
    let catalog = std::sync::Arc::clone(&pitlane.catalog);
    pitlane.db.write(move |tx| cancel(tx, by, session, &catalog, &cx)).await
}

fn cancel(
    tx: &mut Tx<'_>,
    by: Actor,
    session: SessionId,
    catalog: &Catalog,
    cx: &Context,
) -> Result<Step, Error> {
    let step = sessions::cancel(tx, session, by, cx)?;
    if by.is_admin() {
        audit::record(tx, NewAuditEntry::new(by, "session.cancel", "session", session), cx)?;
    }
    if let Some(closed) = dispatch::withdraw(tx, session, cx)? {
        personal::request_withdrawn(tx, &closed.request, &closed.withdrawn, cx);
    }
    let reason = match step.session.end_reason() {
        Some(EndReason::Admin) => RefundReason::Admin,
        _ => RefundReason::Cancelled,
    };
    give_back(tx, &step.session, share(&step.session, step.before, catalog, cx)?, reason, cx)?;
    personal::session_changed(tx, &step.session, cx)?;
    tell(tx, &step, by, cx)?;
    Ok(step)
}

fn share(
    session: &Session,
    before: Status,
    catalog: &Catalog,
    cx: &Context,
) -> Result<BasisPoints, StoreError> {
    if session.end_reason() != Some(EndReason::Customer) {
        return Ok(BasisPoints::ONE);
    }
    let parts = session.parts();
    let book = catalog
        .book(&parts.price_book)
        .ok_or_else(|| StoreError::corrupt("sessions.price_book", &parts.price_book))?;
    // A booked session has its mechanic from the beginning; what counts there is the time that is left.
    let accepted = before != Status::Requested;
    let seconds_left = parts.scheduled_for.map_or(0, |at| at.seconds_since(cx.now));
    Ok(refund_share(book.cancellation(), accepted, seconds_left))
}

/// Tells the other side on their own channel; the log tells whoever has the room open.
fn tell(tx: &mut Tx<'_>, step: &Step, by: Actor, cx: &Context) -> Result<(), StoreError> {
    let session = step.session.id();
    for person in sessions::Store::participants(tx, session)? {
        let side = match person.role {
            ParticipantRole::Customer => Side::Customer,
            ParticipantRole::Mechanic => Side::Mechanic,
            ParticipantRole::Observer => continue,
        };
        if by.user() != Some(person.user) {
            let path = format!("/chat/{session}");
            let message = "It was called off before it started.";
            personal::notification(
                tx,
                person.user,
                side,
                "Session cancelled",
                message,
                "See the session",
                &path,
                cx,
            );
        }
    }
    Ok(())
}
