//! The mechanic's written summary: a draft that only its author sees, and what both sides read once it is handed in.

use kernel::id::{FileId, SessionId, UserId};
use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Invalid};
use crate::event::{Event, EventActor, Kind};
use crate::participant::{ParticipantRole, Seat};
use crate::status::Status;
use crate::store::Store;

/// The most characters of one of a summary's texts.
pub const SUMMARY_TEXT_MAX_CHARS: usize = 4_000;
/// The most photos of a summary.
pub const SUMMARY_MAX_PHOTOS: usize = 10;

/// One of the texts of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryField {
    /// What is wrong with the car.
    Findings,
    /// What was tried in the session.
    StepsTaken,
    /// What has to be bought.
    PartsNeeded,
    /// What to do now.
    NextSteps,
}

impl SummaryField {
    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::StepsTaken => "steps_taken",
            Self::PartsNeeded => "parts_needed",
            Self::NextSteps => "next_steps",
        }
    }
}

/// What a summary says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SummaryText {
    /// What is wrong with the car. The only text that a summary can't do without.
    pub findings: String,
    /// What was tried in the session.
    pub steps_taken: String,
    /// What has to be bought.
    pub parts_needed: String,
    /// What to do now.
    pub next_steps: String,
    /// Photos, at most [`SUMMARY_MAX_PHOTOS`], none twice.
    pub photos: Vec<FileId>,
}

impl SummaryText {
    /// The texts with their names, in the order in which they are read.
    pub fn fields(&self) -> [(SummaryField, &str); 4] {
        [
            (SummaryField::Findings, &self.findings),
            (SummaryField::StepsTaken, &self.steps_taken),
            (SummaryField::PartsNeeded, &self.parts_needed),
            (SummaryField::NextSteps, &self.next_steps),
        ]
    }

    // A draft may be anything that can be stored.
    fn storable(&self) -> Result<(), Invalid> {
        for (field, text) in self.fields() {
            if text.chars().count() > SUMMARY_TEXT_MAX_CHARS {
                return Err(Invalid::SummaryTooLong { field, max_chars: SUMMARY_TEXT_MAX_CHARS });
            }
            if text.contains('\0') {
                return Err(Invalid::SummaryCharacters(field));
            }
        }
        if self.photos.len() > SUMMARY_MAX_PHOTOS {
            return Err(Invalid::TooManyPhotos { max: SUMMARY_MAX_PHOTOS });
        }
        match self.photos.iter().enumerate().find(|(at, photo)| self.photos[..*at].contains(photo)) {
            Some((_, twice)) => Err(Invalid::Photo(*twice)),
            None => Ok(()),
        }
    }

    fn complete(&self) -> Result<(), Invalid> {
        self.storable()?;
        if self.findings.trim().is_empty() { Err(Invalid::FindingsBlank) } else { Ok(()) }
    }
}

/// A summary that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The session.
    pub session: SessionId,
    /// The mechanic who handed it in last.
    pub author: UserId,
    /// What it says.
    pub text: SummaryText,
    /// 1 when it was handed in, one more with each correction.
    pub revision: u32,
    /// When it was handed in first.
    pub submitted_at: Timestamp,
    /// When it was handed in last.
    pub updated_at: Timestamp,
}

/// What a mechanic has written so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryDraft {
    /// The session.
    pub session: SessionId,
    /// Who writes.
    pub author: UserId,
    /// What it says up to now; may be empty.
    pub text: SummaryText,
    /// When it was kept last.
    pub updated_at: Timestamp,
}

/// What handing in did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The summary as it stands.
    pub summary: Summary,
    /// The line that it added to the log; `None` when it said the same already.
    pub event: Option<Event>,
}

/// What the line of the log says about a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryEvent {
    /// 1 when it was handed in, one more with each correction.
    pub revision: u32,
}

/// The session's mechanic hands a summary in, or corrects it. Saying the same again changes nothing. The draft is gone
/// afterwards.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session; [`Error::WrongRole`] for who is not its mechanic;
/// [`Error::NotStarted`], [`Error::SessionClosed`] when it was called off or its content is gone; [`Error::Invalid`].
pub fn submit_summary(
    store: &mut dyn Store,
    session: SessionId,
    by: UserId,
    text: SummaryText,
    cx: &Context,
) -> Result<Submitted, Error> {
    text.complete()?;
    let seat = writing(store.seat_for_update(session, by)?)?;
    let earlier = store.summary(session)?;
    if let Some(same) = earlier.as_ref().filter(|earlier| earlier.text == text) {
        store.summary_draft_delete(session)?;
        return Ok(Submitted { summary: same.clone(), event: None });
    }
    store.photos_usable(&text.photos, by, session, cx.now)?.map_err(Invalid::Photo)?;
    store.photos_attach(&text.photos, session, cx.now)?;
    let summary = Summary {
        session,
        author: by,
        text,
        revision: earlier.as_ref().map_or(1, |earlier| earlier.revision.saturating_add(1)),
        submitted_at: earlier.map_or(cx.now, |earlier| earlier.submitted_at),
        updated_at: cx.now,
    };
    store.summary_upsert(&summary)?;
    store.summary_draft_delete(session)?;
    // The log says that there is a summary; what it says is read from the summary, which can be corrected and erased.
    let body = serde_json::to_string(&SummaryEvent { revision: summary.revision })
        .expect("a struct of plain fields is always JSON");
    let actor = EventActor::person(by, seat.role.into());
    let event = Event::next(session, &seat.head, Kind::Summary, actor, body, None, cx);
    if !store.event_append(&event)? {
        return Err(kernel::StoreError::corrupt("session log", "the next line exists").into());
    }
    Ok(Submitted { summary, event: Some(event) })
}

/// Keeps what the session's mechanic has written so far.
///
/// # Errors
/// Those of [`submit_summary`]; a draft may leave everything empty.
pub fn save_summary_draft(
    store: &mut dyn Store,
    session: SessionId,
    by: UserId,
    text: SummaryText,
    cx: &Context,
) -> Result<SummaryDraft, Error> {
    text.storable()?;
    writing(store.seat_for_update(session, by)?)?;
    store.photos_usable(&text.photos, by, session, cx.now)?.map_err(Invalid::Photo)?;
    let draft = SummaryDraft { session, author: by, text, updated_at: cx.now };
    store.summary_draft_upsert(&draft)?;
    Ok(draft)
}

/// The draft of this mechanic; `None` when there is none.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session; [`Error::WrongRole`] for who is not its mechanic.
pub fn summary_draft(
    store: &mut dyn Store,
    session: SessionId,
    by: UserId,
) -> Result<Option<SummaryDraft>, Error> {
    mechanic(store.seat(session, by)?)?;
    // Whoever was there before wrote for himself.
    Ok(store.summary_draft(session)?.filter(|draft| draft.author == by))
}

fn mechanic(seat: Option<Seat>) -> Result<Seat, Error> {
    let seat = seat.ok_or(Error::NotFound)?;
    match seat.role {
        ParticipantRole::Mechanic => Ok(seat),
        ParticipantRole::Customer | ParticipantRole::Observer => Err(Error::WrongRole),
    }
}

fn writing(seat: Option<Seat>) -> Result<Seat, Error> {
    let seat = mechanic(seat)?;
    may_summarise(seat.status, seat.content_dropped)?;
    Ok(seat)
}

/// Whether a summary can be written in this status: from the start on, and after the end until what was written in the
/// session is deleted.
///
/// # Errors
/// [`Error::NotStarted`]; [`Error::SessionClosed`] when it never took place, or its content is gone.
pub const fn may_summarise(status: Status, content_dropped: bool) -> Result<(), Error> {
    match status {
        Status::InProgress | Status::Completed if content_dropped => Err(Error::SessionClosed),
        Status::InProgress | Status::Completed => Ok(()),
        Status::Requested | Status::Scheduled | Status::Accepted => Err(Error::NotStarted),
        Status::Cancelled | Status::Expired => Err(Error::SessionClosed),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn text(findings: &str) -> SummaryText {
        SummaryText { findings: findings.to_owned(), ..SummaryText::default() }
    }

    #[test]
    fn a_summary_says_what_was_found_and_a_draft_may_be_empty() {
        assert_eq!(text("  \n").complete(), Err(Invalid::FindingsBlank));
        assert_eq!(text("  \n").storable(), Ok(()));
        assert_eq!(text("The coil.").complete(), Ok(()));
    }

    #[test]
    fn texts_are_counted_in_characters() {
        let longest = "é".repeat(SUMMARY_TEXT_MAX_CHARS);
        assert_eq!(text(&longest).complete(), Ok(()));
        let longer = SummaryText { next_steps: format!("{longest}é"), ..text("x") };
        let refused =
            Invalid::SummaryTooLong { field: SummaryField::NextSteps, max_chars: SUMMARY_TEXT_MAX_CHARS };
        assert_eq!(longer.complete(), Err(refused));
        let nul = SummaryText { parts_needed: "a\0".to_owned(), ..text("x") };
        assert_eq!(nul.storable(), Err(Invalid::SummaryCharacters(SummaryField::PartsNeeded)));
    }

    #[test]
    fn photos_are_few_and_different() {
        let photo = |number| FileId::new(Uuid::from_u128(number));
        let with = |photos: Vec<FileId>| SummaryText { photos, ..text("x") };
        assert_eq!(with((0..10).map(photo).collect()).complete(), Ok(()));
        assert_eq!(with((0..11).map(photo).collect()).complete(), Err(Invalid::TooManyPhotos { max: 10 }));
        assert_eq!(with(vec![photo(1), photo(2), photo(1)]).complete(), Err(Invalid::Photo(photo(1))));
    }

    #[test]
    fn it_is_written_from_the_start_on_and_after_the_end() {
        for status in Status::ALL {
            let allowed = matches!(status, Status::InProgress | Status::Completed);
            assert_eq!(may_summarise(status, false).is_ok(), allowed, "{status}");
            assert!(
                may_summarise(status, true).is_err(),
                "{status}: nothing is written after the rest was deleted"
            );
        }
    }
}
