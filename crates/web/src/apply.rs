//! `/mechanic/apply`: applying as a mechanic or as a workshop, answering a question, and where it stands.
//!
//! The form posts to `/mechanic/apply` with `kind`, `name`, `phone`, `years_experience` or `business_name`,
//! `address` and `city`, any number of `specialties` and `file_ids`, `note`, and `answer` when something was asked.
//! Files go to `POST /api/files` by script, one request a file, before the form is sent.

use askama::Template;

use crate::form::Errors;
use crate::frame::Frame;
use crate::intake::{UploadedFile, file_size};

/// The page.
#[derive(Debug, Template)]
#[template(path = "apply.html")]
pub struct ApplyPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The form, or what was sent.
    pub view: ApplyView,
    /// What was wrong with the form, by the names of its fields.
    pub errors: Errors,
}

/// What the page shows.
#[derive(Debug)]
pub enum ApplyView {
    /// Something is to be sent.
    Form(Box<ApplyForm>),
    /// It was sent.
    Sent(Box<SentApplication>),
}

/// What was typed, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct ApplyForm {
    /// Whether a workshop applies, else a mechanic.
    pub workshop: bool,
    /// What an admin asks; then the kind can't be changed.
    pub question: Option<String>,
    /// Why the last application was refused.
    pub refused: Option<String>,
    /// The answer to the question.
    pub answer: String,
    /// The mechanic's name, or whom to talk to.
    pub name: String,
    /// The telephone number.
    pub phone: String,
    /// Years of experience.
    pub years: String,
    /// The workshop's name.
    pub business_name: String,
    /// Street and number.
    pub address: String,
    /// The city.
    pub city: String,
    /// The list to choose from.
    pub specialties: Vec<SpecialtyChoice>,
    /// Anything else.
    pub note: String,
    /// Files that were uploaded already.
    pub files: Vec<UploadedFile>,
    /// How many files may be added.
    pub max_files: i64,
    /// How large one file may be.
    pub max_file_bytes: i64,
}

/// One entry of the list of specialties.
#[derive(Clone, Debug, Default)]
pub struct SpecialtyChoice {
    /// Its code.
    pub code: String,
    /// Its name.
    pub label: String,
    /// Whether it is ticked.
    pub chosen: bool,
}

/// Where an application stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApplicationStatus {
    /// Somebody at Pitlane has to look at it.
    #[default]
    Submitted,
    /// The applicant has to answer.
    AskedAgain,
    /// Yes.
    Approved,
    /// No.
    Refused,
    /// Taken back.
    Withdrawn,
}

impl ApplicationStatus {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Submitted, Self::AskedAgain, Self::Approved, Self::Refused, Self::Withdrawn];

    /// The name in addresses and in the API.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::AskedAgain => "asked_again",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The words on the chip.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Submitted => "To decide",
            Self::AskedAgain => "Waits for an answer",
            Self::Approved => "Approved",
            Self::Refused => "Refused",
            Self::Withdrawn => "Taken back",
        }
    }

    pub(crate) fn chip(&self) -> &'static str {
        match self {
            Self::Approved => "chip chip-ok",
            Self::Refused => "chip chip-bad",
            Self::Submitted | Self::AskedAgain | Self::Withdrawn => "chip",
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Submitted | Self::AskedAgain)
    }
}

/// A file of an application.
#[derive(Clone, Debug, Default)]
pub struct PaperLink {
    /// The file's id.
    pub id: String,
    /// Its name on the applicant's device.
    pub name: String,
    /// Its size in bytes.
    pub bytes: i64,
    /// Whether it is a picture.
    pub picture: bool,
}

impl PaperLink {
    pub(crate) fn size(&self) -> String {
        file_size(self.bytes)
    }
}

/// One thing that an application says.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// What was typed.
    pub value: String,
}

/// An application that was sent.
#[derive(Clone, Debug, Default)]
pub struct SentApplication {
    /// Where it stands.
    pub status: ApplicationStatus,
    /// Why it was refused.
    pub reason: Option<String>,
    /// RFC 3339: from when on the person may apply again.
    pub reapply_from: Option<String>,
    /// RFC 3339.
    pub submitted_at: String,
    /// What it says.
    pub facts: Vec<Fact>,
    /// Its licences and certificates.
    pub papers: Vec<PaperLink>,
}

impl ApplyForm {
    pub(crate) fn max_file_megabytes(&self) -> i64 {
        self.max_file_bytes / 1_000_000
    }

    pub(crate) fn kind(&self) -> &'static str {
        if self.workshop { "workshop" } else { "mechanic" }
    }
}

impl ApplyPage {
    pub(crate) fn title(&self) -> &'static str {
        match &self.view {
            ApplyView::Form(form) if form.question.is_some() => "One question about your application",
            ApplyView::Form(form) if form.workshop => "Apply as a workshop",
            ApplyView::Form(_) => "Apply as a mechanic",
            ApplyView::Sent(sent) => match sent.status {
                ApplicationStatus::Submitted | ApplicationStatus::AskedAgain => {
                    "We are looking at your application"
                }
                ApplicationStatus::Approved => "You are approved",
                ApplicationStatus::Refused => "We can’t approve you now",
                ApplicationStatus::Withdrawn => "You took your application back",
            },
        }
    }
}
