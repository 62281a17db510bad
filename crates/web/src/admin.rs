//! `/admin`: live sessions, and what waits for a person.
//!
//! Filter, search, order and page are in the address ([`LiveQuery`]). Assigning posts to
//! `/api/admin/sessions/{id}/assign`, approving to `/api/admin/mechanics/{id}/approve`, by script.

use askama::Template;

use crate::alert::Attention;
use crate::frame::Frame;
use crate::money::Amount;
use crate::session::SessionStatus;
use crate::start::encode;

/// The admin's first page.
#[derive(Debug, Template)]
#[template(path = "admin.html")]
pub struct AdminPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// RFC 3339: when these figures were read.
    pub now: String,
    /// What the address asks for.
    pub query: LiveQuery,
    /// What needs a person's eye, the oldest cause first.
    pub attention: Vec<Attention>,
    /// How many sessions there are in each state, whatever is shown.
    pub counts: LiveCounts,
    /// One page of live sessions.
    pub rows: Vec<LiveRow>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
    /// Mechanics who can be assigned, on duty first.
    pub mechanics: Vec<AssignableMechanic>,
    /// Applications that wait for a decision.
    pub applications: i64,
    /// Mechanics who wait for approval and have not applied, oldest first.
    pub approvals: Vec<PendingMechanic>,
    /// Mechanics on duty.
    pub on_duty: i64,
    /// Jobs that were given up.
    pub dead_jobs: i64,
}

/// What `/admin?status=&q=&sort=&cursor=&assign=` asks for.
#[derive(Clone, Debug, Default)]
pub struct LiveQuery {
    /// Only sessions in this state.
    pub status: Option<SessionStatus>,
    /// Only sessions with this text in a name or the id.
    pub search: String,
    /// The column that orders the table.
    pub sort: LiveSort,
    /// Whether the order is turned round.
    pub descending: bool,
    /// The session to assign a mechanic to.
    pub assign: Option<String>,
}

/// Columns that order the table of live sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiveSort {
    /// When it was made; the longest wait first.
    #[default]
    Created,
    /// The customer's name.
    Customer,
    /// The mechanic's name.
    Mechanic,
    /// Where it stands.
    Status,
    /// What was paid.
    Total,
}

impl LiveSort {
    /// Every column.
    pub const ALL: [Self; 5] = [Self::Created, Self::Customer, Self::Mechanic, Self::Status, Self::Total];

    /// The column's name in the address.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Customer => "customer",
            Self::Mechanic => "mechanic",
            Self::Status => "status",
            Self::Total => "total",
        }
    }

    /// The column of that name; anything unknown is [`LiveSort::Created`].
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.code() == code).unwrap_or_default()
    }
}

/// How many live sessions there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveCounts {
    /// Paid, no mechanic yet.
    pub requested: i64,
    /// Booked for later.
    pub scheduled: i64,
    /// Taken, not started.
    pub accepted: i64,
    /// Under way.
    pub in_progress: i64,
}

impl LiveCounts {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> i64 {
        self.requested + self.scheduled + self.accepted + self.in_progress
    }
}

/// One live session.
#[derive(Clone, Debug, Default)]
pub struct LiveRow {
    /// The session's id.
    pub id: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// The customer's name.
    pub customer_name: String,
    /// Whether the customer has a socket.
    pub customer_online: bool,
    /// The mechanic's name, once there is one.
    pub mechanic_name: Option<String>,
    /// Whether the mechanic has a socket.
    pub mechanic_online: bool,
    /// The plan's name, and whether it has become video.
    pub plan_name: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339: when the paid time runs out.
    pub deadline_at: Option<String>,
    /// What was paid in all.
    pub total: Amount,
}

impl LiveRow {
    /// The last eight characters of the id: enough to tell sessions apart in a table, and unlike the first eight
    /// they differ between ids made in the same minute.
    pub(crate) fn short_id(&self) -> &str {
        self.id.get(self.id.len().saturating_sub(8)..).unwrap_or(&self.id)
    }

    /// Whether an admin may put somebody into it: nobody is there yet, or whoever is can't go on.
    pub(crate) fn may_change_hands(&self) -> bool {
        self.can_assign() || matches!(self.status, SessionStatus::Accepted | SessionStatus::InProgress)
    }

    pub(crate) fn can_assign(&self) -> bool {
        self.status == SessionStatus::Requested
    }
}

/// A mechanic who can be given a session.
#[derive(Clone, Debug, Default)]
pub struct AssignableMechanic {
    /// The mechanic's user id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether the mechanic is on duty.
    pub on_duty: bool,
}

/// A mechanic who waits for approval.
#[derive(Clone, Debug, Default)]
pub struct PendingMechanic {
    /// The mechanic's user id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// Whether it has been confirmed.
    pub email_verified: bool,
    /// RFC 3339.
    pub registered_at: String,
}

/// A filter above the table.
pub(crate) struct Filter {
    pub(crate) label: &'static str,
    pub(crate) count: i64,
    pub(crate) href: String,
    pub(crate) current: bool,
}

impl AdminPage {
    /// The title states what needs doing.
    pub(crate) fn title(&self) -> String {
        match self.counts.requested {
            0 => "Nobody is waiting for a mechanic".to_owned(),
            1 => "1 session waits for a mechanic".to_owned(),
            count => format!("{count} sessions wait for a mechanic"),
        }
    }

    pub(crate) fn filters(&self) -> Vec<Filter> {
        let counts = self.counts;
        [
            ("All", None, counts.all()),
            ("Waiting", Some(SessionStatus::Requested), counts.requested),
            ("Booked", Some(SessionStatus::Scheduled), counts.scheduled),
            ("Assigned", Some(SessionStatus::Accepted), counts.accepted),
            ("Live", Some(SessionStatus::InProgress), counts.in_progress),
        ]
        .into_iter()
        .map(|(label, status, count)| Filter {
            label,
            count,
            href: LiveQuery { status, ..self.query.clone() }.href(None, None),
            current: self.query.status == status,
        })
        .collect()
    }

    /// The address that orders the table by `column`, or turns the order round.
    pub(crate) fn sort_href(&self, column: &str) -> String {
        let sort = LiveSort::from_code(column);
        let descending = self.query.sort == sort && !self.query.descending;
        LiveQuery { sort, descending, ..self.query.clone() }.href(None, None)
    }

    /// For `aria-sort`.
    pub(crate) fn sorted(&self, column: &str) -> &'static str {
        match (self.query.sort.code() == column, self.query.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }

    pub(crate) fn next_href(&self) -> Option<String> {
        self.next_cursor.as_deref().map(|cursor| self.query.href(Some(cursor), None))
    }

    pub(crate) fn assign_href(&self, id: &str) -> String {
        format!("{}#assign", self.query.href(None, Some(id)))
    }

    pub(crate) fn plain_href(&self) -> String {
        self.query.href(None, None)
    }

    /// The session to assign, if it is on this page.
    pub(crate) fn assigning(&self) -> Option<&LiveRow> {
        let id = self.query.assign.as_deref()?;
        self.rows.iter().find(|row| row.id == id && row.may_change_hands())
    }
}

impl LiveQuery {
    fn href(&self, cursor: Option<&str>, assign: Option<&str>) -> String {
        let mut parts = Vec::new();
        if let Some(status) = self.status {
            parts.push(format!("status={}", status.code()));
        }
        if !self.search.is_empty() {
            parts.push(format!("q={}", encode(&self.search)));
        }
        if self.sort != LiveSort::default() || self.descending {
            let sign = if self.descending { "-" } else { "" };
            parts.push(format!("sort={sign}{}", self.sort.code()));
        }
        if let Some(cursor) = cursor {
            parts.push(format!("cursor={}", encode(cursor)));
        }
        if let Some(id) = assign {
            parts.push(format!("assign={}", encode(id)));
        }
        if parts.is_empty() { "/admin".to_owned() } else { format!("/admin?{}", parts.join("&")) }
    }

    /// Reads the value of `sort`: a column's name, with a leading `-` for the other way round.
    pub fn set_sort(&mut self, text: &str) {
        self.descending = text.starts_with('-');
        self.sort = LiveSort::from_code(text.trim_start_matches('-'));
    }
}

#[cfg(test)]
mod tests {
    use super::{LiveQuery, LiveSort};
    use crate::session::SessionStatus;

    #[test]
    fn the_address_says_what_the_table_shows() {
        let mut query = LiveQuery::default();
        assert_eq!(query.href(None, None), "/admin");
        query.status = Some(SessionStatus::Requested);
        query.search = "maya & co".to_owned();
        query.set_sort("-total");
        assert_eq!(query.sort, LiveSort::Total);
        assert_eq!(
            query.href(Some("abc"), None),
            "/admin?status=requested&q=maya%20%26%20co&sort=-total&cursor=abc"
        );
    }
}
