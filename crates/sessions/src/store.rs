//! What this domain asks of the database.

use kernel::id::{FileId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::attendance::Attendance;
use crate::clock::Extension;
use crate::event::{Event, Kind};
use crate::participant::{Participant, Seat};
use crate::session::Session;
use crate::summary::{Summary, SummaryDraft};

/// A file of a message, as its body lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedFile {
    /// The file.
    pub id: FileId,
    /// The name it was uploaded under.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Of a picture: its width in pixels, as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Of a picture: its height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// Why files were not bound to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAttached {
    /// This one is no file of the owner, has expired, or is bound to another session.
    File(FileId),
    /// The session's files would hold more bytes than they may.
    Full,
}

/// Sessions, participants and the event log, inside one transaction.
///
/// Methods named `…_for_update` keep other writers of the same session waiting until the transaction ends; every
/// other write to a session comes after one of them. "Participant" means one who has not left.
pub trait Store {
    /// Stores a new session with an empty log. `false` when the id exists.
    fn session_insert(&mut self, session: &Session) -> Result<bool, StoreError>;
    /// The session.
    fn session_by_id(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// The session, locked.
    fn session_for_update(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// Stores what a step changed; the log's head is not touched.
    fn session_update(&mut self, session: &Session) -> Result<(), StoreError>;
    /// What one participant needs to write, with the session locked. `None` for everybody else.
    fn seat_for_update(&mut self, session: SessionId, user: UserId) -> Result<Option<Seat>, StoreError>;
    /// The same without a lock, to read.
    fn seat(&mut self, session: SessionId, user: UserId) -> Result<Option<Seat>, StoreError>;
    /// Adds a participant, or takes back one who had left. `false` when the place is taken: the person takes part
    /// already, or the session has a customer or mechanic.
    fn participant_insert(&mut self, participant: &Participant) -> Result<bool, StoreError>;
    /// The participants, in the order in which they came.
    fn participants(&mut self, session: SessionId) -> Result<Vec<Participant>, StoreError>;
    /// The participants, and when they were in the room.
    fn attendance(&mut self, session: SessionId) -> Result<Vec<(Participant, Attendance)>, StoreError>;
    /// Notes that somebody has come into the room, or has left it; `false` when that was known, or they don't take part.
    fn participant_attend(
        &mut self,
        session: SessionId,
        user: UserId,
        present: bool,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Notes that nobody is in any room: no server was there to let them in.
    fn participants_gone(&mut self, at: Timestamp) -> Result<(), StoreError>;
    /// Notes that somebody no longer takes part.
    fn participant_leave(
        &mut self,
        session: SessionId,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Moves a read mark forward; `false` when it was there or further already.
    fn participant_read(&mut self, session: SessionId, user: UserId, seq: u64) -> Result<bool, StoreError>;
    /// Appends a line, moves the log's head to it and announces it once the transaction has been committed. `false`,
    /// and nothing changed, when the sender used its `client_ref` before.
    fn event_append(&mut self, event: &Event) -> Result<bool, StoreError>;
    /// The message that this sender sent under this reference.
    fn event_by_client_ref(
        &mut self,
        session: SessionId,
        sender: UserId,
        client_ref: &str,
    ) -> Result<Option<Event>, StoreError>;
    /// The line with this number.
    fn event_by_seq(&mut self, session: SessionId, seq: u64) -> Result<Option<Event>, StoreError>;
    /// This person's newest line of this kind whose body is one of `bodies`, to the byte.
    fn event_latest(
        &mut self,
        session: SessionId,
        actor: UserId,
        kind: Kind,
        bodies: &[String],
    ) -> Result<Option<Event>, StoreError>;
    /// The newest line of this kind, whoever made it.
    fn event_last_of(&mut self, session: SessionId, kind: Kind) -> Result<Option<Event>, StoreError>;
    /// The lines after `after_seq`, at most `limit`, in order.
    fn events_after(
        &mut self,
        session: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
    /// What was added to the session's time, the oldest first.
    fn extensions(&mut self, session: SessionId) -> Result<Vec<Extension>, StoreError>;
    /// Stores that time was added.
    fn extension_insert(&mut self, extension: &Extension) -> Result<(), StoreError>;
    /// Binds uploaded files to the session, again if they are bound to it already, and answers them in this order. All
    /// or none: after the inner error nothing was changed. The files of the session hold at most `max_bytes` together.
    fn files_attach(
        &mut self,
        files: &[FileId],
        owner: UserId,
        session: SessionId,
        max_bytes: u64,
        now: Timestamp,
    ) -> Result<Result<Vec<AttachedFile>, NotAttached>, StoreError>;
    /// The summary that was handed in.
    fn summary(&mut self, session: SessionId) -> Result<Option<Summary>, StoreError>;
    /// Stores a summary in place of the one before.
    fn summary_upsert(&mut self, summary: &Summary) -> Result<(), StoreError>;
    /// What is being written.
    fn summary_draft(&mut self, session: SessionId) -> Result<Option<SummaryDraft>, StoreError>;
    /// Stores a draft in place of the one before.
    fn summary_draft_upsert(&mut self, draft: &SummaryDraft) -> Result<(), StoreError>;
    /// Forgets the draft, if there is one.
    fn summary_draft_delete(&mut self, session: SessionId) -> Result<(), StoreError>;
    /// Whether a summary may show these: pictures of the session or its intake, or unused uploads of `owner`. The inner
    /// error names the first that it may not.
    fn photos_usable(
        &mut self,
        photos: &[FileId],
        owner: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Result<(), FileId>, StoreError>;
    /// Binds the unused among these uploads to the session.
    fn photos_attach(
        &mut self,
        photos: &[FileId],
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
