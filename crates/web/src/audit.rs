//! `/admin/audit`: who did what to what.

use askama::Template;

use crate::frame::Frame;

/// A page of the audit log.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was asked for.
    pub query: AuditQuery,
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Where the next page begins.
    pub next_href: Option<String>,
}

/// What the lines are narrowed to; empty means everything.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only this action.
    pub action: String,
    /// Only what was done to this kind of thing.
    pub object_kind: String,
    /// Only what was done to this thing.
    pub object_id: String,
    /// Only what this person did.
    pub actor_id: String,
}

/// A line of the log.
#[derive(Clone, Debug, Default)]
pub struct AuditRow {
    /// RFC 3339.
    pub at: String,
    /// Who, by name; `the system` for nobody.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What was done.
    pub action: String,
    /// The kind of thing it was done to.
    pub object_kind: String,
    /// Which one.
    pub object_id: String,
    /// What else is known: names and values.
    pub details: Vec<(String, String)>,
    /// The network address it came from.
    pub address: Option<String>,
}

impl AuditPage {
    /// Whether only some lines were asked for.
    pub(crate) fn is_narrowed(&self) -> bool {
        let AuditQuery { action, object_kind, object_id, actor_id } = &self.query;
        ![action, object_kind, object_id, actor_id].iter().all(|one| one.is_empty())
    }
}
