//! Who may work, and who does now; and the audit log, where the decisions are written.

use accounts::audit::AuditFilter;
use accounts::{
    ApplicationKind, ApplicationStore, ApprovalState, AuditEntry, Mechanic, MechanicPlace, NewAuditEntry,
    ProviderStore, User, audit, provider, review,
};
use kernel::{Actor, AuditId, Context, UserId};
use notifications::Milestone;
use store::Tx;
use store::notice::Side;

use super::applications::{self, Verdict};
use super::mail::{self, About};
use super::{Error, personal};
use crate::state::Pitlane;

/// An admin decides about a mechanic. A decision that stands already is answered and not written again. Whoever is
/// refused or suspended gets the reason by mail.
///
/// # Errors
/// An unknown mechanic, a decision that can't follow the last one, or a failure of the storage.
pub async fn decide(
    pitlane: &Pitlane,
    mechanic: UserId,
    state: ApprovalState,
    reason: Option<String>,
    by: Actor,
    address: String,
) -> Result<Mechanic, Error> {
    let cx = pitlane.context();
    let action = match state {
        ApprovalState::Approved => "mechanic.approve",
        ApprovalState::Refused => "mechanic.refuse",
        ApprovalState::Suspended => "mechanic.suspend",
        ApprovalState::Pending => "mechanic.reopen",
    };
    let work = pitlane.db.write(move |tx| {
        if let Some(decided) = by_application(tx, mechanic, state, reason.as_deref(), by, &address, &cx)? {
            return Ok(decided);
        }
        let (decided, changed) = provider::decide(tx, mechanic, state, by.user(), reason.clone(), &cx)?;
        if changed {
            let mut entry = NewAuditEntry::new(by, action, "mechanic", mechanic).from_address(Some(&address));
            if let Some(reason) = &reason {
                entry = entry.with("reason", reason);
            }
            let noted = audit::record(tx, entry, &cx)?;
            match state {
                ApprovalState::Refused | ApprovalState::Suspended => {
                    mail::enqueue(tx, Milestone::ApprovalEnded, mechanic, About::Approval(noted), &cx)?;
                }
                ApprovalState::Pending | ApprovalState::Approved => {}
            }
        }
        if changed && state == ApprovalState::Approved {
            let message = "Go on duty, and requests reach you.";
            let side = Side::Mechanic;
            personal::notification(
                tx,
                mechanic,
                side,
                "You are approved",
                message,
                "Open the queue",
                "/mechanic",
                &cx,
            );
        }
        Ok(decided)
    });
    work.await
}

/// A decision about somebody whose application is open decides that, so that the two never disagree; `None` when there
/// is none.
fn by_application(
    tx: &mut Tx<'_>,
    mechanic: UserId,
    state: ApprovalState,
    reason: Option<&str>,
    by: Actor,
    address: &str,
    cx: &Context,
) -> Result<Option<Mechanic>, Error> {
    let verdict = match state {
        ApprovalState::Approved => Verdict::Approve,
        ApprovalState::Refused => Verdict::Refuse(reason.unwrap_or_default().to_owned()),
        ApprovalState::Pending | ApprovalState::Suspended => return Ok(None),
    };
    let open = tx.application_latest(mechanic)?.filter(|latest| latest.status().is_open());
    let (Some(open), Some(admin)) = (open, by.user()) else { return Ok(None) };
    if open.kind() == ApplicationKind::Workshop {
        // It is decided as the mechanic they are now; the workshop is not founded.
        review::withdraw(tx, mechanic, cx)?;
        return Ok(None);
    }
    applications::decide_in(tx, open.id(), &verdict.checked()?, admin, by, address, cx)?;
    let decided = tx.mechanic_by_user(mechanic)?.ok_or(accounts::Error::NotFound("mechanic"))?;
    Ok(Some(decided))
}

/// A mechanic goes on or off duty.
///
/// # Errors
/// A person who is no approved mechanic, or a failure of the storage.
pub async fn set_duty(pitlane: &Pitlane, mechanic: UserId, on_duty: bool) -> Result<Mechanic, Error> {
    Ok(pitlane.db.write(move |tx| provider::set_duty(tx, mechanic, on_duty)).await?)
}

/// The mechanic with that account.
///
/// # Errors
/// A failure of the storage.
pub async fn find(pitlane: &Pitlane, user: UserId) -> Result<Option<Mechanic>, Error> {
    pitlane.db.read(move |tx| Ok(tx.mechanic_by_user(user)?)).await
}

/// At most `limit` mechanics with their persons after that place, those who wait for a decision first.
///
/// # Errors
/// A failure of the storage.
pub async fn list(
    pitlane: &Pitlane,
    after: Option<MechanicPlace>,
    limit: u32,
) -> Result<Vec<(Mechanic, User)>, Error> {
    pitlane.db.read(move |tx| Ok(tx.mechanics(after, limit)?)).await
}

/// At most `limit` lines of the audit log that fit, newest first, older than `before`.
///
/// # Errors
/// A failure of the storage.
pub async fn audit_page(
    pitlane: &Pitlane,
    filter: AuditFilter,
    before: Option<AuditId>,
    limit: u32,
) -> Result<Vec<AuditEntry>, Error> {
    Ok(pitlane.db.read(move |tx| audit::page(tx, &filter, before, limit)).await?)
}
