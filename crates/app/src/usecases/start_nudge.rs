//! A mechanic has taken a session and does not begin: they are asked to, once for each time it was due (SES-08).
//!
//! The instant is a job, written with the acceptance. Whoever looks reads the session anew, so that looking too early, too
//! late or twice does no harm; the no-show that may follow is judged by itself ([`super::no_show`]).

use jobs::{JobKind, NewJob};
use kernel::id::{EventId, SessionId, UserId};
use kernel::{Context, Timestamp};
use notifications::{Channel, Milestone, PersonalNotice};
use serde_json::json;
use sessions::{ParticipantRole, Session};
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, personal, unseen_notice};

/// Has the mechanic of an accepted session asked to begin `seconds` after it is due. To be called in the transaction that
/// accepts it, gives it another mechanic or moves its time. Nothing happens for one that is not accepted.
///
/// # Errors
/// The storage's.
pub fn arm(tx: &mut Tx<'_>, session: &Session, seconds: u32, cx: &Context) -> Result<(), Error> {
    match overdue(tx, session, seconds)? {
        Some(Overdue { at, .. }) => schedule(tx, session.id(), at, cx),
        None => Ok(()),
    }
}

/// Asks the mechanic if it is time and they were not asked yet; else schedules the next look. Answers whether they were
/// asked now. May run any number of times.
///
/// # Errors
/// The storage's.
pub async fn look(pitlane: &Pitlane, session: SessionId) -> Result<bool, Error> {
    let (cx, seconds) = (pitlane.context(), pitlane.settings.sessions.start_nudge_seconds);
    pitlane
        .db
        .write(move |tx| {
            let Some(session) = sessions::Store::session_for_update(tx, session)? else { return Ok(false) };
            let Some(found) = overdue(tx, &session, seconds)? else { return Ok(false) };
            if cx.now < found.at {
                schedule(tx, session.id(), found.at, &cx)?;
                return Ok(false);
            }
            if found.asked {
                return Ok(false);
            }
            nudge(tx, &session, &found, &cx)?;
            Ok(true)
        })
        .await
}

struct Overdue {
    mechanic: UserId,
    /// When it should have begun.
    due: Timestamp,
    /// When its mechanic is asked.
    at: Timestamp,
    /// Whether they were.
    asked: bool,
}

/// What is to be known of an accepted session with a mechanic. A server that was away is no excuse here: the customer
/// waits all the same.
fn overdue(tx: &mut Tx<'_>, session: &Session, seconds: u32) -> Result<Option<Overdue>, Error> {
    let waiting = sessions::waiting_of(tx, session, 0, Timestamp::UNIX_EPOCH)?;
    let Some(waiting) = waiting else { return Ok(None) };
    let people = sessions::Store::participants(tx, session.id())?;
    let mechanic = people.iter().find(|one| one.role == ParticipantRole::Mechanic);
    let Some(mechanic) = mechanic.map(|one| one.user) else { return Ok(None) };
    let due = waiting.due;
    let asked = notifications::Store::notice_since(tx, mechanic, session.id(), Milestone::StartNudge, due)?;
    Ok(Some(Overdue { mechanic, due, at: due.plus_seconds(seconds.into()), asked }))
}

/// The mechanic hears of it on an open page and by mail; where no page shows it in time, by text message too.
fn nudge(tx: &mut Tx<'_>, session: &Session, found: &Overdue, cx: &Context) -> Result<(), Error> {
    let mechanic = found.mechanic;
    let customer = accounts::UserStore::user_by_id(tx, session.customer())?;
    let id = EventId::new(cx.id());
    let fields = json!({
        "event_id": id,
        "session_id": session.id(),
        "customer_name": customer.as_ref().map_or("Your customer", |customer| customer.name()),
        "session_type": session.modality().as_str(),
        "due_at": found.due,
    });
    personal::tell(tx, mechanic, Side::Mechanic, "start_nudge", fields, cx);
    let notice = PersonalNotice {
        id,
        user: mechanic,
        session: session.id(),
        milestone: Milestone::StartNudge,
        created_at: cx.now,
        acknowledged_at: None,
    };
    unseen_notice::expect_shown(tx, &notice, cx)?;
    mail::enqueue_on(tx, &[Channel::Mail], Milestone::StartNudge, mechanic, About::Notice(id), cx)?;
    Ok(())
}

// A look at an instant that has one already is the same look.
fn schedule(tx: &mut Tx<'_>, session: SessionId, at: Timestamp, cx: &Context) -> Result<(), Error> {
    let job = NewJob {
        kind: JobKind::StartNudge,
        payload: json!({ "session_id": session }).to_string(),
        run_at: at,
        dedupe_key: Some(format!("start_nudge:{session}:{at}")),
    };
    jobs::schedule(tx, job, cx)?;
    Ok(())
}
