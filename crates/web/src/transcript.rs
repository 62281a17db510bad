//! `/sessions/{id}/transcript`: everything that happened in a session, to read, print and keep.

use askama::Template;

use crate::chat::{Event, EventBody, FileLink, NoteKind};
use crate::clock;
use crate::frame::Frame;
use crate::summary::SummarySession;

/// The page.
#[derive(Debug, Template)]
#[template(path = "transcript.html")]
pub struct TranscriptPage {
    /// What surrounds the page. Its time zone is that of every time on the page.
    pub frame: Frame,
    /// The session.
    pub session: SummarySession,
    /// The problem in the customer's words; empty if there is none.
    pub concern: String,
    /// The log from its beginning.
    pub events: Vec<Event>,
    /// How many lines the log has; more than there are events when it is too long for a page.
    pub line_count: u64,
    /// The summary, if it was written and is still there.
    pub summary: Option<SummaryNote>,
    /// The hash of the log's last line, in hexadecimal.
    pub head_hash: String,
    /// Whether what was written in the session has been deleted.
    pub content_dropped: bool,
}

/// That there is a summary.
#[derive(Clone, Debug, Default)]
pub struct SummaryNote {
    /// Who wrote it.
    pub author: String,
    /// RFC 3339: when it was handed in, or corrected last.
    pub written_at: String,
}

/// A line as it is shown; reactions stand below their message.
pub(crate) struct Entry {
    pub(crate) seq: i64,
    /// The day, where it is another than that of the line before.
    pub(crate) day: Option<String>,
    pub(crate) time: String,
    pub(crate) name: String,
    /// What was written; `None` for what happened.
    pub(crate) text: Option<String>,
    pub(crate) note: String,
    pub(crate) files: Vec<FileLink>,
    pub(crate) reactions: Vec<Reaction>,
}

impl Entry {
    /// Whether a message has lost its content. One without text has files.
    pub(crate) fn is_erased(&self) -> bool {
        self.text.as_ref().is_some_and(String::is_empty) && self.files.is_empty()
    }
}

pub(crate) struct Reaction {
    pub(crate) emoji: String,
    pub(crate) names: Vec<String>,
}

impl Reaction {
    pub(crate) fn by(&self) -> String {
        self.names.join(", ")
    }
}

impl TranscriptPage {
    pub(crate) fn zone(&self) -> &str {
        if self.frame.time_zone.is_empty() { "UTC" } else { &self.frame.time_zone }
    }

    pub(crate) fn is_cut(&self) -> bool {
        u64::try_from(self.events.len()).is_ok_and(|shown| shown < self.line_count)
    }

    /// Whether a summary was handed in, though it may be gone.
    pub(crate) fn had_summary(&self) -> bool {
        let is_summary = |body: &EventBody| {
            matches!(body, EventBody::Note(NoteKind::SummaryWritten | NoteKind::SummaryCorrected))
        };
        self.events.iter().any(|event| is_summary(&event.body))
    }

    pub(crate) fn when(&self, instant: &str) -> String {
        clock::text(instant, self.zone())
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.events.len());
        let mut day = String::new();
        for event in &self.events {
            let (text, note, files) = match &event.body {
                EventBody::Reaction { target_seq, emoji, on } => {
                    if let Some(entry) = entries.iter_mut().find(|entry| entry.seq == *target_seq) {
                        react(&mut entry.reactions, emoji, &event.actor_name, *on);
                    }
                    continue;
                }
                EventBody::Message { text, files } => (Some(text.clone()), String::new(), files.clone()),
                EventBody::File(file) => (None, NoteKind::File.told(&event.actor_name), vec![file.clone()]),
                EventBody::Note(_) | EventBody::Money(..) => (None, event.told(), Vec::new()),
            };
            let today = clock::date(&event.created_at, self.zone());
            let new_day = (today != day).then(|| today.clone());
            day = today;
            entries.push(Entry {
                seq: event.seq,
                day: new_day,
                time: clock::time(&event.created_at, self.zone()),
                name: event.actor_name.clone(),
                text,
                note,
                files,
                reactions: Vec::new(),
            });
        }
        entries
    }
}

fn react(reactions: &mut Vec<Reaction>, emoji: &str, name: &str, on: bool) {
    if let Some(reaction) = reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
        reaction.names.retain(|known| known != name);
        if on {
            reaction.names.push(name.to_owned());
        }
    } else if on {
        reactions.push(Reaction { emoji: emoji.to_owned(), names: vec![name.to_owned()] });
    }
    reactions.retain(|reaction| !reaction.names.is_empty());
}
