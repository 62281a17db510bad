//! What a live channel shows of a session beside its events: who takes part, under which name, and where the log ends.

use std::collections::HashMap;

use ::sessions::ParticipantRole;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use kernel::{SessionId, StoreError, UserId};

use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::schema::accounts::users;
use crate::schema::sessions::{session_participants, sessions};
use crate::tx::Tx;
use crate::types::{AnyUuid, Id};

/// Somebody who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: UserId,
    /// What they are in this session.
    pub role: ParticipantRole,
    /// The name they have now.
    pub name: String,
    /// How far they have read.
    pub last_read_seq: u64,
}

/// Who takes part, in the order in which they came.
///
/// # Errors
/// A failure of the storage.
pub fn people(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<Person>, StoreError> {
    let rows: Vec<(Id, String, i64)> = session_participants::table
        .filter(session_participants::session_id.eq(Id(session.uuid())))
        .filter(session_participants::left_at.is_null())
        .order((session_participants::joined_at, session_participants::role))
        .select((
            session_participants::user_id,
            session_participants::role,
            session_participants::last_read_seq,
        ))
        .load(tx.conn())
        .stored()?;
    let mut names = names_of(tx, rows.iter().map(|(id, ..)| *id).collect())?;
    rows.into_iter()
        .map(|(id, role, read)| {
            let role =
                ParticipantRole::parse(&role).ok_or_else(|| StoreError::corrupt("participant", &role))?;
            let last_read_seq =
                u64::try_from(read).map_err(|error| StoreError::corrupt("participant", error))?;
            let id = UserId::new(id.0);
            Ok(Person { id, role, name: names.remove(&id).unwrap_or_default(), last_read_seq })
        })
        .collect()
}

/// The names of all who take part, did once, or acted on the session from outside.
///
/// # Errors
/// A failure of the storage.
pub fn names(tx: &mut Tx<'_>, session: SessionId) -> Result<HashMap<UserId, String>, StoreError> {
    let session = Id(session.uuid());
    let mut ids: Vec<Id> = session_participants::table
        .filter(session_participants::session_id.eq(session))
        .select(session_participants::user_id)
        .load(tx.conn())
        .stored()?;
    // The role stands in the text, so that the index of these lines alone is used: a log may be long.
    let from_outside: Vec<(Id,)> = prepared::<(AnyUuid,)>(
        "SELECT DISTINCT actor_id FROM session_events
         WHERE session_id = $1 AND actor_role = 'admin' AND actor_id IS NOT NULL",
        &[Value::Id(session)],
    )
    .load(tx.conn())
    .stored()?;
    ids.extend(from_outside.into_iter().map(|(id,)| id));
    names_of(tx, ids)
}

fn names_of(tx: &mut Tx<'_>, ids: Vec<Id>) -> Result<HashMap<UserId, String>, StoreError> {
    let rows: Vec<(Id, String)> = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::name))
        .load(tx.conn())
        .stored()?;
    Ok(rows.into_iter().map(|(id, name)| (UserId::new(id.0), name)).collect())
}

/// Where the logs of these sessions end. Unknown sessions are left out.
///
/// # Errors
/// A failure of the storage.
pub fn last_seqs(tx: &mut Tx<'_>, ids: &[SessionId]) -> Result<Vec<(SessionId, u64)>, StoreError> {
    let ids: Vec<Id> = ids.iter().map(|id| Id(id.uuid())).collect();
    let rows: Vec<(Id, i64)> = sessions::table
        .filter(sessions::id.eq_any(ids))
        .select((sessions::id, sessions::last_seq))
        .load(tx.conn())
        .stored()?;
    rows.into_iter()
        .map(|(id, seq)| {
            let seq = u64::try_from(seq).map_err(|error| StoreError::corrupt("session", error))?;
            Ok((SessionId::new(id.0), seq))
        })
        .collect()
}
