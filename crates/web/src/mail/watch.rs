//! Mails about what is overdue and what needs a person's eye.

use askama::Template;

use super::{Mail, Message, Sender, one_line};
use crate::Error;
use crate::alert::Finding;

/// Milestone `start_nudge`: to the mechanic of a session that should have begun.
#[derive(Clone, Debug, Default)]
pub struct StartNudge {
    /// Who sends it.
    pub sender: Sender,
    /// The mechanic's name.
    pub name: String,
    /// The customer's name.
    pub customer_name: String,
    /// The plan's name.
    pub plan_name: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// RFC 3339: when it should have begun.
    pub due_at: String,
    /// The room.
    pub session_url: String,
}

/// Milestone `support_alert`: to support's address.
#[derive(Clone, Debug)]
pub struct SupportAlert {
    /// Who sends it.
    pub sender: Sender,
    /// What was found.
    pub finding: Finding,
    /// RFC 3339: since when.
    pub since: String,
    /// Where to look.
    pub url: String,
    /// The board with everything that waits.
    pub board_url: String,
}

/// Milestone `dispute_opened`: to an admin.
#[derive(Clone, Debug)]
pub struct DisputeOpened {
    /// Who sends it.
    pub sender: Sender,
    /// The admin's name.
    pub name: String,
    /// The dispute.
    pub finding: Finding,
    /// RFC 3339: until when it can be answered.
    pub due_at: Option<String>,
    /// The session's log, which is the evidence; `None` when the money bought no session.
    pub log_url: Option<String>,
    /// The case, with all that speaks for us.
    pub case_url: String,
    /// The board with everything that waits.
    pub board_url: String,
}

message!(
    StartNudge,
    StartNudgeHtml = "mail/start_nudge.html",
    StartNudgeText = "mail/start_nudge.txt",
    |m| { format!("{} is waiting for you", m.customer_name) }
);
message!(
    SupportAlert,
    SupportAlertHtml = "mail/support_alert.html",
    SupportAlertText = "mail/support_alert.txt",
    |m| { format!("Needs attention: {}", m.finding.title()) }
);
message!(
    DisputeOpened,
    DisputeOpenedHtml = "mail/dispute_opened.html",
    DisputeOpenedText = "mail/dispute_opened.txt",
    |m| {
        match &m.due_at {
            Some(_) => format!("Dispute: answer by {}", m.due()),
            None => "A payment is disputed".to_owned(),
        }
    }
);

impl StartNudge {
    pub(crate) fn due(&self) -> String {
        self.sender.tell(&self.due_at)
    }
}

impl SupportAlert {
    pub(crate) fn detail(&self) -> String {
        self.finding.detail(&self.sender.time_zone)
    }

    pub(crate) fn since(&self) -> String {
        self.sender.tell(&self.since)
    }
}

impl DisputeOpened {
    pub(crate) fn detail(&self) -> String {
        self.finding.detail(&self.sender.time_zone)
    }

    pub(crate) fn due(&self) -> String {
        self.due_at
            .as_deref()
            .map_or_else(String::new, |at| crate::clock::long_date(at, &self.sender.time_zone))
    }
}
