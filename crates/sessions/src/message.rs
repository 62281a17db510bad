//! Messages.

use kernel::Context;
use kernel::id::{FileId, SessionId, UserId};
use serde::Serialize;

use crate::error::{Error, Invalid};
use crate::event::{Event, EventActor, Kind};
use crate::store::{AttachedFile, NotAttached, Store};

/// The most characters of a sender's own reference.
pub const CLIENT_REF_MAX_CHARS: usize = 64;
/// The most files of one message.
pub const MESSAGE_MAX_FILES: usize = 10;

/// What the operator allows (`sessions.message_max_bytes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLimits {
    /// The most bytes of a text, in UTF-8.
    pub max_bytes: u32,
    /// The most bytes of all files of a session.
    pub session_files_max_bytes: u64,
}

/// What a participant wants to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDraft {
    /// The sender's own reference, 1 to 64 characters: sending it again is the same message.
    pub client_ref: String,
    /// The text; may be blank only when there are files.
    pub text: String,
    /// Uploaded files of the sender, at most ten.
    pub files: Vec<FileId>,
}

/// A message that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The line.
    pub event: Event,
    /// Whether this call added it; `false` when it was there already.
    pub fresh: bool,
}

#[derive(Serialize)]
struct Body<'t> {
    text: &'t str,
    client_ref: &'t str,
    files: Vec<AttachedFile>,
}

/// Says something in a session. Sending the same reference again gives the first event.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session; [`Error::SessionClosed`], [`Error::NotAccepted`] or
/// [`Error::WrongRole`] for who may not write now; [`Error::Invalid`]; [`Error::FilesFull`].
pub fn post_message(
    store: &mut dyn Store,
    session: SessionId,
    sender: UserId,
    draft: &MessageDraft,
    limits: &MessageLimits,
    cx: &Context,
) -> Result<Posted, Error> {
    check(draft, limits)?;
    let seat = store.seat_for_update(session, sender)?.ok_or(Error::NotFound)?;
    if let Err(refusal) = seat.role.may_write(seat.status) {
        // A client that lost the answer and tries again after the end must learn that its message was kept.
        return earlier(store, session, sender, draft)?.ok_or(refusal);
    }
    // Files are bound before the line is written, so a repetition has to be found first.
    if !draft.files.is_empty()
        && let Some(posted) = earlier(store, session, sender, draft)?
    {
        return Ok(posted);
    }
    let files = if draft.files.is_empty() {
        Vec::new()
    } else {
        let max_bytes = limits.session_files_max_bytes;
        let attached = store.files_attach(&draft.files, sender, session, max_bytes, cx.now)?;
        attached.map_err(|refusal| not_attached(refusal, max_bytes))?
    };
    let body = Body { text: &draft.text, client_ref: &draft.client_ref, files };
    let body = serde_json::to_string(&body).expect("a struct of plain fields is always JSON");
    let actor = EventActor::person(sender, seat.role.into());
    let client_ref = Some(draft.client_ref.clone());
    let event = Event::next(session, &seat.head, Kind::Message, actor, body, client_ref, cx);
    if store.event_append(&event)? {
        return Ok(Posted { event, fresh: true });
    }
    earlier(store, session, sender, draft)?.ok_or_else(|| {
        kernel::StoreError::corrupt("session log", "a line was refused and no other is in its place").into()
    })
}

/// What a sender is told whose files were not bound to the session.
pub(crate) fn not_attached(refusal: NotAttached, max_bytes: u64) -> Error {
    match refusal {
        NotAttached::File(file) => Invalid::File(file).into(),
        NotAttached::Full => Error::FilesFull { max_bytes },
    }
}

fn check(draft: &MessageDraft, limits: &MessageLimits) -> Result<(), Invalid> {
    let MessageDraft { client_ref, text, files } = draft;
    let length = client_ref.chars().take(CLIENT_REF_MAX_CHARS + 1).count();
    if !(1..=CLIENT_REF_MAX_CHARS).contains(&length)
        || client_ref.chars().any(char::is_control)
        || client_ref.trim().is_empty()
    {
        return Err(Invalid::ClientRef);
    }
    if u32::try_from(text.len()).map_or(true, |bytes| bytes > limits.max_bytes) {
        return Err(Invalid::TextTooLong { max_bytes: limits.max_bytes });
    }
    if text.trim().is_empty() && files.is_empty() {
        return Err(Invalid::TextBlank);
    }
    if text.contains('\0') {
        return Err(Invalid::TextCharacters);
    }
    if files.len() > MESSAGE_MAX_FILES {
        return Err(Invalid::TooManyFiles { max: MESSAGE_MAX_FILES });
    }
    if let Some((_, twice)) = files.iter().enumerate().find(|(at, file)| files[..*at].contains(file)) {
        return Err(Invalid::File(*twice));
    }
    Ok(())
}

// Whatever the repetition says: the first line under a reference is the message.
fn earlier(
    store: &mut dyn Store,
    session: SessionId,
    sender: UserId,
    draft: &MessageDraft,
) -> Result<Option<Posted>, Error> {
    let event = store.event_by_client_ref(session, sender, &draft.client_ref)?;
    Ok(event.map(|event| Posted { event, fresh: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(client_ref: &str, text: &str) -> Option<Invalid> {
        let draft = MessageDraft { client_ref: client_ref.to_owned(), text: text.to_owned(), files: vec![] };
        super::check(&draft, &MessageLimits { max_bytes: 10, session_files_max_bytes: 0 }).err()
    }

    #[test]
    fn a_text_has_a_visible_character_and_at_most_the_allowed_bytes() {
        for (text, expected) in [
            ("hello", None),
            ("0123456789", None),
            ("ééééé", None),
            ("a\nb\tc", None),
            ("01234567890", Some(Invalid::TextTooLong { max_bytes: 10 })),
            ("éééééé", Some(Invalid::TextTooLong { max_bytes: 10 })),
            ("", Some(Invalid::TextBlank)),
            (" \n\t\u{3000}", Some(Invalid::TextBlank)),
            ("a\0b", Some(Invalid::TextCharacters)),
        ] {
            assert_eq!(check("r", text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_reference_has_1_to_64_visible_characters() {
        let longest = "é".repeat(64);
        let longer = "r".repeat(65);
        for (client_ref, valid) in [
            ("r", true),
            (longest.as_str(), true),
            ("", false),
            (longer.as_str(), false),
            (" ", false),
            ("a\nb", false),
        ] {
            assert_eq!(check(client_ref, "hello"), (!valid).then_some(Invalid::ClientRef), "{client_ref:?}");
        }
    }
}
