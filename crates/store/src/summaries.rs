//! Summaries and their drafts: the same columns twice, told apart by `state`.

use diesel::prelude::*;
use kernel::id::{FileId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use sessions::{Summary, SummaryDraft, SummaryText};

use crate::error::Stored;
use crate::prepared::Keep;
use crate::prepared::{Value, prepared};
use crate::schema::intake::intake_files;
use crate::schema::sessions::{files, session_summaries, session_summary_photos, sessions as sessions_table};
use crate::sessions::keys;
use crate::tx::Tx;
use crate::types::{Id, Ts};

const DRAFT: &str = "draft";
const SUBMITTED: &str = "submitted";

#[derive(Queryable, Selectable)]
#[diesel(table_name = session_summaries)]
struct Row {
    author_id: Id,
    findings: String,
    steps_taken: String,
    parts_needed: String,
    next_steps: String,
    revision: i64,
    submitted_at: Option<Ts>,
    updated_at: Ts,
}

fn read(tx: &mut Tx<'_>, session: SessionId, state: &str) -> Result<Option<(Row, Vec<FileId>)>, StoreError> {
    use session_summary_photos as p;
    let session = Id(session.uuid());
    let row: Option<Row> = session_summaries::table
        .find((session, state))
        .select(Row::as_select())
        .limit(1)
        .kept()
        .get_result(tx.conn())
        .optional()
        .stored()?;
    let Some(row) = row else { return Ok(None) };
    let photos: Vec<Id> = p::table
        .filter(p::session_id.eq(session).and(p::state.eq(state)))
        .order(p::position)
        .select(p::file_id)
        .kept()
        .load(tx.conn())
        .stored()?;
    Ok(Some((row, photos.into_iter().map(|photo| FileId::new(photo.0)).collect())))
}

fn text(row: &mut Row, photos: Vec<FileId>) -> SummaryText {
    SummaryText {
        findings: std::mem::take(&mut row.findings),
        steps_taken: std::mem::take(&mut row.steps_taken),
        parts_needed: std::mem::take(&mut row.parts_needed),
        next_steps: std::mem::take(&mut row.next_steps),
        photos,
    }
}

pub(crate) fn submitted(tx: &mut Tx<'_>, session: SessionId) -> Result<Option<Summary>, StoreError> {
    let Some((mut row, photos)) = read(tx, session, SUBMITTED)? else { return Ok(None) };
    let submitted_at = row
        .submitted_at
        .ok_or_else(|| StoreError::corrupt("session_summaries", "submitted without a time"))?;
    Ok(Some(Summary {
        session,
        author: UserId::new(row.author_id.0),
        revision: u32::try_from(row.revision)
            .map_err(|reason| StoreError::corrupt("session_summaries.revision", reason))?,
        submitted_at: submitted_at.into(),
        updated_at: row.updated_at.into(),
        text: text(&mut row, photos),
    }))
}

pub(crate) fn draft(tx: &mut Tx<'_>, session: SessionId) -> Result<Option<SummaryDraft>, StoreError> {
    Ok(read(tx, session, DRAFT)?.map(|(mut row, photos)| SummaryDraft {
        session,
        author: UserId::new(row.author_id.0),
        updated_at: row.updated_at.into(),
        text: text(&mut row, photos),
    }))
}

pub(crate) fn submit(tx: &mut Tx<'_>, summary: &Summary) -> Result<(), StoreError> {
    let Summary { session, author, text, revision, submitted_at, updated_at } = summary;
    let submitted_at = Some(Ts::from(*submitted_at));
    write(tx, SUBMITTED, *session, *author, text, i64::from(*revision), submitted_at, *updated_at)
}

pub(crate) fn keep(tx: &mut Tx<'_>, draft: &SummaryDraft) -> Result<(), StoreError> {
    let SummaryDraft { session, author, text, updated_at } = draft;
    write(tx, DRAFT, *session, *author, text, 0, None, *updated_at)
}

const UPSERT: &str = "\
INSERT INTO session_summaries (session_id, state, author_id, findings, steps_taken, parts_needed, next_steps, revision,
  submitted_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (session_id, state) DO UPDATE SET author_id = excluded.author_id, findings = excluded.findings,
  steps_taken = excluded.steps_taken, parts_needed = excluded.parts_needed, next_steps = excluded.next_steps,
  revision = excluded.revision, submitted_at = excluded.submitted_at, updated_at = excluded.updated_at";

#[expect(clippy::too_many_arguments, reason = "each is a column")]
fn write(
    tx: &mut Tx<'_>,
    state: &str,
    session: SessionId,
    author: UserId,
    text: &SummaryText,
    revision: i64,
    submitted_at: Option<Ts>,
    updated_at: Timestamp,
) -> Result<(), StoreError> {
    use session_summary_photos as p;
    let session = Id(session.uuid());
    let values = [
        Value::Id(session),
        Value::Text(state),
        Value::Id(Id(author.uuid())),
        Value::Text(&text.findings),
        Value::Text(&text.steps_taken),
        Value::Text(&text.parts_needed),
        Value::Text(&text.next_steps),
        Value::Number(revision),
        Value::MaybeTime(submitted_at),
        Value::Time(updated_at.into()),
    ];
    prepared::<()>(UPSERT, &values).execute(tx.conn()).stored()?;
    diesel::delete(p::table.filter(p::session_id.eq(session).and(p::state.eq(state))))
        .execute(tx.conn())
        .stored()?;
    for (position, file) in (0_i64..).zip(keys(&text.photos)) {
        let photo =
            (p::session_id.eq(session), p::state.eq(state), p::position.eq(position), p::file_id.eq(file));
        diesel::insert_into(p::table).values(photo).execute(tx.conn()).stored()?;
    }
    Ok(())
}

pub(crate) fn forget_draft(tx: &mut Tx<'_>, session: SessionId) -> Result<(), StoreError> {
    diesel::delete(session_summaries::table.find((Id(session.uuid()), DRAFT)))
        .kept()
        .execute(tx.conn())
        .stored()
        .map(drop)
}

pub(crate) fn photos_usable(
    tx: &mut Tx<'_>,
    photos: &[FileId],
    owner: UserId,
    session: SessionId,
    now: Timestamp,
) -> Result<Result<(), FileId>, StoreError> {
    use files as f;
    let session = Id(session.uuid());
    let unused =
        f::owner_id.eq(Id(owner.uuid())).and(f::attached_at.is_null()).and(f::expires_at.gt(Ts::from(now)));
    let told = intake_files::table
        .inner_join(sessions_table::table.on(sessions_table::intake_id.eq(intake_files::intake_id)))
        .filter(sessions_table::id.eq(session))
        .select(intake_files::file_id);
    let usable: Vec<Id> = f::table
        .filter(f::id.eq_any(keys(photos)).and(f::content_type.like("image/%")))
        .filter(f::session_id.eq(session).or(unused).or(f::id.eq_any(told)))
        .select(f::id)
        .load(tx.conn())
        .stored()?;
    Ok(match photos.iter().find(|photo| !usable.iter().any(|known| known.0 == photo.uuid())) {
        Some(unusable) => Err(*unusable),
        None => Ok(()),
    })
}
