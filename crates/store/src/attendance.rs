//! When participants were in the room of their session.

use diesel::dsl::max;
use diesel::prelude::*;
use kernel::id::{SessionId, UserId};
use kernel::{StoreError, Timestamp};
use sessions::{Attendance, Kind, Participant};

use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::sessions::{session_events, session_participants};
use crate::sessions::ParticipantRow;
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// What shows that somebody is there although no socket of theirs is.
const WRITING: [&str; 3] = [Kind::Message.as_str(), Kind::Reaction.as_str(), Kind::File.as_str()];

pub(crate) fn of_session(
    tx: &mut Tx<'_>,
    session: SessionId,
) -> Result<Vec<(Participant, Attendance)>, StoreError> {
    use session_participants as p;
    let rows: Vec<(ParticipantRow, Option<Ts>, Option<Ts>)> = p::table
        .filter(p::session_id.eq(Id(session.uuid())).and(p::left_at.is_null()))
        .order((p::joined_at, p::user_id))
        .select((ParticipantRow::as_select(), p::seen_at, p::gone_at))
        .kept()
        .load(tx.conn())
        .stored()?;
    let mut seen = Vec::with_capacity(rows.len());
    for (row, seen_at, gone_at) in rows {
        let person = Participant::try_from(row)?;
        let wrote_at = wrote_at(tx, session, person.user)?;
        let present_since = seen_at.filter(|_| gone_at.is_none()).map(Timestamp::from);
        let last_seen = gone_at.map(Timestamp::from).max(wrote_at);
        seen.push((person, Attendance { present_since, last_seen }));
    }
    Ok(seen)
}

fn wrote_at(tx: &mut Tx<'_>, session: SessionId, user: UserId) -> Result<Option<Timestamp>, StoreError> {
    use session_events as e;
    let last: Option<i64> = e::table
        .filter(e::session_id.eq(Id(session.uuid())).and(e::actor_id.eq(Id(user.uuid()))))
        .filter(e::kind.eq_any(WRITING))
        .select(max(e::seq))
        .first(tx.conn())
        .stored()?;
    let Some(seq) = last else { return Ok(None) };
    let at: Ts = e::table.find((Id(session.uuid()), seq)).select(e::created_at).first(tx.conn()).stored()?;
    Ok(Some(at.into()))
}

pub(crate) fn note(
    tx: &mut Tx<'_>,
    session: SessionId,
    user: UserId,
    present: bool,
    at: Timestamp,
) -> Result<bool, StoreError> {
    use session_participants as p;
    let person = p::table.find((Id(session.uuid()), Id(user.uuid())));
    let at = Some(Ts::from(at));
    let changed = if present {
        diesel::update(person)
            .filter(p::seen_at.is_null().or(p::gone_at.is_not_null()))
            .set((p::seen_at.eq(at), p::gone_at.eq(None::<Ts>)))
            .kept()
            .execute(tx.conn())
    } else {
        diesel::update(person)
            .filter(p::seen_at.is_not_null().and(p::gone_at.is_null()))
            .set(p::gone_at.eq(at))
            .kept()
            .execute(tx.conn())
    };
    changed.stored().map(|rows| rows == 1)
}

pub(crate) fn all_gone(tx: &mut Tx<'_>, at: Timestamp) -> Result<(), StoreError> {
    use session_participants as p;
    diesel::update(p::table.filter(p::seen_at.is_not_null().and(p::gone_at.is_null())))
        .set(p::gone_at.eq(Some(Ts::from(at))))
        .kept()
        .execute(tx.conn())
        .stored()
        .map(drop)
}
