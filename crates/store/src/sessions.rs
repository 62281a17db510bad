//! The port of `sessions`.
//!
//! Writing a message is three statements: the seat (which locks the session on PostgreSQL), the line, and the session's
//! head. The lock and the primary key `(session_id, seq)` keep the numbers free of gaps.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::prelude::*;
use kernel::id::{EventId, FileId, IntakeId, SessionId, UserId};
use kernel::{PlanCode, SessionType, StoreError, Timestamp};
use sessions::{
    ActorRole, AttachedFile, Attendance, EndReason, Event, EventActor, Extension, Hash, Head, Kind,
    NotAttached, Participant, ParticipantRole, Salt, Sealed, Seat, Session, SessionParts, Status, Store,
    Summary, SummaryDraft,
};

use crate::attendance;
use crate::clock;
use crate::connection::AnyConnection;
use crate::dialect::{Lock, lock_row};
use crate::error::Stored;
use crate::intake::picture;
use crate::notice::Notice;
use crate::prepared::{Keep, Value, on, prepared};
use crate::schema::sessions::{files, session_events, session_participants, sessions as sessions_table};
use crate::summaries;
use crate::tx::Tx;
use crate::types::{Id, Json, Ts};

/// A row of `sessions`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions_table, treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    id: Id,
    customer_id: Id,
    plan: String,
    session_type: String,
    status: String,
    end_reason: Option<String>,
    ended_by: Option<Id>,
    allowance_minutes: i64,
    intake_id: Id,
    price_book: String,
    metadata: Json,
    scheduled_for: Option<Ts>,
    created_at: Ts,
    updated_at: Ts,
    accepted_at: Option<Ts>,
    started_at: Option<Ts>,
    ended_at: Option<Ts>,
    upgraded_at: Option<Ts>,
    last_seq: i64,
    chain_head: Vec<u8>,
}

impl SessionRow {
    fn of(session: &Session) -> Self {
        let parts = session.parts();
        let metadata =
            parts.metadata.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        Self {
            id: Id(parts.id.uuid()),
            customer_id: Id(parts.customer.uuid()),
            plan: parts.plan.as_str().to_owned(),
            session_type: parts.session_type.as_str().to_owned(),
            status: parts.status.as_str().to_owned(),
            end_reason: parts.end_reason.map(|reason| reason.as_str().to_owned()),
            ended_by: parts.ended_by.map(|user| Id(user.uuid())),
            allowance_minutes: parts.allowance_minutes.into(),
            intake_id: Id(parts.intake.uuid()),
            price_book: parts.price_book.clone(),
            metadata: Json(serde_json::Value::Object(metadata)),
            scheduled_for: parts.scheduled_for.map(Ts::from),
            created_at: parts.created_at.into(),
            updated_at: parts.updated_at.into(),
            accepted_at: parts.accepted_at.map(Ts::from),
            started_at: parts.started_at.map(Ts::from),
            ended_at: parts.ended_at.map(Ts::from),
            upgraded_at: parts.upgraded_at.map(Ts::from),
            last_seq: stored_seq(parts.head.last_seq),
            chain_head: parts.head.hash.to_vec(),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let metadata: BTreeMap<String, String> = serde_json::from_value(row.metadata.0)
            .map_err(|reason| StoreError::corrupt("sessions.metadata", reason))?;
        Self::restore(SessionParts {
            id: SessionId::new(row.id.0),
            customer: UserId::new(row.customer_id.0),
            plan: named("sessions.plan", &row.plan, PlanCode::parse)?,
            session_type: named("sessions.session_type", &row.session_type, SessionType::parse)?,
            status: named("sessions.status", &row.status, Status::parse)?,
            end_reason: row
                .end_reason
                .map(|name| named("sessions.end_reason", &name, EndReason::parse))
                .transpose()?,
            ended_by: row.ended_by.map(|id| UserId::new(id.0)),
            allowance_minutes: u32::try_from(row.allowance_minutes)
                .map_err(|reason| StoreError::corrupt("sessions.allowance_minutes", reason))?,
            intake: IntakeId::new(row.intake_id.0),
            price_book: row.price_book,
            metadata,
            scheduled_for: row.scheduled_for.map(Timestamp::from),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            accepted_at: row.accepted_at.map(Timestamp::from),
            started_at: row.started_at.map(Timestamp::from),
            ended_at: row.ended_at.map(Timestamp::from),
            upgraded_at: row.upgraded_at.map(Timestamp::from),
            head: stored_head(row.last_seq, &row.chain_head)?,
        })
        .map_err(|reason| StoreError::corrupt("sessions", reason))
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = session_participants, treat_none_as_default_value = false)]
pub(crate) struct ParticipantRow {
    session_id: Id,
    user_id: Id,
    role: String,
    joined_at: Ts,
    left_at: Option<Ts>,
    last_read_seq: i64,
}

impl TryFrom<ParticipantRow> for Participant {
    type Error = StoreError;

    fn try_from(row: ParticipantRow) -> Result<Self, StoreError> {
        Ok(Self {
            session: SessionId::new(row.session_id.0),
            user: UserId::new(row.user_id.0),
            role: named("session_participants.role", &row.role, ParticipantRole::parse)?,
            joined_at: row.joined_at.into(),
            last_read_seq: seq(row.last_read_seq)?,
        })
    }
}

/// A row of `session_events`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = session_events)]
pub(crate) struct EventRow {
    session_id: Id,
    seq: i64,
    id: Id,
    kind: String,
    actor_id: Option<Id>,
    actor_role: String,
    client_ref: Option<String>,
    body: Option<String>,
    salt: Option<Vec<u8>>,
    commitment: Vec<u8>,
    chain_hash: Vec<u8>,
    created_at: Ts,
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let content = match (row.body, row.salt) {
            (Some(body), Some(salt)) => {
                let salt = Salt::try_from(salt.as_slice())
                    .map_err(|reason| StoreError::corrupt("session_events.salt", reason))?;
                Some(Sealed { body, salt })
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(StoreError::corrupt("session_events", "body and salt go together"));
            }
        };
        Ok(Self {
            id: EventId::new(row.id.0),
            session: SessionId::new(row.session_id.0),
            seq: seq(row.seq)?,
            kind: named("session_events.kind", &row.kind, Kind::parse)?,
            actor: EventActor {
                id: row.actor_id.map(|id| UserId::new(id.0)),
                role: named("session_events.actor_role", &row.actor_role, ActorRole::parse)?,
            },
            content,
            client_ref: row.client_ref,
            commitment: hash(&row.commitment)?,
            hash: hash(&row.chain_hash)?,
            created_at: row.created_at.into(),
        })
    }
}

const APPEND_LINE: &str = "\
INSERT INTO session_events (session_id, seq, id, kind, actor_id, actor_role, client_ref, body, salt, commitment,
  chain_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
const MOVE_HEAD: &str = "UPDATE sessions SET last_seq = $1, chain_head = $2 WHERE id = $3 AND last_seq = $4";

impl Store for Tx<'_> {
    fn session_insert(&mut self, session: &Session) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(sessions_table::table)
            .values(SessionRow::of(session))
            .on_conflict(sessions_table::id)
            .do_nothing();
        insert.kept().execute(self.conn()).stored().map(|rows| rows == 1)
    }

    fn session_by_id(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let query = sessions_table::table.find(Id(id.uuid()));
        on!(self.conn(), typed => query.select(SessionRow::as_select()).limit(1).kept().get_result(typed))
            .optional()
            .stored()?
            .map(Session::try_from)
            .transpose()
    }

    fn session_for_update(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        lock_row(self.conn(), Lock::Session, id.uuid())?;
        self.session_by_id(id)
    }

    fn session_update(&mut self, session: &Session) -> Result<(), StoreError> {
        use sessions_table as s;
        let row = SessionRow::of(session);
        let changed = diesel::update(s::table.find(row.id))
            .set((
                s::session_type.eq(row.session_type),
                s::status.eq(row.status),
                s::end_reason.eq(row.end_reason),
                s::ended_by.eq(row.ended_by),
                s::allowance_minutes.eq(row.allowance_minutes),
                s::scheduled_for.eq(row.scheduled_for),
                s::updated_at.eq(row.updated_at),
                s::accepted_at.eq(row.accepted_at),
                s::started_at.eq(row.started_at),
                s::ended_at.eq(row.ended_at),
                s::upgraded_at.eq(row.upgraded_at),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        expect_one(changed, "sessions")
    }

    fn seat_for_update(&mut self, session: SessionId, user: UserId) -> Result<Option<Seat>, StoreError> {
        let query = seat_query(session, user);
        let row: Option<SeatRow> = match self.conn() {
            AnyConnection::Sqlite(sqlite) => query.first(sqlite).optional(),
            AnyConnection::Postgres(postgres) => query.for_no_key_update().first(postgres).optional(),
        }
        .stored()?;
        row.map(|row| taken_seat(session, user, row)).transpose()
    }

    fn seat(&mut self, session: SessionId, user: UserId) -> Result<Option<Seat>, StoreError> {
        let row: Option<SeatRow> =
            seat_query(session, user).limit(1).kept().get_result(self.conn()).optional().stored()?;
        row.map(|row| taken_seat(session, user, row)).transpose()
    }

    fn participant_insert(&mut self, participant: &Participant) -> Result<bool, StoreError> {
        use session_participants as p;
        let row = ParticipantRow {
            session_id: Id(participant.session.uuid()),
            user_id: Id(participant.user.uuid()),
            role: participant.role.as_str().to_owned(),
            joined_at: participant.joined_at.into(),
            left_at: None,
            last_read_seq: stored_seq(participant.last_read_seq),
        };
        let insert = diesel::insert_into(p::table).values(&row).on_conflict_do_nothing();
        if insert.kept().execute(self.conn()).stored()? == 1 {
            return Ok(true);
        }
        // Taking somebody back must not break the rule of one mechanic, and a broken rule must not be run into.
        let present: Vec<(Id, String)> = p::table
            .filter(p::session_id.eq(row.session_id).and(p::left_at.is_null()))
            .select((p::user_id, p::role))
            .kept()
            .load(self.conn())
            .stored()?;
        let single = participant.role != ParticipantRole::Observer;
        if present.iter().any(|(user, role)| *user == row.user_id || (single && *role == row.role)) {
            return Ok(false);
        }
        let back = diesel::update(p::table.find((row.session_id, row.user_id)))
            .filter(p::left_at.is_not_null().and(p::role.eq(&row.role)))
            .set((p::left_at.eq(None::<Ts>), p::joined_at.eq(row.joined_at)))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(back == 1)
    }

    fn participants(&mut self, session: SessionId) -> Result<Vec<Participant>, StoreError> {
        use session_participants as p;
        p::table
            .filter(p::session_id.eq(Id(session.uuid())).and(p::left_at.is_null()))
            .order((p::joined_at, p::user_id))
            .select(ParticipantRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?
            .into_iter()
            .map(Participant::try_from)
            .collect()
    }

    fn attendance(&mut self, session: SessionId) -> Result<Vec<(Participant, Attendance)>, StoreError> {
        attendance::of_session(self, session)
    }

    fn participant_attend(
        &mut self,
        session: SessionId,
        user: UserId,
        present: bool,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        attendance::note(self, session, user, present, at)
    }

    fn participants_gone(&mut self, at: Timestamp) -> Result<(), StoreError> {
        attendance::all_gone(self, at)
    }

    fn participant_leave(
        &mut self,
        session: SessionId,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        use session_participants as p;
        let changed = diesel::update(p::table.find((Id(session.uuid()), Id(user.uuid()))))
            .filter(p::left_at.is_null())
            .set(p::left_at.eq(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()?;
        expect_one(changed, "session_participants")?;
        self.notify(Notice::MembershipEnded { session, user });
        Ok(())
    }

    fn participant_read(&mut self, session: SessionId, user: UserId, seq: u64) -> Result<bool, StoreError> {
        use session_participants as p;
        let mark = stored_seq(seq);
        let changed = diesel::update(p::table.find((Id(session.uuid()), Id(user.uuid()))))
            .filter(p::left_at.is_null().and(p::last_read_seq.lt(mark)))
            .set(p::last_read_seq.eq(mark))
            .kept()
            .execute(self.conn())
            .stored()?;
        if changed == 1 {
            self.notify(Notice::Read { session, user, seq });
        }
        Ok(changed == 1)
    }

    fn event_append(&mut self, event: &Event) -> Result<bool, StoreError> {
        let at = stored_seq(event.seq);
        let session = Id(event.session.uuid());
        let content = event.content.as_ref();
        let line = [
            Value::Id(session),
            Value::Number(at),
            Value::Id(Id(event.id.uuid())),
            Value::Text(event.kind.as_str()),
            Value::MaybeId(event.actor.id.map(|user| Id(user.uuid()))),
            Value::Text(event.actor.role.as_str()),
            Value::MaybeText(event.client_ref.as_deref()),
            Value::MaybeText(content.map(|sealed| sealed.body.as_str())),
            Value::MaybeBytes(content.map(|sealed| sealed.salt.as_slice())),
            Value::Bytes(&event.commitment),
            Value::Bytes(&event.hash),
            Value::Time(event.created_at.into()),
        ];
        if prepared::<()>(APPEND_LINE, &line).execute(self.conn()).stored()? == 0 {
            return Ok(false);
        }
        let head = [Value::Number(at), Value::Bytes(&event.hash), Value::Id(session), Value::Number(at - 1)];
        let moved = prepared::<()>(MOVE_HEAD, &head).execute(self.conn()).stored()?;
        expect_one(moved, "the head of a log")?;
        self.notify(Notice::SessionEvent(Arc::new(event.clone())));
        Ok(true)
    }

    fn event_by_client_ref(
        &mut self,
        session: SessionId,
        sender: UserId,
        client_ref: &str,
    ) -> Result<Option<Event>, StoreError> {
        use session_events as e;
        e::table
            .filter(e::session_id.eq(Id(session.uuid())))
            .filter(e::actor_id.eq(Id(sender.uuid())))
            .filter(e::client_ref.eq(client_ref))
            .select(EventRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(Event::try_from)
            .transpose()
    }

    fn event_by_seq(&mut self, session: SessionId, seq: u64) -> Result<Option<Event>, StoreError> {
        session_events::table
            .find((Id(session.uuid()), stored_seq(seq)))
            .select(EventRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(Event::try_from)
            .transpose()
    }

    fn event_latest(
        &mut self,
        session: SessionId,
        actor: UserId,
        kind: Kind,
        bodies: &[String],
    ) -> Result<Option<Event>, StoreError> {
        use session_events as e;
        e::table
            .filter(e::session_id.eq(Id(session.uuid())))
            .filter(e::actor_id.eq(Id(actor.uuid())))
            .filter(e::kind.eq(kind.as_str()))
            .filter(e::body.eq_any(bodies))
            .order(e::seq.desc())
            .select(EventRow::as_select())
            .first(self.conn())
            .optional()
            .stored()?
            .map(Event::try_from)
            .transpose()
    }

    fn event_last_of(&mut self, session: SessionId, kind: Kind) -> Result<Option<Event>, StoreError> {
        use session_events as e;
        e::table
            .filter(e::session_id.eq(Id(session.uuid())))
            .filter(e::kind.eq(kind.as_str()))
            .order(e::seq.desc())
            .select(EventRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(Event::try_from)
            .transpose()
    }

    fn events_after(
        &mut self,
        session: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        use session_events as e;
        e::table
            .filter(e::session_id.eq(Id(session.uuid())))
            .filter(e::seq.gt(stored_seq(after_seq)))
            .order(e::seq)
            .limit(limit.into())
            .select(EventRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?
            .into_iter()
            .map(Event::try_from)
            .collect()
    }

    fn extensions(&mut self, session: SessionId) -> Result<Vec<Extension>, StoreError> {
        clock::extensions(self, session)
    }

    fn extension_insert(&mut self, extension: &Extension) -> Result<(), StoreError> {
        clock::extension_insert(self, extension)
    }

    fn files_attach(
        &mut self,
        ids: &[FileId],
        owner: UserId,
        session: SessionId,
        max_bytes: u64,
        now: Timestamp,
    ) -> Result<Result<Vec<AttachedFile>, NotAttached>, StoreError> {
        use files as f;
        let keys = keys(ids);
        let unused = f::attached_at.is_null().and(f::expires_at.gt(Ts::from(now)));
        let usable: Vec<FileRow> = f::table
            .filter(f::id.eq_any(&keys).and(f::owner_id.eq(Id(owner.uuid()))))
            .filter(f::session_id.eq(Id(session.uuid())).or(unused))
            .select((f::id, f::name, f::content_type, f::size_bytes, f::width, f::height))
            .load(self.conn())
            .stored()?;
        let mut attached = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(row) = usable.iter().find(|row| row.0.0 == id.uuid()) else {
                return Ok(Err(NotAttached::File(*id)));
            };
            attached.push(attached_file(*id, row)?);
        }
        let others: Vec<i64> = f::table
            .filter(f::session_id.eq(Id(session.uuid())).and(f::id.ne_all(&keys)))
            .select(f::size_bytes)
            .load(self.conn())
            .stored()?;
        let bytes = others.into_iter().filter_map(|size| u64::try_from(size).ok());
        if bytes.chain(attached.iter().map(|file| file.size_bytes)).sum::<u64>() > max_bytes {
            return Ok(Err(NotAttached::Full));
        }
        attach(self, &keys, session, now)?;
        Ok(Ok(attached))
    }

    fn summary(&mut self, session: SessionId) -> Result<Option<Summary>, StoreError> {
        summaries::submitted(self, session)
    }

    fn summary_upsert(&mut self, summary: &Summary) -> Result<(), StoreError> {
        summaries::submit(self, summary)
    }

    fn summary_draft(&mut self, session: SessionId) -> Result<Option<SummaryDraft>, StoreError> {
        summaries::draft(self, session)
    }

    fn summary_draft_upsert(&mut self, draft: &SummaryDraft) -> Result<(), StoreError> {
        summaries::keep(self, draft)
    }

    fn summary_draft_delete(&mut self, session: SessionId) -> Result<(), StoreError> {
        summaries::forget_draft(self, session)
    }

    fn photos_usable(
        &mut self,
        photos: &[FileId],
        owner: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Result<(), FileId>, StoreError> {
        summaries::photos_usable(self, photos, owner, session, now)
    }

    fn photos_attach(
        &mut self,
        photos: &[FileId],
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        attach(self, &keys(photos), session, now)
    }
}

/// Binds the unused among these files to the session.
fn attach(tx: &mut Tx<'_>, keys: &[Id], session: SessionId, now: Timestamp) -> Result<(), StoreError> {
    use files as f;
    diesel::update(f::table.filter(f::id.eq_any(keys).and(f::attached_at.is_null())))
        .set((
            f::session_id.eq(Id(session.uuid())),
            f::attached_at.eq(Ts::from(now)),
            f::expires_at.eq(None::<Ts>),
        ))
        .execute(tx.conn())
        .stored()
        .map(drop)
}

pub(crate) fn keys(files: &[FileId]) -> Vec<Id> {
    files.iter().map(|file| Id(file.uuid())).collect()
}

fn attached_file(id: FileId, row: &FileRow) -> Result<AttachedFile, StoreError> {
    let (_, name, content_type, size_bytes, width, height) = row;
    let picture = picture(*width, *height);
    Ok(AttachedFile {
        id,
        name: name.clone(),
        content_type: content_type.clone(),
        size_bytes: u64::try_from(*size_bytes)
            .map_err(|reason| StoreError::corrupt("files.size_bytes", reason))?,
        width: picture.map(|size| size.width),
        height: picture.map(|size| size.height),
    })
}

type FileRow = (Id, String, String, i64, Option<i64>, Option<i64>);
type SeatRow = (String, String, i64, Vec<u8>, bool);

#[diesel::dsl::auto_type(no_type_alias)]
fn seat_query(session: SessionId, user: UserId) -> _ {
    let session: Id = Id(session.uuid());
    let user: Id = Id(user.uuid());
    session_participants::table
        .inner_join(sessions_table::table)
        .filter(session_participants::session_id.eq(session))
        .filter(session_participants::user_id.eq(user))
        .filter(session_participants::left_at.is_null())
        .select((
            session_participants::role,
            sessions_table::status,
            sessions_table::last_seq,
            sessions_table::chain_head,
            sessions_table::content_dropped_at.is_not_null(),
        ))
}

fn taken_seat(session: SessionId, user: UserId, row: SeatRow) -> Result<Seat, StoreError> {
    let (role, status, last_seq, chain_head, content_dropped) = row;
    Ok(Seat {
        session,
        user,
        role: named("session_participants.role", &role, ParticipantRole::parse)?,
        status: named("sessions.status", &status, Status::parse)?,
        head: stored_head(last_seq, &chain_head)?,
        content_dropped,
    })
}

/// The end of a log as a row holds it.
pub(crate) fn stored_head(last_seq: i64, chain_head: &[u8]) -> Result<Head, StoreError> {
    Ok(Head { last_seq: seq(last_seq)?, hash: hash(chain_head)? })
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    Hash::try_from(bytes).map_err(|reason| StoreError::corrupt("a hash", reason))
}

fn seq(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|reason| StoreError::corrupt("a seq", reason))
}

/// A number from outside may be larger than any row's; the largest stored number is larger than any row's too.
fn stored_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// The value of that stored name.
pub(crate) fn named<T>(column: &str, name: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(name).ok_or_else(|| StoreError::corrupt(column, name))
}

fn expect_one(rows: usize, what: &str) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::corrupt(what, "the row to change is not there")) }
}
