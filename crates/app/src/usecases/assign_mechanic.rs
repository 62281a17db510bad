//! An admin gives a session to a mechanic by hand.

use accounts::audit::{self, NewAuditEntry};
use kernel::id::{SessionId, UserId};
use kernel::{Actor, Context, Role};
use sessions::Step;
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::{Error, accept_request, no_show, personal, start_nudge};

/// Puts the mechanic into the session, in place of the one it had, and closes its request. Both sides are told, and the
/// audit log has it.
///
/// # Errors
/// [`sessions::Error::NotFound`] and the others of [`sessions::assign`]; [`Error::UnknownMechanic`] for who can't be
/// assigned; the storage's.
pub async fn assign_mechanic(
    pitlane: &Pitlane,
    admin: UserId,
    session: SessionId,
    mechanic: UserId,
) -> Result<Step, Error> {
    let (cx, nudge) = (pitlane.context(), pitlane.settings.sessions.start_nudge_seconds);
    pitlane.db.write(move |tx| assign(tx, admin, session, mechanic, nudge, &cx)).await
}

fn assign(
    tx: &mut Tx<'_>,
    admin: UserId,
    session: SessionId,
    mechanic: UserId,
    nudge_seconds: u32,
    cx: &Context,
) -> Result<Step, Error> {
    sessions::Store::session_for_update(tx, session)?.ok_or(sessions::Error::NotFound)?;
    let closed = dispatch::assign(tx, session, mechanic, cx).map_err(|error| match error {
        dispatch::Error::NotFound | dispatch::Error::NotApproved => Error::UnknownMechanic,
        dispatch::Error::AlreadyTaken | dispatch::Error::Closed | dispatch::Error::Store(_) => error.into(),
    })?;
    let step = sessions::assign(tx, session, mechanic, admin, cx)?;
    if step.events.is_empty() {
        return Ok(step);
    }
    no_show::watch(tx, &step.session, cx)?;
    start_nudge::arm(tx, &step.session, nudge_seconds, cx)?;
    let actor = Actor::Person { id: admin, role: Role::Admin };
    let entry = NewAuditEntry::new(actor, "session.assign", "session", session).with("mechanic_id", mechanic);
    audit::record(tx, entry, cx)?;
    if let Some(closed) = &closed {
        personal::request_withdrawn(tx, &closed.request, &closed.withdrawn, cx);
    }
    if let Some(request) = dispatch::Store::request_by_session(tx, session)? {
        accept_request::tell_customer(tx, &request, mechanic, cx)?;
    }
    personal::notification(
        tx,
        mechanic,
        Side::Mechanic,
        "A session was given to you",
        "Somebody is waiting for you.",
        "Open the session",
        &format!("/chat/{session}"),
        cx,
    );
    Ok(step)
}
