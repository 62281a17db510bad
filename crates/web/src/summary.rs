//! `/sessions/{id}/summary` and `/sessions/{id}/complete`: what the mechanic wrote down, and everything a customer
//! takes home from a session.

use askama::Template;

use crate::chat::{EventBody, FileLink, NoteKind};
use crate::form::Errors;
use crate::frame::{Frame, Role};
use crate::money::Amount;
use crate::plan::ReceiptLine;
use crate::session::{SessionStatus, initials};

/// The session that a summary belongs to.
#[derive(Clone, Debug, Default)]
pub struct SummarySession {
    /// Its id.
    pub id: String,
    /// The plan's name, and whether it has become video.
    pub plan_name: String,
    /// How long it may take, in minutes: with what was added to it.
    pub duration_minutes: i64,
    /// Where it stands.
    pub status: SessionStatus,
    /// Who asked.
    pub customer_name: String,
    /// Who answered; empty if nobody has.
    pub mechanic_name: String,
    /// Year, make and model, with the mileage where it is known.
    pub vehicle: Option<String>,
    /// RFC 3339, once it has begun.
    pub started_at: Option<String>,
    /// RFC 3339, once it is over.
    pub ended_at: Option<String>,
}

/// A summary as both sides read it.
#[derive(Clone, Debug, Default)]
pub struct WrittenSummary {
    /// Who wrote it.
    pub mechanic_name: String,
    /// What is wrong with the car.
    pub findings: String,
    /// What was tried.
    pub steps_taken: String,
    /// What has to be bought.
    pub parts_needed: String,
    /// What to do now.
    pub next_steps: String,
    /// Photos that show it.
    pub photos: Vec<FileLink>,
    /// RFC 3339: when it was handed in.
    pub submitted_at: String,
    /// RFC 3339: when it was corrected; `None` if it never was.
    pub corrected_at: Option<String>,
}

/// One text of a summary with its heading.
pub(crate) struct Fact<'a> {
    pub(crate) label: &'static str,
    pub(crate) text: &'a str,
}

/// The texts that say something, in the order in which they are read.
pub(crate) fn facts<'a>(
    findings: &'a str,
    steps_taken: &'a str,
    parts_needed: &'a str,
    next_steps: &'a str,
) -> impl Iterator<Item = Fact<'a>> {
    let all = [
        ("Findings", findings),
        ("Steps taken", steps_taken),
        ("Parts needed", parts_needed),
        ("Next steps", next_steps),
    ];
    all.into_iter().filter(|(_, text)| !text.trim().is_empty()).map(|(label, text)| Fact { label, text })
}

impl WrittenSummary {
    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        facts(&self.findings, &self.steps_taken, &self.parts_needed, &self.next_steps)
    }

    pub(crate) fn initials(&self) -> String {
        initials(&self.mechanic_name)
    }
}

/// The form as it was typed, or as it was kept.
#[derive(Clone, Debug, Default)]
pub struct SummaryForm {
    /// What is wrong with the car.
    pub findings: String,
    /// What was tried.
    pub steps_taken: String,
    /// What has to be bought.
    pub parts_needed: String,
    /// What to do now.
    pub next_steps: String,
    /// Pictures of the session that can be chosen, with those that are.
    pub session_photos: Vec<PhotoChoice>,
    /// Pictures that were added to the form.
    pub uploads: Vec<FileLink>,
    /// RFC 3339: when the draft was kept; `None` if there is none.
    pub draft_saved_at: Option<String>,
    /// Whether a summary is there that this corrects.
    pub corrects: bool,
    /// How long a text may be, in characters.
    pub max_chars: i64,
    /// How many photos there may be.
    pub max_photos: i64,
    /// How large one may be, in bytes.
    pub max_file_bytes: i64,
}

/// A picture that can be chosen.
#[derive(Clone, Debug, Default)]
pub struct PhotoChoice {
    /// The picture.
    pub file: FileLink,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// What there is to see at `/sessions/{id}/summary`.
#[derive(Clone, Debug)]
pub enum SummaryView {
    /// Its mechanic writes.
    Writing(Box<SummaryForm>),
    /// It is there. `mine` for the mechanic, who can correct it.
    Written {
        /// What it says.
        summary: Box<WrittenSummary>,
        /// Whether the viewer may correct it.
        mine: bool,
    },
    /// It is not there yet.
    Waiting,
    /// There will be none: the session did not take place.
    Never,
    /// What was written in the session has been deleted.
    Gone,
}

/// The page of the summary.
#[derive(Debug, Template)]
#[template(path = "summary.html")]
pub struct SummaryPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The session.
    pub session: SummarySession,
    /// What there is to see.
    pub view: SummaryView,
    /// What was wrong with the form.
    pub errors: Errors,
}

impl SummaryPage {
    pub(crate) fn is_for_customer(&self) -> bool {
        self.frame.viewer.as_ref().is_some_and(|viewer| viewer.role == Role::Customer)
    }

    pub(crate) fn title(&self) -> String {
        match &self.view {
            SummaryView::Writing(form) if form.corrects => "Correct the summary".to_owned(),
            SummaryView::Writing(_) => "Write the summary".to_owned(),
            SummaryView::Written { .. } | SummaryView::Waiting | SummaryView::Never | SummaryView::Gone => {
                format!("Summary of {}", self.session.plan_name)
            }
        }
    }
}

/// One line of what was said.
#[derive(Clone, Debug)]
pub struct TranscriptLine {
    /// Who said it, or whom it is about.
    pub name: String,
    /// RFC 3339.
    pub at: String,
    /// What it was.
    pub body: EventBody,
}

impl TranscriptLine {
    pub(crate) fn note(&self) -> String {
        self.body.told(&self.name)
    }
}

/// The page of a session that is over.
#[derive(Debug, Template)]
#[template(path = "complete.html")]
pub struct CompletePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The session.
    pub session: SummarySession,
    /// What the mechanic wrote; `None` while it is not there.
    pub summary: Option<WrittenSummary>,
    /// The problem in the customer's words; empty if there is none.
    pub concern: String,
    /// What was said, without reactions.
    pub transcript: Vec<TranscriptLine>,
    /// What was paid, line by line; empty for viewers who did not pay.
    pub receipt: Vec<ReceiptLine>,
    /// What was paid in all.
    pub total: Amount,
    /// What of it went back, or is on its way.
    pub refunded: Amount,
    /// The order whose receipt can be read.
    pub receipt_order_id: Option<String>,
    /// The plan to ask again with.
    pub plan_code: String,
    /// The name of that plan.
    pub again_name: String,
    /// Whether the viewer is the customer.
    pub is_customer: bool,
    /// Whether what was written in the session has been deleted.
    pub content_dropped: bool,
}

impl CompletePage {
    /// The first line of the findings, which is what a customer wants to know; else that it is over.
    pub(crate) fn heading(&self) -> String {
        let finding = self
            .summary
            .as_ref()
            .and_then(|summary| summary.findings.lines().find(|line| !line.trim().is_empty()));
        match finding {
            Some(line) if line.chars().count() <= 120 => line.trim().to_owned(),
            _ if !self.is_customer => format!("Session of {}", self.session.customer_name),
            _ if self.session.mechanic_name.is_empty() => "Your session is over".to_owned(),
            _ => format!("Your session with {}", self.session.mechanic_name),
        }
    }

    pub(crate) fn is_refunded(&self) -> bool {
        self.has_refund() && self.refunded.cents >= self.total.cents
    }

    pub(crate) fn has_refund(&self) -> bool {
        self.refunded.cents > 0
    }

    pub(crate) fn taken_off(&self) -> Amount {
        Amount::new(self.refunded.cents.saturating_neg(), self.refunded.currency.as_str())
    }

    pub(crate) fn left(&self) -> Amount {
        Amount::new(self.total.cents.saturating_sub(self.refunded.cents), self.total.currency.as_str())
    }
}

/// Whether a note belongs into a transcript: who came and went, the start and the end.
#[must_use]
pub const fn is_told(kind: NoteKind) -> bool {
    match kind {
        NoteKind::Joined
        | NoteKind::Left
        | NoteKind::Started
        | NoteKind::Ended
        | NoteKind::Cancelled
        | NoteKind::Unaccepted
        | NoteKind::TimeUp
        | NoteKind::CustomerMissing
        | NoteKind::MechanicMissing
        | NoteKind::SessionUpgraded
        | NoteKind::Extended
        | NoteKind::Paid
        | NoteKind::Refunded
        | NoteKind::RefundFailed
        | NoteKind::ObserverJoined => true,
        NoteKind::UpgradeSuggested
        | NoteKind::File
        | NoteKind::SummaryWritten
        | NoteKind::SummaryCorrected
        | NoteKind::TimeWarning
        | NoteKind::Payment => false,
    }
}
