//! What support is told of: what was found and not told yet, and what it is about.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use jobs::JobKind;
use kernel::id::{AlertId, JobId, RefundId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use notifications::{Alert, AlertCause, NewAlert};

use crate::alerts::AlertRow;
use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::schema::notifications::support_alerts;
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

/// Alerts that wait for somebody, on one board.
pub const OPEN_MAX: i64 = 50;
/// Causes of a kind that are found at once; the next look finds the rest.
const FOUND_MAX: i64 = 50;

/// Alerts that wait for somebody, the oldest cause first, at most [`OPEN_MAX`].
///
/// # Errors
/// A failure of the storage.
pub fn open_alerts(tx: &mut Tx<'_>) -> Result<Vec<Alert>, StoreError> {
    let rows: Vec<AlertRow> = support_alerts::table
        .filter(support_alerts::ended_at.is_null().and(support_alerts::seen_at.is_null()))
        .order((support_alerts::since, support_alerts::id))
        .limit(OPEN_MAX)
        .select(AlertRow::as_select())
        .load(tx.conn())
        .stored()?;
    rows.into_iter().map(Alert::try_from).collect()
}

/// A page of all alerts, newest first: those before `before`.
///
/// # Errors
/// A failure of the storage.
pub fn alerts(tx: &mut Tx<'_>, before: Option<AlertId>, limit: u32) -> Result<Vec<Alert>, StoreError> {
    let mut query = support_alerts::table
        .order(support_alerts::id.desc())
        .limit(i64::from(limit))
        .select(AlertRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(support_alerts::id.lt(Id(before.uuid())));
    }
    let rows: Vec<AlertRow> = query.load(tx.conn()).stored()?;
    rows.into_iter().map(Alert::try_from).collect()
}

/// Accepted sessions that should have begun by an instant and whose mechanic was not asked to since.
///
/// # Errors
/// A failure of the storage.
pub fn overdue_by(tx: &mut Tx<'_>, at: Timestamp) -> Result<Vec<SessionId>, StoreError> {
    sessions_of(
        tx,
        "SELECT s.id FROM sessions s JOIN session_participants m
           ON m.session_id = s.id AND m.role = 'mechanic' AND m.left_at IS NULL
         WHERE s.status = 'accepted' AND s.accepted_at <= $1 AND m.joined_at <= $1
           AND (s.scheduled_for IS NULL OR s.scheduled_for <= $1)
           AND NOT EXISTS (SELECT 1 FROM personal_notices n
             WHERE n.session_id = s.id AND n.user_id = m.user_id AND n.kind = 'start_nudge'
               AND n.created_at >= m.joined_at AND n.created_at >= s.accepted_at
               AND (s.scheduled_for IS NULL OR n.created_at >= s.scheduled_for))
         ORDER BY s.id",
        &[Value::Time(Ts::from(at))],
    )
}

/// Sessions that run and in which something may be wrong: a side is not in the room, or it is video.
///
/// # Errors
/// A failure of the storage.
pub fn worth_a_look(tx: &mut Tx<'_>) -> Result<Vec<SessionId>, StoreError> {
    sessions_of(
        tx,
        "SELECT s.id FROM sessions s WHERE s.status = 'in_progress' AND (s.session_type <> 'chat'
           OR EXISTS (SELECT 1 FROM session_participants p
             WHERE p.session_id = s.id AND p.left_at IS NULL AND p.role <> 'observer'
               AND (p.seen_at IS NULL OR p.gone_at IS NOT NULL)))
         ORDER BY s.id",
        &[],
    )
}

fn sessions_of(tx: &mut Tx<'_>, sql: &str, values: &[Value<'_>]) -> Result<Vec<SessionId>, StoreError> {
    let rows: Vec<(Id,)> = prepared::<(AnyUuid,)>(sql, values).load(tx.conn()).stored()?;
    Ok(rows.into_iter().map(|(id,)| SessionId::new(id.0)).collect())
}

/// Who is in the room of a session that runs as far as is known, and came before an instant.
///
/// # Errors
/// A failure of the storage.
pub fn present_since_before(tx: &mut Tx<'_>, at: Timestamp) -> Result<Vec<(SessionId, UserId)>, StoreError> {
    let rows: Vec<(Id, Id)> = prepared::<(AnyUuid, AnyUuid)>(
        "SELECT p.session_id, p.user_id FROM sessions s JOIN session_participants p ON p.session_id = s.id
         WHERE s.status = 'in_progress' AND p.left_at IS NULL AND p.gone_at IS NULL AND p.seen_at < $1",
        &[Value::Time(Ts::from(at))],
    )
    .load(tx.conn())
    .stored()?;
    Ok(rows.into_iter().map(|(session, user)| (SessionId::new(session.0), UserId::new(user.0))).collect())
}

/// A vital job that was given up, and that nobody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadJob {
    /// The job.
    pub id: JobId,
    /// What it was to do.
    pub kind: JobKind,
    /// When it was given up.
    pub at: Timestamp,
}

/// Vital jobs that were given up after an instant and that nobody was told of since; those that were given up last come
/// first, so that a new one is never behind old ones that are not told.
///
/// # Errors
/// A failure of the storage.
pub fn dead_jobs_untold(tx: &mut Tx<'_>, after: Timestamp) -> Result<Vec<DeadJob>, StoreError> {
    let vital = JobKind::ALL.into_iter().filter(|kind| kind.is_vital());
    let vital: Vec<String> = vital.map(|kind| format!("'{kind}'")).collect();
    let sql = format!(
        "SELECT j.id, j.kind, j.finished_at FROM jobs j
         WHERE j.status = 'dead' AND j.kind IN ({}) AND j.finished_at > $1
           AND NOT EXISTS (SELECT 1 FROM support_alerts a
             WHERE a.object_id = j.id AND a.cause = 'job_dead' AND a.since >= j.finished_at)
         ORDER BY j.finished_at DESC, j.id DESC LIMIT {FOUND_MAX}",
        vital.join(", ")
    );
    let values = [Value::Time(Ts::from(after))];
    let rows: Vec<(Id, String, Ts)> =
        prepared::<(AnyUuid, Text, AnyTs)>(&sql, &values).load(tx.conn()).stored()?;
    let dead = |(id, kind, at): (Id, String, Ts)| {
        let kind = JobKind::parse(&kind).ok_or_else(|| StoreError::corrupt("jobs.kind", &kind))?;
        Ok(DeadJob { id: JobId::new(id.0), kind, at: at.into() })
    };
    rows.into_iter().map(dead).collect()
}

/// Whether a job of this kind was done after an instant.
///
/// # Errors
/// A failure of the storage.
pub fn done_since(tx: &mut Tx<'_>, kind: JobKind, at: Timestamp) -> Result<bool, StoreError> {
    let rows: Vec<(Id,)> = prepared::<(AnyUuid,)>(
        "SELECT id FROM jobs WHERE status = 'done' AND finished_at > $1 AND kind = $2 LIMIT 1",
        &[Value::Time(Ts::from(at)), Value::Text(kind.as_str())],
    )
    .load(tx.conn())
    .stored()?;
    Ok(!rows.is_empty())
}

/// Refunds that were refused after an instant and that nobody was told of.
///
/// # Errors
/// A failure of the storage.
pub fn failed_refunds_untold(tx: &mut Tx<'_>, after: Timestamp) -> Result<Vec<NewAlert>, StoreError> {
    let sql = format!(
        "SELECT r.id, o.session_id, r.closed_at FROM refunds r JOIN orders o ON o.id = r.order_id
         WHERE r.status = 'failed' AND r.closed_at > $1
           AND NOT EXISTS (SELECT 1 FROM support_alerts a WHERE a.object_id = r.id AND a.cause = 'refund_failed')
         ORDER BY r.closed_at LIMIT {FOUND_MAX}"
    );
    found(tx, AlertCause::RefundFailed, &sql, &[Value::Time(Ts::from(after))])
}

/// Disputes that are not decided and that nobody was told of.
///
/// # Errors
/// A failure of the storage.
pub fn disputes_untold(tx: &mut Tx<'_>) -> Result<Vec<NewAlert>, StoreError> {
    let sql = format!(
        "SELECT d.id, o.session_id, d.opened_at FROM disputes d
         JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = p.order_id
         WHERE d.closed_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM support_alerts a WHERE a.object_id = d.id AND a.cause = 'dispute')
         ORDER BY d.opened_at LIMIT {FOUND_MAX}"
    );
    found(tx, AlertCause::Dispute, &sql, &[])
}

fn found(
    tx: &mut Tx<'_>,
    cause: AlertCause,
    sql: &str,
    values: &[Value<'_>],
) -> Result<Vec<NewAlert>, StoreError> {
    type Row = (Id, Option<Id>, Ts);
    let rows: Vec<Row> =
        prepared::<(AnyUuid, Nullable<AnyUuid>, AnyTs)>(sql, values).load(tx.conn()).stored()?;
    let alert = |(object, session, since): Row| NewAlert {
        cause,
        object: object.0,
        session: session.map(|id| SessionId::new(id.0)),
        since: since.into(),
    };
    Ok(rows.into_iter().map(alert).collect())
}

/// A refund, for those who have to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundView {
    /// The customer's name.
    pub customer_name: String,
    /// How much, in minor units.
    pub amount_cents: i64,
    /// The currency's code.
    pub currency: String,
    /// The session that was paid for.
    pub session: Option<SessionId>,
}

/// A refund; `None` when there is no such thing.
///
/// # Errors
/// A failure of the storage.
pub fn refund(tx: &mut Tx<'_>, refund: RefundId) -> Result<Option<RefundView>, StoreError> {
    type Row = (String, i64, String, Option<Id>);
    let rows: Vec<Row> = prepared::<(Text, BigInt, Text, Nullable<AnyUuid>)>(
        "SELECT u.name, r.amount_cents, r.currency, o.session_id
         FROM refunds r JOIN orders o ON o.id = r.order_id JOIN users u ON u.id = o.customer_id WHERE r.id = $1",
        &[Value::Id(Id(refund.uuid()))],
    )
    .load(tx.conn())
    .stored()?;
    let view = |(customer_name, amount_cents, currency, session): Row| RefundView {
        customer_name,
        amount_cents,
        currency,
        session: session.map(|id| SessionId::new(id.0)),
    };
    Ok(rows.into_iter().next().map(view))
}
