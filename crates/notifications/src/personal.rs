//! Notices on a person's own channel that must not be missed: the client acknowledges what it has shown, and where
//! nothing was acknowledged in time, the other channels of the milestone follow.

use kernel::id::{EventId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::milestone::Milestone;
use crate::store::Store;

/// How long an open page has to show a notice, in seconds.
pub const ACKNOWLEDGE_WITHIN_SECONDS: i64 = 20;

/// Something a person was told on their own channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalNotice {
    /// The id that the frame carries.
    pub id: EventId,
    /// Who was told.
    pub user: UserId,
    /// The session it is about.
    pub session: SessionId,
    /// What it is about.
    pub milestone: Milestone,
    /// When.
    pub created_at: Timestamp,
    /// When their client said that it was shown.
    pub acknowledged_at: Option<Timestamp>,
}

/// A person's client has shown the notice. One that is somebody else's, unknown or acknowledged before stays as it is.
///
/// # Errors
/// When the storage fails.
pub fn acknowledge(
    store: &mut dyn Store,
    notice: EventId,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.notice_acknowledge(notice, user, now)
}
