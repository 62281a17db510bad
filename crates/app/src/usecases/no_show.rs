//! One side of an accepted session does not come: it is called off, and what is due goes back (decision G-01).
//!
//! Who is in a room is written down as it changes ([`note`]). One durable job at a time judges each accepted session and
//! schedules its next look, so that a restart, a new mechanic or another time need nothing of their own.

use jobs::{JobKind, NewJob};
use kernel::id::{SessionId, UserId};
use kernel::{Context, StoreError, Timestamp};
use notifications::Milestone;
use payments::RefundReason;
use pricing::{Cancellation, Catalog};
use serde_json::json;
use sessions::{EndReason, Missing, ParticipantRole, Session, Status, Step, Verdict};
use store::Tx;
use store::notice::Side;

use crate::realtime::hub::Attended;
use crate::state::Pitlane;
use crate::usecases::earn_session::earn_session;
use crate::usecases::give_back::give_back;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, alert_support, personal};

/// Has an accepted session watched, now and from then on by itself. To be called in the transaction that accepts it,
/// gives it another mechanic or moves its time. Nothing happens for one that is not accepted.
///
/// # Errors
/// The storage's.
pub fn watch(tx: &mut Tx<'_>, session: &Session, cx: &Context) -> Result<(), Error> {
    if session.status() == Status::Accepted { schedule(tx, session.id(), cx.now, cx) } else { Ok(()) }
}

/// Watches every accepted session, at the start of the server. `alone` says that no other process has sockets: then
/// nobody is in a room.
///
/// # Errors
/// The storage's.
pub async fn watch_all(pitlane: &Pitlane, alone: bool) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            if alone {
                sessions::Store::participants_gone(tx, cx.now)?;
            }
            let accepted = store::views::session::with_status(tx, Status::Accepted)?;
            accepted.into_iter().try_for_each(|session| schedule(tx, session, cx.now, &cx))
        })
        .await
}

/// Writes down who came into a room and who left one, in this order.
///
/// # Errors
/// The storage's.
pub async fn note(pitlane: &Pitlane, changes: Vec<Attended>) -> Result<(), Error> {
    let (cx, changes) = (pitlane.context(), std::sync::Arc::new(changes));
    pitlane.db.write(move |tx| changes.iter().try_for_each(|change| noted(tx, change, &cx))).await
}

fn noted(tx: &mut Tx<'_>, change: &Attended, cx: &Context) -> Result<(), Error> {
    let at = cx.now.plus_seconds(-change.seconds_ago);
    if !sessions::Store::participant_attend(tx, change.session, change.user, change.present, at)? {
        return Ok(());
    }
    let Some(session) = sessions::Store::session_by_id(tx, change.session)? else { return Ok(()) };
    if session.status() == Status::InProgress && change.present {
        alert_support::settle_session(tx, session.id(), cx)?;
    }
    watch(tx, &session, cx)
}

/// Calls the session off if one side is missing by now; else schedules the next look. May run any number of times.
///
/// # Errors
/// The storage's.
pub async fn look(pitlane: &Pitlane, session: SessionId) -> Result<(), Error> {
    let (cx, started_at) = (pitlane.context(), pitlane.started_at);
    let catalog = std::sync::Arc::clone(&pitlane.catalog);
    pitlane.db.write(move |tx| judge(tx, session, started_at, &catalog, &cx)).await
}

fn judge(
    tx: &mut Tx<'_>,
    session: SessionId,
    started_at: Timestamp,
    catalog: &Catalog,
    cx: &Context,
) -> Result<(), Error> {
    let Some(found) = sessions::Store::session_for_update(tx, session)? else { return Ok(()) };
    let rules = rules(catalog, &found)?;
    let grace = i64::from(rules.customer_grace_minutes()) * 60;
    let Some((_, waiting)) = sessions::waiting(tx, session, grace, started_at)? else { return Ok(()) };
    match waiting.judge(cx.now) {
        Verdict::Wait(at) => schedule(tx, session, at, cx),
        Verdict::Missing(missing) => {
            let step = sessions::call_off(tx, session, missing, cx)?;
            called_off(tx, &step, missing, rules, cx)
        }
    }
}

/// The rules of the session's own price book.
fn rules<'a>(catalog: &'a Catalog, session: &Session) -> Result<&'a Cancellation, StoreError> {
    let book = &session.parts().price_book;
    let book = catalog.book(book).ok_or_else(|| StoreError::corrupt("sessions.price_book", book))?;
    Ok(book.cancellation())
}

fn called_off(
    tx: &mut Tx<'_>,
    step: &Step,
    missing: Missing,
    rules: &Cancellation,
    cx: &Context,
) -> Result<(), Error> {
    let session = &step.session;
    let share = match missing {
        Missing::Customer => rules.customer_no_show(),
        Missing::Mechanic => rules.mechanic_no_show(),
    };
    give_back(tx, session, share, RefundReason::NoShow, cx)?;
    if missing == Missing::Customer {
        // The mechanic was there; what does not go back is earned.
        earn_session(tx, session, cx)?;
    }
    personal::session_changed(tx, session, cx)?;
    for person in sessions::Store::participants(tx, session.id())? {
        let side = match person.role {
            ParticipantRole::Customer => Side::Customer,
            ParticipantRole::Mechanic => Side::Mechanic,
            ParticipantRole::Observer => continue,
        };
        tell(tx, person.user, side, session, cx)?;
    }
    Ok(())
}

/// Tells one side by its own channel and by mail. The mail says what became of the money.
fn tell(tx: &mut Tx<'_>, user: UserId, side: Side, session: &Session, cx: &Context) -> Result<(), Error> {
    let by_customer = session.end_reason() == Some(EndReason::NoShowCustomer);
    let (title, message) = match (side, by_customer) {
        (Side::Customer, true) => {
            ("You were missed", "Your mechanic waited for you, and the session was called off.")
        }
        (Side::Customer, false) => ("Your mechanic did not come", "The session was called off."),
        (Side::Mechanic, true) => {
            ("The customer did not come", "The session was called off. You are free again.")
        }
        (Side::Mechanic, false) => {
            ("You missed a session", "It was called off, because it was not started in time.")
        }
    };
    let path = format!("/chat/{}", session.id());
    personal::notification(tx, user, side, title, message, "See the session", &path, cx);
    mail::enqueue(tx, Milestone::NoShow, user, About::Session(session.id()), cx)?;
    Ok(())
}

// A look at an instant that has one already is the same look.
fn schedule(tx: &mut Tx<'_>, session: SessionId, at: Timestamp, cx: &Context) -> Result<(), Error> {
    let job = NewJob {
        kind: JobKind::NoShow,
        payload: json!({ "session_id": session }).to_string(),
        run_at: at,
        dedupe_key: Some(format!("no_show:{session}:{at}")),
    };
    jobs::schedule(tx, job, cx)?;
    Ok(())
}
