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
    /// Where to look; `None` where there is nothing but the board.
    pub url: Option<String>,
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
        match m.due() {
            Some(due) => format!("Dispute: answer by {due}"),
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

    pub(crate) fn href(&self) -> &str {
        self.url.as_deref().unwrap_or(&self.board_url)
    }

    pub(crate) fn link(&self) -> &'static str {
        if self.url.is_some() { self.finding.link(false) } else { "Open the board" }
    }
}

impl DisputeOpened {
    pub(crate) fn detail(&self) -> String {
        self.finding.detail(&self.sender.time_zone)
    }

    pub(crate) fn due(&self) -> Option<String> {
        self.finding.due_at().map(|at| crate::clock::long_date(at, &self.sender.time_zone))
    }
}

#[cfg(test)]
mod tests {
    use super::{Message as _, Sender, SupportAlert};
    use crate::alert::Finding;
    use crate::money::Amount;

    #[test]
    fn where_there_is_no_place_to_look_the_button_opens_the_board() {
        let finding = Finding::RefundFailed { customer: "Dana".to_owned(), amount: Amount::new(999, "usd") };
        let board_url = "http://localhost:8080/admin".to_owned();
        let alert =
            SupportAlert { sender: Sender::default(), finding, since: String::new(), url: None, board_url };
        let mail = alert.compose().expect("a mail");
        assert!(mail.text.contains("Open the board: http://localhost:8080/admin\n"), "{}", mail.text);
        assert!(mail.html.contains(">Open the board</a>"), "{}", mail.html);
    }
}
