//! An admin looks into a session.

use accounts::audit::{self, NewAuditEntry};
use kernel::id::{SessionId, UserId};
use kernel::{Actor, Role};
use sessions::Step;

use crate::state::Pitlane;
use crate::usecases::Error;

/// Makes the admin an observer: both sides see it in the log, and the audit log has it.
///
/// # Errors
/// Those of [`sessions::observe`]; the storage's.
pub async fn observe_session(pitlane: &Pitlane, admin: UserId, session: SessionId) -> Result<Step, Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let step = sessions::observe(tx, session, admin, &cx)?;
            let actor = Actor::Person { id: admin, role: Role::Admin };
            audit::record(tx, NewAuditEntry::new(actor, "session.observe", "session", session), &cx)?;
            Ok(step)
        })
        .await
}
