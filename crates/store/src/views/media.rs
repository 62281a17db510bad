//! For how long the two sides of a session saw each other.

use ::sessions::media::{MediaStore, Together, together};
use ::sessions::{Session, Store};
use kernel::{SessionId, StoreError, Timestamp};

use crate::tx::Tx;

/// For how long both were connected at once. What was never told to have ended counts until the session's end, or until
/// now; `None` when there is no such session.
///
/// # Errors
/// A failure of the storage.
pub fn both_connected(
    tx: &mut Tx<'_>,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<Together>, StoreError> {
    let Some(found) = tx.session_by_id(session)? else { return Ok(None) };
    let stretches = tx.media_of(session)?;
    Ok(Some(together(&stretches, found.customer(), until(&found, now))))
}

fn until(session: &Session, now: Timestamp) -> Timestamp {
    session.parts().ended_at.map_or(now, |ended| ended.min(now))
}
