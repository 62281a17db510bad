//! What is forgotten of sessions: when a person goes, and when the time is over.
//!
//! What people wrote, sent and reacted with goes, with the salts of its commitments, so that nobody can guess it back;
//! the lines stay in the log and the chain holds.

use kernel::id::{IntakeId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::participant::ParticipantRole;
use crate::status::Status;

/// A session that somebody takes part in and that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSeat {
    /// The session.
    pub session: SessionId,
    /// Where it stands.
    pub status: Status,
    /// As what the person takes part.
    pub role: ParticipantRole,
}

/// Forgetting, inside one transaction.
pub trait RetentionStore {
    /// The sessions of this person that have not ended, oldest first, at most `limit`.
    fn seats_open(&mut self, user: UserId, limit: u32) -> Result<Vec<OpenSeat>, StoreError>;
    /// Deletes what this person wrote and sent, and everything that was written, sent and summed up in the sessions
    /// that they bought. Files are handed to the sweep of unused uploads.
    fn person_forget(&mut self, user: UserId, now: Timestamp) -> Result<(), StoreError>;
    /// Ended sessions from before that instant whose content is still there, oldest first, at most `limit`.
    fn sessions_with_content(&mut self, before: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError>;
    /// Deletes what was written and sent in a session. The summary stays, without its pictures.
    fn session_content_drop(&mut self, session: SessionId, now: Timestamp) -> Result<(), StoreError>;
    /// Deletes the session with its log, its people and its summary, and answers with its intake. Nothing outside this
    /// domain may refer to it any more.
    fn session_delete(&mut self, session: SessionId, now: Timestamp) -> Result<Option<IntakeId>, StoreError>;
}
