//! An application to work on Pitlane: what it says, and where it stands.
//!
//! ```text
//! submitted ──ask──► asked_again ──answer──► submitted
//!     │                   │
//!     └──approve, refuse──┘──► approved | refused        withdrawn: the applicant joined a workshop instead
//! ```
//!
//! A person has at most one open application. Who was refused may apply again after [`REAPPLY_SECONDS`].

use kernel::{ApplicationId, ApplicationStepId, FileId, Timestamp, UserId};

use crate::error::{Error, FieldError, Fields};
use crate::profile::{Name, Phone};
use crate::specialty::Specialty;

/// How long somebody who was refused waits until they may apply again, in seconds: 30 days.
pub const REAPPLY_SECONDS: i64 = 30 * 86_400;
/// The most years of experience that are believed.
pub const YEARS_MAX: i64 = 80;
/// The most specialties of one application.
pub const SPECIALTIES_MAX: usize = 12;
/// The most licences and certificates of one application.
pub const APPLICATION_FILES_MAX: usize = 10;
/// The most characters of a note.
pub const NOTE_MAX_CHARS: usize = 2_000;
/// The most characters of a question, an answer or a reason.
pub const WORDS_MAX_CHARS: usize = 500;
/// The most times that one application is sent.
pub const REVISIONS_MAX: u32 = 100;

/// The media types of licences and certificates, as the first bytes of a file tell them.
pub const APPLICATION_FILE_TYPES: [&str; 4] = ["application/pdf", "image/jpeg", "image/png", "image/webp"];

/// What somebody applies as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplicationKind {
    /// One mechanic.
    Mechanic,
    /// A company with several.
    Workshop,
}

impl ApplicationKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Mechanic, Self::Workshop];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mechanic => "mechanic",
            Self::Workshop => "workshop",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplicationStatus {
    /// An admin has to look at it.
    Submitted,
    /// An admin has asked something; the applicant has to answer.
    AskedAgain,
    /// The applicant may work.
    Approved,
    /// The applicant may not, for a reason that was told.
    Refused,
    /// The applicant joined a workshop before it was decided.
    Withdrawn,
}

impl ApplicationStatus {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Submitted, Self::AskedAgain, Self::Approved, Self::Refused, Self::Withdrawn];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::AskedAgain => "asked_again",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether it waits for somebody.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Submitted | Self::AskedAgain => true,
            Self::Approved | Self::Refused | Self::Withdrawn => false,
        }
    }
}

/// What is told of a mechanic alone, or of a workshop alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trade {
    /// One mechanic.
    Mechanic {
        /// Years of experience, 0 to [`YEARS_MAX`].
        years: u8,
    },
    /// A company.
    Workshop {
        /// Its name, as customers will see it.
        business_name: Name,
        /// Street and number, 1 to 200 characters.
        address: String,
        /// The city, 1 to 100 characters.
        city: String,
    },
}

impl Trade {
    /// The kind.
    pub const fn kind(&self) -> ApplicationKind {
        match self {
            Self::Mechanic { .. } => ApplicationKind::Mechanic,
            Self::Workshop { .. } => ApplicationKind::Workshop,
        }
    }
}

/// What an application says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The mechanic, or whom to talk to at a workshop.
    pub name: Name,
    /// The telephone number.
    pub phone: Phone,
    /// What is told of a mechanic alone, or of a workshop alone.
    pub trade: Trade,
    /// 1 to [`SPECIALTIES_MAX`], each once.
    pub specialties: Vec<Specialty>,
    /// Anything else, up to [`NOTE_MAX_CHARS`]; may be empty.
    pub note: String,
    /// Licences and certificates, 1 to [`APPLICATION_FILES_MAX`], each once.
    pub files: Vec<FileId>,
}

/// An application as it was typed.
#[derive(Debug, Clone, Default)]
pub struct TypedApplication {
    /// The mechanic, or whom to talk to at a workshop.
    pub name: String,
    /// The telephone number.
    pub phone: String,
    /// Years of experience; a mechanic's.
    pub years: Option<i64>,
    /// The company's name; a workshop's, as the two below.
    pub business_name: String,
    /// Street and number.
    pub address: String,
    /// The city.
    pub city: String,
    /// Codes of specialties.
    pub specialties: Vec<String>,
    /// Anything else.
    pub note: String,
    /// Uploads of the applicant.
    pub files: Vec<FileId>,
}

impl TypedApplication {
    /// The checked application.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, by the field names of the REST API.
    pub fn check(self, kind: ApplicationKind) -> Result<Details, Error> {
        let mut fields = Fields::default();
        let person = match kind {
            ApplicationKind::Mechanic => "name",
            ApplicationKind::Workshop => "contact_name",
        };
        let name = Name::parse(&self.name).map_err(|error| FieldError { field: person, ..error });
        let name = fields.check(name);
        let phone = fields.check(Phone::parse(&self.phone));
        let trade = match kind {
            ApplicationKind::Mechanic => {
                fields.check(years(self.years)).map(|years| Trade::Mechanic { years })
            }
            ApplicationKind::Workshop => {
                let business = line("business_name", "the workshop's name", &self.business_name, 100);
                let business = fields.check(business);
                let address = fields.check(line("address", "street and number", &self.address, 200));
                let city = fields.check(line("city", "the city", &self.city, 100));
                match (business.and_then(|name| Name::parse(&name).ok()), address, city) {
                    (Some(business_name), Some(address), Some(city)) => {
                        Some(Trade::Workshop { business_name, address, city })
                    }
                    (_, _, _) => None,
                }
            }
        };
        let specialties = fields.check(specialties(&self.specialties));
        let note = fields.check(text("note", &self.note, NOTE_MAX_CHARS));
        let files = fields.check(files(self.files));
        fields.finish()?;
        match (name, phone, trade, specialties, note, files) {
            (Some(name), Some(phone), Some(trade), Some(specialties), Some(note), Some(files)) => {
                Ok(Details { name, phone, trade, specialties, note, files })
            }
            (_, _, _, _, _, _) => Err(Error::Invalid(Vec::new())),
        }
    }
}

fn years(typed: Option<i64>) -> Result<u8, FieldError> {
    let field = "years_experience";
    let typed = typed.ok_or_else(|| FieldError::new(field, "required", "Enter your years of experience."))?;
    match u8::try_from(typed) {
        Ok(years) if typed <= YEARS_MAX => Ok(years),
        Ok(_) | Err(_) => {
            Err(FieldError::new(field, "out_of_range", format!("Enter a number from 0 to {YEARS_MAX}.")))
        }
    }
}

fn line(field: &'static str, what: &str, typed: &str, max: usize) -> Result<String, FieldError> {
    let trimmed = typed.trim();
    if trimmed.is_empty() {
        Err(FieldError::new(field, "required", format!("Enter {what}.")))
    } else if trimmed.chars().any(char::is_control) {
        Err(FieldError::new(field, "invalid", "Use letters, digits, spaces and punctuation on one line."))
    } else {
        text(field, trimmed, max)
    }
}

/// Text over several lines, trimmed; may be empty.
fn text(field: &'static str, typed: &str, max: usize) -> Result<String, FieldError> {
    let trimmed = typed.trim();
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if trimmed.chars().count() > max {
        Err(FieldError::new(field, "too_long", format!("Use at most {max} characters.")))
    } else if trimmed.chars().any(|c| (c.is_control() && c != '\n' && c != '\t' && c != '\r') || turns(c)) {
        Err(FieldError::new(field, "invalid", "Use letters, digits, spaces and punctuation."))
    } else {
        Ok(trimmed.to_owned())
    }
}

/// What an admin asks or gives as a reason, or an applicant answers: 1 to [`WORDS_MAX_CHARS`] characters.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub fn words(field: &'static str, typed: &str) -> Result<String, Error> {
    let checked = text(field, typed, WORDS_MAX_CHARS).map_err(|error| Error::Invalid(vec![error]))?;
    if checked.is_empty() { Err(Error::invalid(field, "required", "Write a sentence.")) } else { Ok(checked) }
}

/// The same, where nothing may be said.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub fn words_or_none(field: &'static str, typed: &str) -> Result<String, Error> {
    text(field, typed, WORDS_MAX_CHARS).map_err(|error| Error::Invalid(vec![error]))
}

fn specialties(typed: &[String]) -> Result<Vec<Specialty>, FieldError> {
    let field = "specialties";
    let mut chosen = Vec::new();
    for code in typed {
        let Some(specialty) = Specialty::parse(code) else {
            return Err(FieldError::new(field, "unknown_value", "Choose from the list of specialties."));
        };
        if !chosen.contains(&specialty) {
            chosen.push(specialty);
        }
    }
    if chosen.is_empty() {
        Err(FieldError::new(field, "required", "Choose at least one specialty."))
    } else if chosen.len() > SPECIALTIES_MAX {
        Err(FieldError::new(field, "too_many", format!("Choose at most {SPECIALTIES_MAX} specialties.")))
    } else {
        Ok(chosen)
    }
}

fn files(typed: Vec<FileId>) -> Result<Vec<FileId>, FieldError> {
    let mut files: Vec<FileId> = Vec::new();
    for file in typed {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    if files.is_empty() {
        Err(FieldError::new("file_ids", "required", "Add at least one licence or certificate."))
    } else if files.len() > APPLICATION_FILES_MAX {
        Err(FieldError::new("file_ids", "too_many", format!("Add at most {APPLICATION_FILES_MAX} files.")))
    } else {
        Ok(files)
    }
}

/// Everything that is stored about an [`Application`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// The application. Later ones have larger ids.
    pub id: ApplicationId,
    /// Who applies.
    pub user: UserId,
    /// Where it stands.
    pub status: ApplicationStatus,
    /// How often it was sent, from 1.
    pub revision: u32,
    /// What it says.
    pub details: Details,
    /// When it was sent first.
    pub submitted_at: Timestamp,
    /// When anything of it changed last.
    pub updated_at: Timestamp,
    /// The admin who decided.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// An application. It changes only along the arrows of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    record: ApplicationRecord,
}

impl Application {
    /// A new application.
    pub const fn submitted(id: ApplicationId, user: UserId, details: Details, now: Timestamp) -> Self {
        Self {
            record: ApplicationRecord {
                id,
                user,
                status: ApplicationStatus::Submitted,
                revision: 1,
                details,
                submitted_at: now,
                updated_at: now,
                decided_by: None,
                decided_at: None,
            },
        }
    }

    /// The application of a stored record; `None` when its decision does not fit its status.
    pub fn stored(record: ApplicationRecord) -> Option<Self> {
        let decided = match record.status {
            ApplicationStatus::Approved | ApplicationStatus::Refused => true,
            ApplicationStatus::Submitted | ApplicationStatus::AskedAgain | ApplicationStatus::Withdrawn => {
                false
            }
        };
        let fits = record.decided_by.is_some() == decided && record.decided_at.is_some() == decided;
        fits.then_some(Self { record })
    }

    /// What is to be stored.
    pub const fn record(&self) -> &ApplicationRecord {
        &self.record
    }

    /// The application.
    pub const fn id(&self) -> ApplicationId {
        self.record.id
    }

    /// Who applies.
    pub const fn user(&self) -> UserId {
        self.record.user
    }

    /// Where it stands.
    pub const fn status(&self) -> ApplicationStatus {
        self.record.status
    }

    /// What it says.
    pub const fn details(&self) -> &Details {
        &self.record.details
    }

    /// What somebody applies as.
    pub const fn kind(&self) -> ApplicationKind {
        self.record.details.trade.kind()
    }

    /// From when on the person may apply again; `None` when nothing keeps them.
    pub fn reapply_from(&self, now: Timestamp) -> Option<Timestamp> {
        let refused = self.record.decided_at.filter(|_| self.status() == ApplicationStatus::Refused)?;
        let from = refused.plus_seconds(REAPPLY_SECONDS);
        (now < from).then_some(from)
    }

    fn moved(mut self, to: ApplicationStatus, now: Timestamp) -> Self {
        self.record.status = to;
        self.record.updated_at = now;
        self
    }

    fn illegal(&self, to: ApplicationStatus) -> Error {
        if self.status().is_open() {
            Error::InvalidTransition { from: self.status().as_str(), to: to.as_str() }
        } else {
            Error::AlreadyDecided
        }
    }

    /// The application after an admin's question.
    ///
    /// # Errors
    /// [`Error::AlreadyDecided`]; [`Error::InvalidTransition`] when a question waits for its answer.
    pub fn asked(self, now: Timestamp) -> Result<Self, Error> {
        match self.status() {
            ApplicationStatus::Submitted => Ok(self.moved(ApplicationStatus::AskedAgain, now)),
            ApplicationStatus::AskedAgain
            | ApplicationStatus::Approved
            | ApplicationStatus::Refused
            | ApplicationStatus::Withdrawn => Err(self.illegal(ApplicationStatus::AskedAgain)),
        }
    }

    /// The application as it was sent again.
    ///
    /// # Errors
    /// [`Error::AlreadyDecided`]; [`Error::InvalidTransition`] when nothing was asked, or when it was sent
    /// [`REVISIONS_MAX`] times; [`Error::Invalid`] for another kind.
    pub fn answered(mut self, details: Details, now: Timestamp) -> Result<Self, Error> {
        if self.status() != ApplicationStatus::AskedAgain || self.record.revision >= REVISIONS_MAX {
            return Err(self.illegal(ApplicationStatus::Submitted));
        }
        if details.trade.kind() != self.kind() {
            return Err(Error::invalid("kind", "fixed", "An answer can't change what you apply as."));
        }
        self.record.details = details;
        self.record.revision += 1;
        Ok(self.moved(ApplicationStatus::Submitted, now))
    }

    /// The application after an admin's decision.
    ///
    /// # Errors
    /// [`Error::AlreadyDecided`].
    pub fn decided(mut self, approved: bool, by: UserId, now: Timestamp) -> Result<Self, Error> {
        let to = if approved { ApplicationStatus::Approved } else { ApplicationStatus::Refused };
        if !self.status().is_open() {
            return Err(self.illegal(to));
        }
        self.record.decided_by = Some(by);
        self.record.decided_at = Some(now);
        Ok(self.moved(to, now))
    }

    /// The application that its person does not need any more.
    ///
    /// # Errors
    /// [`Error::AlreadyDecided`].
    pub fn withdrawn(self, now: Timestamp) -> Result<Self, Error> {
        if self.status().is_open() {
            Ok(self.moved(ApplicationStatus::Withdrawn, now))
        } else {
            Err(Error::AlreadyDecided)
        }
    }
}

/// What kind of step it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The applicant sent it.
    Submitted,
    /// An admin asked.
    Asked,
    /// The applicant answered.
    Answered,
    /// An admin approved.
    Approved,
    /// An admin refused.
    Refused,
    /// The applicant joined a workshop instead.
    Withdrawn,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Submitted, Self::Asked, Self::Answered, Self::Approved, Self::Refused, Self::Withdrawn];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something that was said or decided about an application. Steps are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationStep {
    /// The step. Later ones have larger ids.
    pub id: ApplicationStepId,
    /// The application.
    pub application: ApplicationId,
    /// What it was.
    pub kind: StepKind,
    /// The applicant or an admin.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// The question, the answer or the reason; may be empty for the others.
    pub text: String,
}

#[cfg(test)]
#[path = "application/tests.rs"]
mod tests;
