//! The mechanic writes down what came of a session.

use kernel::Context;
use kernel::id::{SessionId, UserId};
use notifications::Milestone;
use sessions::{Submitted, SummaryDraft, SummaryText};
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, personal};

/// How long after the summary its next steps are brought to mind, in seconds: a week.
const REMINDER_AFTER_SECONDS: i64 = 7 * 86_400;

/// Hands a summary in, or corrects it. The customer is told: by mail once, on the page each time.
///
/// # Errors
/// Those of [`sessions::submit_summary`]; the storage's.
pub async fn submit_summary(
    pitlane: &Pitlane,
    by: UserId,
    session: SessionId,
    text: SummaryText,
) -> Result<Submitted, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| submit(tx, by, session, text.clone(), &cx)).await
}

fn submit(
    tx: &mut Tx<'_>,
    by: UserId,
    session: SessionId,
    text: SummaryText,
    cx: &Context,
) -> Result<Submitted, Error> {
    let submitted = sessions::submit_summary(tx, session, by, text, cx)?;
    if submitted.event.is_none() {
        return Ok(submitted);
    }
    let session = sessions::Store::session_by_id(tx, session)?.ok_or(sessions::Error::NotFound)?;
    let customer = session.customer();
    let about = About::Session(session.id());
    if mail::enqueue(tx, Milestone::SummaryDelivered, customer, about, cx)? {
        let later = cx.now.plus_seconds(REMINDER_AFTER_SECONDS);
        mail::enqueue_at(tx, Milestone::NextStepsReminder, customer, about, later, cx)?;
        let path = format!("/sessions/{}/complete", session.id());
        let message = "Your mechanic has written down what was found and what to do next.";
        personal::notification(
            tx,
            customer,
            Side::Customer,
            "Your summary is there",
            message,
            "Read it",
            &path,
            cx,
        );
    }
    personal::session_changed(tx, &session, cx)?;
    Ok(submitted)
}

/// Keeps what the mechanic has written so far.
///
/// # Errors
/// Those of [`sessions::save_summary_draft`]; the storage's.
pub async fn save_draft(
    pitlane: &Pitlane,
    by: UserId,
    session: SessionId,
    text: SummaryText,
) -> Result<SummaryDraft, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| Ok(sessions::save_summary_draft(tx, session, by, text.clone(), &cx)?)).await
}
