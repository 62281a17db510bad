//! Files that are added without a message.
//!
//! A message carries the files that belong to what it says. A client that only hands in a file, such as a scan tool,
//! adds it by itself: the log then has a line of the kind [`Kind::File`] instead of a message.

use kernel::Context;
use kernel::id::{FileId, SessionId, UserId};
use serde::Serialize;

use crate::error::Error;
use crate::event::{Event, EventActor, Kind};
use crate::message::not_attached;
use crate::store::{AttachedFile, Store};

#[derive(Serialize)]
struct Body<'f> {
    file: &'f AttachedFile,
}

/// A file that is in the session, and the line that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedFile {
    /// The file.
    pub file: AttachedFile,
    /// The line.
    pub event: Event,
}

/// Whether this person may add a file now. For an early answer; [`add_file`] decides.
///
/// # Errors
/// As for messages.
pub fn may_add_file(store: &mut dyn Store, session: SessionId, sender: UserId) -> Result<(), Error> {
    let seat = store.seat(session, sender)?.ok_or(Error::NotFound)?;
    seat.role.may_write(seat.status)
}

/// Adds an uploaded file of the sender to a session, whose files hold at most `max_bytes` together.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session; [`Error::SessionClosed`], [`Error::NotAccepted`] or
/// [`Error::WrongRole`] for who may not write now; [`crate::Invalid::File`]; [`Error::FilesFull`].
pub fn add_file(
    store: &mut dyn Store,
    session: SessionId,
    sender: UserId,
    file: FileId,
    max_bytes: u64,
    cx: &Context,
) -> Result<AddedFile, Error> {
    let seat = store.seat_for_update(session, sender)?.ok_or(Error::NotFound)?;
    seat.role.may_write(seat.status)?;
    let attached = store.files_attach(&[file], sender, session, max_bytes, cx.now)?;
    let mut attached = attached.map_err(|refusal| not_attached(refusal, max_bytes))?;
    let file = attached.pop().ok_or(crate::Invalid::File(file))?;
    let body = serde_json::to_string(&Body { file: &file }).expect("a struct of plain fields is always JSON");
    let actor = EventActor::person(sender, seat.role.into());
    let event = Event::next(session, &seat.head, Kind::File, actor, body, None, cx);
    if store.event_append(&event)? {
        Ok(AddedFile { file, event })
    } else {
        Err(kernel::StoreError::corrupt("session log", "the next line exists").into())
    }
}
