//! Uploaded files, for those who may read them.

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use kernel::{FileId, SessionId, StoreError, Timestamp, UserId};

use crate::error::Stored;
use crate::schema::sessions::{files, session_participants};
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// What is needed to send a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Under which key its bytes lie.
    pub storage_key: String,
    /// Its name for people.
    pub name: String,
    /// What it is.
    pub content_type: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Vec<u8>,
}

/// The session that a file belongs to, once there is one and while the file is there.
///
/// # Errors
/// A failure of the storage.
pub fn session_of(tx: &mut Tx<'_>, id: FileId, now: Timestamp) -> Result<Option<SessionId>, StoreError> {
    Ok(file(tx, id, now)?.and_then(|row| row.1).map(|session| SessionId::new(session.0)))
}

type Row = (Id, Option<Id>, (String, String, String, i64, Vec<u8>));

fn file(tx: &mut Tx<'_>, id: FileId, now: Timestamp) -> Result<Option<Row>, StoreError> {
    files::table
        .find(Id(id.uuid()))
        .filter(files::expires_at.is_null().or(files::expires_at.gt(Ts::from(now))))
        .select((
            files::owner_id,
            files::session_id,
            (files::storage_key, files::name, files::content_type, files::size_bytes, files::sha256),
        ))
        .first(tx.conn())
        .optional()
        .stored()
}

fn stored((_, _, (storage_key, name, content_type, size_bytes, sha256)): Row) -> StoredFile {
    StoredFile { storage_key, name, content_type, size_bytes: u64::try_from(size_bytes).unwrap_or(0), sha256 }
}

/// A file that has not expired.
///
/// # Errors
/// A failure of the storage.
pub fn by_id(tx: &mut Tx<'_>, id: FileId, now: Timestamp) -> Result<Option<StoredFile>, StoreError> {
    Ok(file(tx, id, now)?.map(stored))
}

/// A file that has not expired, if this person sent it or takes part in the session that it belongs to.
///
/// # Errors
/// A failure of the storage.
pub fn readable_by(
    tx: &mut Tx<'_>,
    id: FileId,
    reader: UserId,
    now: Timestamp,
) -> Result<Option<StoredFile>, StoreError> {
    let Some(row) = file(tx, id, now)? else { return Ok(None) };
    let (reader, owner, session) = (Id(reader.uuid()), row.0, row.1);
    if owner == reader {
        return Ok(Some(stored(row)));
    }
    let Some(session) = session else { return Ok(None) };
    let seats: i64 = session_participants::table
        .find((session, reader))
        .filter(session_participants::left_at.is_null())
        .count()
        .get_result(tx.conn())
        .stored()?;
    Ok((seats > 0).then(|| stored(row)))
}
