//! Mails about applications, invitations and accounts that an admin closes.

use askama::Template;

use super::{Mail, Message, Sender, one_line};
use crate::Error;

/// Milestone `application_received`: to who applied.
#[derive(Clone, Debug, Default)]
pub struct ApplicationReceived {
    /// Who sends it.
    pub sender: Sender,
    /// The applicant's name.
    pub name: String,
    /// The workshop that applies; `None` for a mechanic.
    pub workshop: Option<String>,
    /// Where the application can be read.
    pub url: String,
}

/// Milestone `application_arrived`: to an admin.
#[derive(Clone, Debug, Default)]
pub struct ApplicationArrived {
    /// Who sends it.
    pub sender: Sender,
    /// Who applies, or answers: the mechanic or the workshop.
    pub applicant: String,
    /// Whether it is an answer to a question.
    pub is_answer: bool,
    /// The admin's page of the application.
    pub url: String,
}

/// Milestone `application_approved`.
#[derive(Clone, Debug, Default)]
pub struct ApplicationApproved {
    /// Who sends it.
    pub sender: Sender,
    /// The applicant's name.
    pub name: String,
    /// The workshop that applied; `None` for a mechanic.
    pub workshop: Option<String>,
    /// Their first page.
    pub url: String,
}

/// Milestone `application_asked`: an admin wants to know more.
#[derive(Clone, Debug, Default)]
pub struct ApplicationAsked {
    /// Who sends it.
    pub sender: Sender,
    /// The applicant's name.
    pub name: String,
    /// The admin's words.
    pub question: String,
    /// Where to answer.
    pub url: String,
}

/// Milestone `application_refused`.
#[derive(Clone, Debug, Default)]
pub struct ApplicationRefused {
    /// Who sends it.
    pub sender: Sender,
    /// The applicant's name.
    pub name: String,
    /// The admin's words.
    pub reason: String,
    /// RFC 3339: from when on they may apply again.
    pub reapply_from: String,
}

/// Milestone `workshop_invitation`.
#[derive(Clone, Debug, Default)]
pub struct WorkshopInvitation {
    /// Who sends it.
    pub sender: Sender,
    /// The workshop.
    pub workshop: String,
    /// `…/workshop/join/{token}`.
    pub url: String,
    /// How long the link works.
    pub valid_days: i64,
}

/// Milestone `account_suspended`.
#[derive(Clone, Debug, Default)]
pub struct AccountSuspended {
    /// Who sends it.
    pub sender: Sender,
    /// The person's name.
    pub name: String,
    /// The admin's words.
    pub reason: String,
}

/// Milestone `account_restored`.
#[derive(Clone, Debug, Default)]
pub struct AccountRestored {
    /// Who sends it.
    pub sender: Sender,
    /// The person's name.
    pub name: String,
    /// Where to sign in.
    pub url: String,
}

/// Milestone `approval_ended`.
#[derive(Clone, Debug, Default)]
pub struct ApprovalEnded {
    /// Who sends it.
    pub sender: Sender,
    /// The person's name.
    pub name: String,
    /// Whether they may not work for now; else they were never let in.
    pub suspended: bool,
    /// The admin's words.
    pub reason: String,
}

message!(
    ApplicationReceived,
    ReceivedHtml = "mail/application_received.html",
    ReceivedText = "mail/application_received.txt",
    |_m| { "We have your application".to_owned() }
);
message!(
    ApplicationArrived,
    ArrivedHtml = "mail/application_arrived.html",
    ArrivedText = "mail/application_arrived.txt",
    |m| {
        if m.is_answer {
            format!("{} has answered your question", m.applicant)
        } else {
            format!("New application: {}", m.applicant)
        }
    }
);
message!(
    ApplicationApproved,
    ApprovedHtml = "mail/application_approved.html",
    ApprovedText = "mail/application_approved.txt",
    |_m| { "You are approved".to_owned() }
);
message!(
    ApplicationAsked,
    AskedHtml = "mail/application_asked.html",
    AskedText = "mail/application_asked.txt",
    |_m| { "A question about your application".to_owned() }
);
message!(
    ApplicationRefused,
    RefusedHtml = "mail/application_refused.html",
    RefusedText = "mail/application_refused.txt",
    |_m| { "About your application".to_owned() }
);
message!(
    WorkshopInvitation,
    InvitationHtml = "mail/workshop_invitation.html",
    InvitationText = "mail/workshop_invitation.txt",
    |m| { format!("{} invites you to Pitlane", m.workshop) }
);
message!(
    AccountSuspended,
    SuspendedHtml = "mail/account_suspended.html",
    SuspendedText = "mail/account_suspended.txt",
    |_m| { "Your account is suspended".to_owned() }
);
message!(
    AccountRestored,
    RestoredHtml = "mail/account_restored.html",
    RestoredText = "mail/account_restored.txt",
    |_m| { "Your account is open again".to_owned() }
);

message!(
    ApprovalEnded,
    ApprovalEndedHtml = "mail/approval_ended.html",
    ApprovalEndedText = "mail/approval_ended.txt",
    |m| { m.heading().to_owned() }
);

impl ApprovalEnded {
    pub(crate) fn heading(&self) -> &'static str {
        if self.suspended { "You can’t work on Pitlane for now" } else { "We can’t approve you now" }
    }

    pub(crate) fn lead(&self) -> &'static str {
        if self.suspended {
            "an admin has suspended you as a mechanic. No new requests reach you. This is why."
        } else {
            "an admin has decided not to approve you as a mechanic. This is why."
        }
    }
}

impl ApplicationRefused {
    pub(crate) fn reapply(&self) -> String {
        crate::clock::long_date(&self.reapply_from, &self.sender.time_zone)
    }
}
