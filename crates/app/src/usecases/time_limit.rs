//! The paid time of a session runs out: both are warned, then it ends, as if one of them had ended it.
//!
//! One durable job at a time looks at a session that is in progress. It reads the session, does what is due by now, and
//! schedules its next look; so a deadline that has moved, a restart and a long stop need nothing of their own.

use jobs::{JobKind, NewJob};
use kernel::id::SessionId;
use kernel::{Context, Timestamp};
use serde_json::json;
use sessions::{Session, Status, Tick};
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::end_session::completed;

/// Has the session's time looked at, now and from then on by itself. To be called in the transaction that starts a
/// session or changes its allowance. Nothing happens for one that is not in progress.
///
/// # Errors
/// The storage's.
pub fn arm(tx: &mut Tx<'_>, session: &Session, cx: &Context) -> Result<(), Error> {
    if session.status() == Status::InProgress { schedule(tx, session.id(), cx.now, cx) } else { Ok(()) }
}

/// Arms the clock of every session that is in progress, at the start of the server: those that an older version
/// started have no job yet.
///
/// # Errors
/// The storage's.
pub async fn arm_all(pitlane: &Pitlane) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let running = store::views::session::with_status(tx, Status::InProgress)?;
            running.into_iter().try_for_each(|session| schedule(tx, session, cx.now, &cx))
        })
        .await
}

/// Warns, or ends the session, when it is time; schedules the next look. May run any number of times.
///
/// # Errors
/// The storage's.
pub async fn look(pitlane: &Pitlane, session: SessionId) -> Result<(), Error> {
    let cx = pitlane.context();
    let times = &pitlane.settings.sessions;
    let (warning, patience) = (times.time_limit_warning_seconds, times.no_video_refund_seconds);
    pitlane
        .db
        .write(move |tx| match sessions::tick(tx, session, warning, &cx)? {
            Tick::Still => Ok(()),
            Tick::Until(at) => schedule(tx, session, at, &cx),
            Tick::Ended(step) => completed(tx, &step, patience, &cx),
        })
        .await
}

// A look at an instant that has one already is the same look.
fn schedule(tx: &mut Tx<'_>, session: SessionId, at: Timestamp, cx: &Context) -> Result<(), Error> {
    let job = NewJob {
        kind: JobKind::TimeLimit,
        payload: json!({ "session_id": session }).to_string(),
        run_at: at,
        dedupe_key: Some(format!("time_limit:{session}:{at}")),
    };
    jobs::schedule(tx, job, cx)?;
    Ok(())
}
