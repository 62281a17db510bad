//! `/admin/applications` and `/admin/applications/{id}`: an admin's queue of applications, and one of them.
//!
//! The three decisions post to `/api/admin/applications/{id}/approve`, `/ask` and `/refuse`, by script.

use askama::Template;

use crate::apply::{ApplicationStatus, Fact, PaperLink};
use crate::frame::Frame;
use crate::start::encode;

/// The queue.
#[derive(Debug, Template)]
#[template(path = "applications.html")]
pub struct ApplicationsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Which are shown; `None` for those that are open.
    pub status: Option<ApplicationStatus>,
    /// How many wait for a decision, whatever is shown.
    pub waiting: i64,
    /// One page of applications.
    pub rows: Vec<ApplicationRow>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// One application of the queue.
#[derive(Clone, Debug, Default)]
pub struct ApplicationRow {
    /// Its id.
    pub id: String,
    /// The mechanic or the workshop.
    pub name: String,
    /// Whether it is a workshop's.
    pub workshop: bool,
    /// The mail address of the account.
    pub email: String,
    /// Where it stands.
    pub status: ApplicationStatus,
    /// How often it was sent.
    pub revision: i64,
    /// RFC 3339.
    pub submitted_at: String,
}

/// A filter above the table.
pub(crate) struct Filter {
    pub(crate) label: &'static str,
    pub(crate) href: String,
    pub(crate) current: bool,
}

impl ApplicationsPage {
    pub(crate) fn title(&self) -> String {
        match self.waiting {
            0 => "No application waits for a decision".to_owned(),
            1 => "1 application waits for a decision".to_owned(),
            count => format!("{count} applications wait for a decision"),
        }
    }

    pub(crate) fn filters(&self) -> Vec<Filter> {
        [("Open", None)]
            .into_iter()
            .chain(ApplicationStatus::ALL.map(|status| (status.label(), Some(status))))
            .map(|(label, status)| Filter { label, href: href(status, None), current: self.status == status })
            .collect()
    }

    pub(crate) fn next_href(&self) -> Option<String> {
        self.next_cursor.as_deref().map(|cursor| href(self.status, Some(cursor)))
    }
}

fn href(status: Option<ApplicationStatus>, cursor: Option<&str>) -> String {
    let status = status.map(|status| format!("status={}", status.code()));
    let cursor = cursor.map(|cursor| format!("cursor={}", encode(cursor)));
    let parts: Vec<String> = status.into_iter().chain(cursor).collect();
    if parts.is_empty() {
        "/admin/applications".to_owned()
    } else {
        format!("/admin/applications?{}", parts.join("&"))
    }
}

/// One application.
#[derive(Debug, Default, Template)]
#[template(path = "application.html")]
pub struct ApplicationPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The application.
    pub row: ApplicationRow,
    /// The applicant's user id.
    pub user_id: String,
    /// Whether the mail address is confirmed.
    pub email_verified: bool,
    /// What it says.
    pub facts: Vec<Fact>,
    /// Its licences and certificates.
    pub papers: Vec<PaperLink>,
    /// What was said and decided, in order.
    pub steps: Vec<StepRow>,
}

/// Something that was said or decided.
#[derive(Clone, Debug, Default)]
pub struct StepRow {
    /// `submitted`, `asked`, `answered`, `approved`, `refused` or `withdrawn`.
    pub kind: String,
    /// RFC 3339.
    pub at: String,
    /// The admin's name; `None` for the applicant.
    pub admin: Option<String>,
    /// What was said; may be empty.
    pub text: String,
}

impl StepRow {
    pub(crate) fn label(&self) -> &'static str {
        match self.kind.as_str() {
            "submitted" => "Applied",
            "asked" => "Asked",
            "answered" => "Answered and sent again",
            "approved" => "Approved",
            "refused" => "Refused",
            _ => "Taken back",
        }
    }
}

impl ApplicationPage {
    pub(crate) fn can_ask(&self) -> bool {
        self.row.status == ApplicationStatus::Submitted
    }
}

#[cfg(test)]
mod tests {
    use super::{ApplicationStatus, href};

    #[test]
    fn the_address_says_what_the_table_shows() {
        assert_eq!(href(None, None), "/admin/applications");
        assert_eq!(
            href(Some(ApplicationStatus::Refused), Some("a b")),
            "/admin/applications?status=refused&cursor=a%20b"
        );
    }
}
