//! The audit log: who did what to what.

use std::collections::BTreeMap;

use kernel::{Actor, AuditId, Context, Timestamp, UserId};

use crate::error::Error;
use crate::store::Store;

/// The most lines of the log that are read at once: a page of 500, and one to tell that there are more.
pub const AUDIT_PAGE_MAX: u32 = 501;

/// A line of the log. Lines are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The line. Later lines have larger ids.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who; `None` for the system.
    pub actor: Option<UserId>,
    /// In which role, or `system`.
    pub actor_role: String,
    /// What was done, such as `mechanic.approve`.
    pub action: String,
    /// The kind of thing it was done to, such as `mechanic`.
    pub object_kind: String,
    /// Which one.
    pub object_id: String,
    /// What else is worth knowing. No secrets.
    pub details: BTreeMap<String, String>,
    /// The network address it came from.
    pub address: Option<String>,
}

/// A line to add.
#[derive(Debug, Clone)]
pub struct NewAuditEntry {
    /// Who.
    pub actor: Actor,
    /// What was done, such as `mechanic.approve`.
    pub action: &'static str,
    /// The kind of thing it was done to.
    pub object_kind: &'static str,
    /// Which one.
    pub object_id: String,
    /// What else is worth knowing. No secrets.
    pub details: BTreeMap<String, String>,
    /// The network address it came from.
    pub address: Option<String>,
}

impl NewAuditEntry {
    /// Somebody did something to something.
    pub fn new(
        actor: Actor,
        action: &'static str,
        object_kind: &'static str,
        object_id: impl ToString,
    ) -> Self {
        let object_id = object_id.to_string();
        Self { actor, action, object_kind, object_id, details: BTreeMap::new(), address: None }
    }

    /// With one more thing worth knowing.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }

    /// From that network address.
    #[must_use]
    pub fn from_address(mut self, address: Option<&str>) -> Self {
        self.address = address.map(ToOwned::to_owned);
        self
    }
}

/// What a line is narrowed to; `None` means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this person did.
    pub actor: Option<UserId>,
    /// Only this action.
    pub action: Option<String>,
    /// Only what was done to this kind of thing.
    pub object_kind: Option<String>,
    /// Only what was done to this thing.
    pub object_id: Option<String>,
}

/// Adds a line to the log, in the transaction of what it tells about. The id of the request that it was done for stands
/// in the details, so that the line can be found from the server's log and the other way round; where the line names no
/// network address, it is that request's.
///
/// # Errors
/// A failure of the store.
pub fn record(store: &mut dyn Store, new: NewAuditEntry, cx: &Context) -> Result<AuditId, Error> {
    let id = AuditId::new(cx.id());
    let (mut details, mut address) = (new.details, new.address);
    if let Some(request) = cx.request() {
        details.insert("request_id".to_owned(), request.id.to_string());
        address = address.or_else(|| request.address.as_deref().map(ToOwned::to_owned));
    }
    let actor_role = match new.actor {
        Actor::Person { role, .. } => role.as_str(),
        Actor::System => "system",
    };
    store.audit_insert(&AuditEntry {
        id,
        at: cx.now,
        actor: new.actor.user(),
        actor_role: actor_role.to_owned(),
        action: new.action.to_owned(),
        object_kind: new.object_kind.to_owned(),
        object_id: new.object_id,
        details,
        address,
    })?;
    Ok(id)
}

/// A page of the log, newest first: at most `limit` lines older than `before` that fit.
///
/// # Errors
/// A failure of the store.
pub fn page(
    store: &mut dyn Store,
    filter: &AuditFilter,
    before: Option<AuditId>,
    limit: u32,
) -> Result<Vec<AuditEntry>, Error> {
    Ok(store.audit_page(filter, before, limit.clamp(1, AUDIT_PAGE_MAX))?)
}
