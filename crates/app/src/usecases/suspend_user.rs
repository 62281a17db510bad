//! An admin closes an account for now, or opens it again.
//!
//! What runs is not torn apart: the sessions of a suspended person stay as they are, the other side is told, and an
//! admin can give those of a mechanic to somebody else. The page of the person lists them.

use accounts::audit::{self, NewAuditEntry};
use accounts::{User, application, suspension};
use kernel::id::UserId;
use kernel::{Actor, Context};
use notifications::Milestone;
use sessions::{ParticipantRole, Status};
use store::Tx;
use store::notice::Side;
use store::views::staff;

use super::mail::{self, About};
use super::{Error, personal};
use crate::state::Pitlane;

/// Closes an account for now: the person is signed out everywhere at once, told by mail, and can't sign in.
///
/// # Errors
/// A reason that is missing or too long, those of [`suspension::suspend`], or a failure of the storage.
pub async fn suspend(
    pitlane: &Pitlane,
    user: UserId,
    reason: &str,
    admin: Actor,
    address: String,
) -> Result<User, Error> {
    let reason = application::words("reason", reason)?;
    let by = admin.user().ok_or(accounts::Error::NotFound("user"))?;
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let (person, _) = suspension::suspend(tx, user, by, reason.clone(), &cx)?;
            let entry = NewAuditEntry::new(admin, "user.suspend", "user", user)
                .with("reason", &reason)
                .from_address(Some(&address));
            let noted = audit::record(tx, entry, &cx)?;
            mail::enqueue(tx, Milestone::AccountSuspended, user, About::Suspension(noted), &cx)?;
            tell_others(tx, user, &cx)?;
            Ok(person)
        })
        .await
}

/// Tells who waits for a suspended person that they won't come.
fn tell_others(tx: &mut Tx<'_>, user: UserId, cx: &Context) -> Result<(), Error> {
    let (_, open) = staff::sessions_of(tx, user)?;
    for session in open {
        match session.status {
            Status::Accepted | Status::InProgress | Status::Scheduled => {}
            Status::Requested | Status::Completed | Status::Cancelled | Status::Expired => continue,
        }
        for other in sessions::Store::participants(tx, session.id)? {
            if other.user == user {
                continue;
            }
            let (side, message) = match other.role {
                ParticipantRole::Customer => {
                    (Side::Customer, "Your mechanic had to leave. We are looking for somebody else for you.")
                }
                ParticipantRole::Mechanic => (Side::Mechanic, "The customer had to leave this session."),
                ParticipantRole::Observer => continue,
            };
            let path = format!("/chat/{}", session.id);
            let title = "Somebody has left your session";
            personal::notification(tx, other.user, side, title, message, "Open the session", &path, cx);
        }
    }
    Ok(())
}

/// Opens an account again. The person is told by mail, and signs in as before.
///
/// # Errors
/// Those of [`suspension::restore`], or a failure of the storage.
pub async fn restore(pitlane: &Pitlane, user: UserId, admin: Actor, address: String) -> Result<User, Error> {
    let by = admin.user().ok_or(accounts::Error::NotFound("user"))?;
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let person = suspension::restore(tx, user, by, &cx)?;
            let entry = NewAuditEntry::new(admin, "user.restore", "user", user).from_address(Some(&address));
            let noted = audit::record(tx, entry, &cx)?;
            mail::enqueue(tx, Milestone::AccountRestored, user, About::Suspension(noted), &cx)?;
            Ok(person)
        })
        .await
}
