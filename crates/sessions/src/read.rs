//! How far somebody has read.

use kernel::id::{SessionId, UserId};

use crate::error::{Error, Invalid};
use crate::participant::ParticipantRole;
use crate::store::Store;

/// Notes that a participant has read up to `seq`, after the end of the session too. Answers whether the mark moved: it
/// never moves back, and observers leave none.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session; [`Invalid::SeqBeyondLog`].
pub fn mark_read(store: &mut dyn Store, session: SessionId, user: UserId, seq: u64) -> Result<bool, Error> {
    let seat = store.seat(session, user)?.ok_or(Error::NotFound)?;
    if seq > seat.head.last_seq {
        return Err(Invalid::SeqBeyondLog.into());
    }
    match seat.role {
        ParticipantRole::Observer => Ok(false),
        ParticipantRole::Customer | ParticipantRole::Mechanic => {
            Ok(store.participant_read(session, user, seq)?)
        }
    }
}
