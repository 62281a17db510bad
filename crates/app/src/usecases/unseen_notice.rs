//! What somebody has to have seen: told on their own channel, and by other ways when no open page has shown it.

use jobs::{JobKind, NewJob};
use kernel::Context;
use kernel::id::EventId;
use notifications::personal::ACKNOWLEDGE_WITHIN_SECONDS;
use notifications::{Milestone, PersonalNotice};
use serde_json::json;
use sessions::Status;
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::mail::{self, About};

/// Waits for the acknowledgement of a frame that was just told; other channels follow when there is none in time.
///
/// # Errors
/// The storage's.
pub fn expect_shown(tx: &mut Tx<'_>, notice: &PersonalNotice, cx: &Context) -> Result<(), Error> {
    notifications::Store::notice_insert(tx, notice)?;
    let job = NewJob {
        kind: JobKind::FollowUpNotice,
        payload: json!({ "event_id": notice.id }).to_string(),
        run_at: cx.now.plus_seconds(ACKNOWLEDGE_WITHIN_SECONDS),
        dedupe_key: Some(format!("follow_up_notice:{}", notice.id)),
    };
    jobs::schedule(tx, job, cx)?;
    Ok(())
}

/// Tells on other channels what no open page has shown. May run any number of times.
///
/// # Errors
/// The storage's.
pub async fn follow_up(pitlane: &Pitlane, notice: EventId) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let found = notifications::Store::notice_by_id(tx, notice)?;
            let Some(found) = found.filter(|notice| notice.acknowledged_at.is_none()) else { return Ok(()) };
            let Some(session) = sessions::Store::session_by_id(tx, found.session)? else { return Ok(()) };
            let (late, about) = if found.milestone == Milestone::StartNudge {
                // Who has started needs no word about it any more.
                (session.status() != Status::Accepted, About::Notice(found.id))
            } else {
                // Whoever writes in the room has seen it there, and after the end nobody has to be called.
                (session.status().is_ended(), About::Session(found.session))
            };
            if !late {
                mail::enqueue(tx, found.milestone, found.user, about, &cx)?;
            }
            Ok(())
        })
        .await
}
