//! What admins and support look at that is somebody else's.

use accounts::audit::{self, NewAuditEntry};
use kernel::id::{ApplicationId, FileId, OrderId, SessionId};
use kernel::{Actor, UserId};

use crate::state::Pitlane;
use crate::usecases::Error;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Something of a session: its page, its log and so on.
    Session(SessionId, &'static str),
    /// A file of a session.
    File(SessionId, FileId),
    /// A mechanic's or a workshop's application, or one of its files.
    Application(ApplicationId, &'static str),
    /// A receipt.
    Receipt(OrderId),
    /// A customer's journey.
    Journey(UserId),
    /// What staff see of a person.
    Person(UserId),
}

impl Read {
    fn entry(self, actor: Actor) -> NewAuditEntry {
        match self {
            Self::Session(session, what) => {
                NewAuditEntry::new(actor, "session.read", "session", session).with("what", what)
            }
            Self::File(session, file) => NewAuditEntry::new(actor, "session.read", "session", session)
                .with("what", "file")
                .with("file_id", file),
            Self::Application(id, what) => {
                NewAuditEntry::new(actor, "application.read", "application", id).with("what", what)
            }
            Self::Receipt(order) => {
                NewAuditEntry::new(actor, "order.read", "order", order).with("what", "receipt")
            }
            Self::Journey(customer) => {
                NewAuditEntry::new(actor, "customer.read", "user", customer).with("what", "interactions")
            }
            Self::Person(user) => {
                NewAuditEntry::new(actor, "user.read", "user", user).with("what", "account")
            }
        }
    }
}

/// Notes that somebody of the staff has read something that is not theirs.
///
/// # Errors
/// The storage's; then they must not see it.
pub async fn note_read(pitlane: &Pitlane, reader: Actor, read: Read) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| Ok(audit::record(tx, read.entry(reader), &cx).map(drop)?)).await
}

/// Notes that an admin used a route that only admins have, before anything comes of it: `GET /api/admin/jobs` with the
/// address that was asked for, from that network address.
///
/// # Errors
/// The storage's; then nothing may come of it.
pub async fn note_use(
    pitlane: &Pitlane,
    admin: Actor,
    route: String,
    asked: String,
    address: String,
) -> Result<(), Error> {
    let cx = pitlane.context();
    let action = if route.starts_with("GET ") { "admin.read" } else { "admin.act" };
    pitlane
        .db
        .write(move |tx| {
            let entry = NewAuditEntry::new(admin, action, "route", &route).with("asked", &asked);
            audit::record(tx, entry.from_address(Some(&address)), &cx)?;
            Ok(())
        })
        .await
}
