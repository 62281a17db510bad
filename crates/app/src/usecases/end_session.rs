//! A session is over.

use crm::NewInteraction;
use kernel::Context;
use kernel::id::{SessionId, UserId};
use notifications::Milestone;
use sessions::Step;
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::earn_session::earn_session;
use crate::usecases::give_back::close_changes;
use crate::usecases::mail::{self, About};
use crate::usecases::unseen_video::give_back_unseen;
use crate::usecases::{Error, alert_support, journey, personal};

/// Ends a session that is in progress, for its customer or its mechanic.
///
/// # Errors
/// Those of [`sessions::end`]; the storage's.
pub async fn end_session(pitlane: &Pitlane, by: UserId, session: SessionId) -> Result<Step, Error> {
    let (cx, patience) = (pitlane.context(), pitlane.settings.sessions.no_video_refund_seconds);
    pitlane
        .db
        .write(move |tx| {
            let step = sessions::end(tx, session, by, &cx)?;
            completed(tx, &step, patience, &cx)?;
            Ok(step)
        })
        .await
}

/// What follows when a session took place and is over, whoever ended it. `patience_seconds` is how long both sides have to
/// see each other before an upgrade is called in vain.
///
/// # Errors
/// The storage's.
pub fn completed(tx: &mut Tx<'_>, step: &Step, patience_seconds: u32, cx: &Context) -> Result<(), Error> {
    let parts = step.session.parts();
    let interaction = NewInteraction::session_completed(
        parts.customer,
        parts.id,
        parts.plan,
        parts.session_type,
        step.session.duration_seconds().unwrap_or(0),
        parts.end_reason.map_or("", sessions::EndReason::as_str),
    );
    journey::record(tx, interaction, cx)?;
    close_changes(tx, parts.id, cx)?;
    give_back_unseen(tx, &step.session, patience_seconds, cx)?;
    earn_session(tx, &step.session, cx)?;
    personal::session_changed(tx, &step.session, cx)?;
    alert_support::settle_session(tx, parts.id, cx)?;
    mail::enqueue(tx, Milestone::SessionEnded, parts.customer, About::Session(parts.id), cx)?;
    Ok(())
}
