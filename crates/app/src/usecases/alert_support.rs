//! Something needs a person's eye: support hears of it once for each cause, by mail to `mail.support_address`, on the
//! channel `admin`, and on the board at `/admin`, where it stays until the cause is gone or somebody has seen it (G-11).

use accounts::UserStore as _;
use accounts::audit::{self, NewAuditEntry};
use jobs::{JobKind, JobStatus};
use kernel::id::{AlertId, DisputeId, JobId, RefundId, SessionId, UserId};
use kernel::{Actor, Context, Timestamp};
use notifications::{Alert, AlertCause, AlertStore as _, Milestone, NewAlert, alert};
use serde_json::json;
use sessions::ParticipantRole;
use store::Tx;
use store::views::{disputes, watch};
use web::alert::{Attention, Finding};
use web::money::Amount;

use crate::state::Pitlane;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, personal};

/// The most admins who are told of one dispute.
const ADMINS_TOLD: usize = 20;

/// Tells support of a cause; `false` when that was done before.
///
/// # Errors
/// The storage's.
pub fn raise(tx: &mut Tx<'_>, support_address: &str, found: NewAlert, cx: &Context) -> Result<bool, Error> {
    let Some(alert) = alert::raise(tx, found, cx)? else { return Ok(false) };
    let fields = json!({
        "alert_id": alert.id,
        "cause": found.cause.as_str(),
        "object_id": found.object,
        "session_id": found.session,
        "since": found.since,
    });
    personal::tell_staff(tx, "support_alert", fields, cx);
    let admins = tx.admins()?;
    let about = About::Alert(alert.id);
    if !support_address.is_empty() {
        // A delivery belongs to an account. Support's address has none, so it stands with the first admin's.
        match admins.first() {
            Some(first) => drop(mail::enqueue(tx, Milestone::SupportAlert, *first, about, cx)?),
            None => tracing::error!(alert = %alert.id, "support is not mailed: there is no admin"),
        }
    }
    if found.cause == AlertCause::Dispute {
        for admin in admins.into_iter().take(ADMINS_TOLD) {
            let person = tx.user_by_id(admin)?;
            // Whoever reads support's mail has it already.
            if person.is_some_and(|person| !person.email().as_str().eq_ignore_ascii_case(support_address)) {
                mail::enqueue(tx, Milestone::DisputeOpened, admin, about, cx)?;
            }
        }
    }
    tracing::warn!(alert = %alert.id, cause = found.cause.as_str(), "support is told");
    Ok(true)
}

/// Takes an alert off the board because its cause is gone; `false` when that was done before.
///
/// # Errors
/// The storage's.
pub fn end(tx: &mut Tx<'_>, alert: &Alert, cx: &Context) -> Result<bool, Error> {
    if !tx.alert_end(alert.id, cx.now)? {
        return Ok(false);
    }
    if alert.seen.is_none() {
        tell_ended(tx, alert, cx);
    }
    Ok(true)
}

/// Takes off the board what was told about this session and is gone: somebody came back, or it is over.
///
/// # Errors
/// The storage's.
pub fn settle_session(tx: &mut Tx<'_>, session: SessionId, cx: &Context) -> Result<(), Error> {
    for alert in tx.alerts_lasting(Some(session))? {
        if is_gone(tx, &alert, cx.now)? {
            end(tx, &alert, cx)?;
        }
    }
    Ok(())
}

/// Somebody of the staff has seen to an alert. The first who did stays on record; the audit log has each.
///
/// # Errors
/// [`accounts::Error::NotFound`]; the storage's.
pub async fn see(
    pitlane: &Pitlane,
    id: AlertId,
    by: UserId,
    actor: Actor,
    address: String,
) -> Result<Alert, Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let found = alert::see(tx, id, by, &cx)?;
            let (alert, fresh) = found.ok_or(accounts::Error::NotFound("alert"))?;
            let entry = NewAuditEntry::new(actor, "alert.see", "alert", id)
                .with("cause", alert.found.cause.as_str())
                .from_address(Some(&address));
            audit::record(tx, entry, &cx)?;
            if fresh && alert.ended_at.is_none() {
                tell_ended(tx, &alert, &cx);
            }
            Ok(alert)
        })
        .await
}

fn tell_ended(tx: &mut Tx<'_>, alert: &Alert, cx: &Context) {
    personal::tell_staff(tx, "support_alert_ended", json!({ "alert_id": alert.id }), cx);
}

/// Whether there is no reason for an alert any more.
///
/// # Errors
/// The storage's.
pub fn is_gone(tx: &mut Tx<'_>, alert: &Alert, now: Timestamp) -> Result<bool, Error> {
    let NewAlert { cause, object, session, since } = alert.found;
    Ok(match cause {
        AlertCause::ParticipantAbsent | AlertCause::NoVideo => {
            let watched = match session {
                Some(session) => sessions::watched(tx, session, now)?,
                None => None,
            };
            match (cause, watched) {
                (_, None) => true,
                (AlertCause::NoVideo, Some(watched)) => watched.met,
                (_, Some(watched)) => watched.away_since(UserId::new(object)) != Some(since),
            }
        }
        // Nothing more comes of it by itself.
        AlertCause::RefundFailed => alert.seen.is_some(),
        AlertCause::JobDead => match jobs::Store::job_by_id(tx, JobId::new(object))? {
            Some(job) if job.status() == JobStatus::Dead => {
                // One that repeats may work again; of another nothing more comes by itself.
                let repeats = job.kind().every_seconds().is_some();
                (alert.seen.is_some() && !repeats) || has_recovered(tx, job.kind(), since)?
            }
            Some(_) | None => true,
        },
        AlertCause::Dispute => {
            disputes::one(tx, DisputeId::new(object))?.is_none_or(|dispute| dispute.closed_at.is_some())
        }
    })
}

/// Whether a kind that repeats has worked again after that. One that is caused has to be run again.
///
/// # Errors
/// The storage's.
pub fn has_recovered(tx: &mut Tx<'_>, kind: JobKind, since: Timestamp) -> Result<bool, Error> {
    Ok(kind.every_seconds().is_some() && watch::done_since(tx, kind, since)?)
}

/// The board: what waits for somebody, the oldest cause first.
///
/// # Errors
/// The storage's.
pub fn board(tx: &mut Tx<'_>) -> Result<Vec<Attention>, Error> {
    let mut board = Vec::new();
    for alert in watch::open_alerts(tx)? {
        if let Some(finding) = describe(tx, &alert)? {
            board.push(Attention {
                id: alert.id.to_string(),
                finding,
                since: alert.found.since.to_string(),
                session_id: alert.found.session.map(|id| id.to_string()),
            });
        }
    }
    Ok(board)
}

/// What an alert is about, in the words of pages and mails; `None` when the thing itself is gone.
///
/// # Errors
/// The storage's.
pub fn describe(tx: &mut Tx<'_>, alert: &Alert) -> Result<Option<Finding>, Error> {
    let NewAlert { cause, object, session, .. } = alert.found;
    match cause {
        AlertCause::ParticipantAbsent => {
            let Some(Sides { customer, mechanic, .. }) = sides(tx, session)? else { return Ok(None) };
            let is_customer = customer.0 == UserId::new(object);
            let (away, other) =
                if is_customer { (Some(customer), mechanic) } else { (mechanic, Some(customer)) };
            let name = match away {
                Some((id, name)) if id == UserId::new(object) => name,
                // Somebody else is the mechanic now.
                Some(_) | None => name_of(tx, UserId::new(object))?,
            };
            Ok(Some(Finding::Away { name, is_customer, other: other.map(|(_, name)| name) }))
        }
        AlertCause::NoVideo => {
            let Some(Sides { customer, mechanic }) = sides(tx, session)? else { return Ok(None) };
            let mechanic = mechanic.map_or_else(|| "the mechanic".to_owned(), |(_, name)| name);
            Ok(Some(Finding::NoVideo { customer: customer.1, mechanic }))
        }
        AlertCause::RefundFailed => {
            Ok(watch::refund(tx, RefundId::new(object))?.map(|refund| Finding::RefundFailed {
                amount: Amount::new(refund.amount_cents, &refund.currency),
                customer: refund.customer_name,
            }))
        }
        AlertCause::JobDead => Ok(jobs::Store::job_by_id(tx, JobId::new(object))?
            .map(|job| Finding::JobDead { kind: job.kind().as_str().to_owned() })),
        AlertCause::Dispute => {
            Ok(disputes::one(tx, DisputeId::new(object))?.map(|dispute| Finding::Dispute {
                id: dispute.id.to_string(),
                amount: Amount::new(dispute.amount_cents, &dispute.currency),
                customer: dispute.customer_name,
                reason: dispute.reason,
                due_at: dispute.due_at.map(|at| at.to_string()),
            }))
        }
    }
}

struct Sides {
    customer: (UserId, String),
    mechanic: Option<(UserId, String)>,
}

fn sides(tx: &mut Tx<'_>, session: Option<SessionId>) -> Result<Option<Sides>, Error> {
    let Some(session) = session else { return Ok(None) };
    let Some(found) = sessions::Store::session_by_id(tx, session)? else { return Ok(None) };
    let people = sessions::Store::participants(tx, session)?;
    let mechanic = people.iter().find(|one| one.role == ParticipantRole::Mechanic).map(|one| one.user);
    let mechanic = match mechanic {
        Some(mechanic) => Some((mechanic, name_of(tx, mechanic)?)),
        None => None,
    };
    let customer = (found.customer(), name_of(tx, found.customer())?);
    Ok(Some(Sides { customer, mechanic }))
}

fn name_of(tx: &mut Tx<'_>, user: UserId) -> Result<String, Error> {
    Ok(tx.user_by_id(user)?.map_or_else(|| "Somebody".to_owned(), |user| user.name().to_owned()))
}
