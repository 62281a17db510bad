//! `/admin/users` and `/admin/users/{id}`: looking people up, closing an account for now and opening it again.
//!
//! Search, filters and page are in the address. Suspending posts to `/api/admin/users/{id}/suspend`, restoring to
//! `/restore`, by script.

use askama::Template;

use crate::frame::Frame;
use crate::session::SessionStatus;
use crate::start::encode;

/// Looking people up.
#[derive(Debug, Default, Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What the address asks for.
    pub query: PeopleQuery,
    /// One page of people, newest first.
    pub rows: Vec<PersonRow>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// What `/admin/users?q=&role=&status=&cursor=` asks for.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// The beginning of an address, a part of a name, or an id.
    pub search: String,
    /// A role's name; empty for all.
    pub role: String,
    /// `active`, `suspended` or `erased`; empty for all but the erased.
    pub status: String,
}

/// One person.
#[derive(Clone, Debug, Default)]
pub struct PersonRow {
    /// The user's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// The role's name.
    pub role: String,
    /// `active`, `suspended` or `erased`.
    pub status: String,
    /// RFC 3339: since when the account exists.
    pub created_at: String,
}

/// A choice of a list.
pub(crate) struct Choice {
    pub(crate) value: &'static str,
    pub(crate) label: &'static str,
}

const ROLES: [Choice; 6] = [
    Choice { value: "", label: "Every role" },
    Choice { value: "customer", label: "Customer" },
    Choice { value: "mechanic", label: "Mechanic" },
    Choice { value: "workshop", label: "Workshop" },
    Choice { value: "support", label: "Support" },
    Choice { value: "admin", label: "Admin" },
];

const STATES: [Choice; 4] = [
    Choice { value: "", label: "Every state" },
    Choice { value: "active", label: "Active" },
    Choice { value: "suspended", label: "Suspended" },
    Choice { value: "erased", label: "Erased" },
];

fn label(choices: &'static [Choice], value: &str) -> &'static str {
    choices.iter().find(|choice| choice.value == value).map_or("", |choice| choice.label)
}

impl PersonRow {
    pub(crate) fn role_label(&self) -> &'static str {
        label(&ROLES, &self.role)
    }

    pub(crate) fn status_label(&self) -> &'static str {
        label(&STATES, &self.status)
    }

    pub(crate) fn chip(&self) -> &'static str {
        match self.status.as_str() {
            "active" => "chip chip-ok",
            "suspended" => "chip chip-bad",
            _ => "chip",
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.status == "suspended"
    }
}

impl PeopleQuery {
    fn href(&self, cursor: Option<&str>) -> String {
        let named = [("q", self.search.as_str()), ("role", &self.role), ("status", &self.status)];
        let parts: Vec<String> = named
            .into_iter()
            .chain(cursor.map(|cursor| ("cursor", cursor)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        if parts.is_empty() { "/admin/users".to_owned() } else { format!("/admin/users?{}", parts.join("&")) }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.search.is_empty() && self.role.is_empty() && self.status.is_empty()
    }
}

impl PeoplePage {
    pub(crate) fn roles(&self) -> &'static [Choice] {
        &ROLES
    }

    pub(crate) fn states(&self) -> &'static [Choice] {
        &STATES
    }

    pub(crate) fn next_href(&self) -> Option<String> {
        self.next_cursor.as_deref().map(|cursor| self.query.href(Some(cursor)))
    }
}

/// One person, as an admin sees them.
#[derive(Debug, Default, Template)]
#[template(path = "person.html")]
pub struct PersonPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The person.
    pub row: PersonRow,
    /// Whether the mail address is confirmed.
    pub email_verified: bool,
    /// The telephone number.
    pub phone: Option<String>,
    /// Where a mechanic's approval stands.
    pub approval: Option<String>,
    /// Whether a mechanic is on duty.
    pub on_duty: bool,
    /// The newest application.
    pub application: Option<String>,
    /// In how many sessions they took part.
    pub session_count: i64,
    /// Those that are not over.
    pub open: Vec<OpenSessionRow>,
    /// Why and since when (RFC 3339) the account is closed.
    pub suspension: Option<(String, String)>,
    /// Why and since when mail to the address is stopped.
    pub stopped_mail: Option<MailStop>,
    /// Whether the admin looks at their own account.
    pub own: bool,
}

impl PersonPage {
    pub(crate) fn sessions_href(&self) -> String {
        let search = if self.row.role == "mechanic" { &self.row.name } else { &self.row.email };
        format!("/admin/sessions?q={}", encode(search))
    }
}

/// What stops mail to an address.
#[derive(Clone, Debug, Default)]
pub struct MailStop {
    /// Whether the person reported a mail as unwanted; else one came back.
    pub complained: bool,
    /// RFC 3339: since when.
    pub at: String,
}

/// A session that is not over.
#[derive(Clone, Debug, Default)]
pub struct OpenSessionRow {
    /// The session's id.
    pub id: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// Whether the person is its mechanic.
    pub as_mechanic: bool,
}

impl OpenSessionRow {
    pub(crate) fn short_id(&self) -> &str {
        self.id.get(self.id.len().saturating_sub(8)..).unwrap_or(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::PeopleQuery;

    #[test]
    fn the_address_says_what_the_table_shows() {
        let mut query = PeopleQuery::default();
        assert!(query.is_plain());
        assert_eq!(query.href(None), "/admin/users");
        query.search = "maya & co".to_owned();
        query.status = "suspended".to_owned();
        assert_eq!(query.href(Some("abc")), "/admin/users?q=maya%20%26%20co&status=suspended&cursor=abc");
    }
}
