//! A session as its participants see it: its state, its people and what it costs, in one query.

use std::num::TryFromIntError;
use std::sync::LazyLock;

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Queryable, QueryableByName, RunQueryDsl};
use kernel::id::{OrderId, SessionId, UserId};
use kernel::{BasisPoints, Currency, PlanCode, SessionType, StoreError, Timestamp};
use payments::PaymentStatus;
use sessions::{EndReason, ParticipantRole, Status};

use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::sessions::named;
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

/// A person by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: UserId,
    /// The name they have now.
    pub name: String,
}

/// A session with its people and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub id: SessionId,
    /// What it is now.
    pub session_type: SessionType,
    /// Where it stands.
    pub status: Status,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// The plan that was bought.
    pub plan: PlanCode,
    /// The price book of its order.
    pub price_book: String,
    /// The multiplier of its slot.
    pub multiplier: BasisPoints,
    /// The currency of its order.
    pub currency: Currency,
    /// What it cost, in minor units.
    pub base_price_cents: i64,
    /// What the upgrade cost, in minor units, once it was made.
    pub upgrade_price_cents: Option<i64>,
    /// What more time cost, in minor units.
    pub extension_price_cents: i64,
    /// The order that it was bought with; `None` while it has none.
    pub order: Option<OrderId>,
    /// How much of it is paid.
    pub payment_status: PaymentStatus,
    /// Who bought it.
    pub customer: Person,
    /// Who helps.
    pub mechanic: Option<Person>,
    /// When it was booked for.
    pub scheduled_for: Option<Timestamp>,
    /// When it was fulfilled.
    pub created_at: Timestamp,
    /// When it got its mechanic.
    pub accepted_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When it became video.
    pub upgraded_at: Option<Timestamp>,
    /// When its time is up.
    pub deadline_at: Option<Timestamp>,
    /// How long it may take, in minutes.
    pub allowance_minutes: u32,
    /// The number of the last line of its log.
    pub last_seq: u64,
    /// What the viewer is in it; `None` for an admin who looks from outside.
    pub viewer_role: Option<ParticipantRole>,
    /// Whether what was written in it has been deleted.
    pub content_dropped: bool,
}

impl SessionView {
    /// Base, upgrade and more time together, in minor units.
    pub const fn total_price_cents(&self) -> i64 {
        let base = self.base_price_cents.saturating_add(self.extension_price_cents);
        match self.upgrade_price_cents {
            Some(upgrade) => base.saturating_add(upgrade),
            None => base,
        }
    }
}

// The columns of the query below, in its order.
type Columns = (
    AnyUuid,
    Text,
    Text,
    Nullable<Text>,
    Text,
    Text,
    BigInt,
    Nullable<AnyTs>,
    AnyTs,
    Nullable<AnyTs>,
    Nullable<AnyTs>,
    Nullable<AnyTs>,
    Nullable<AnyTs>,
    BigInt,
    Nullable<AnyTs>,
    AnyUuid,
    Text,
    Nullable<AnyUuid>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<AnyUuid>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Bool,
);

#[derive(Queryable, QueryableByName)]
struct Row {
    #[diesel(sql_type = AnyUuid)]
    id: Id,
    #[diesel(sql_type = Text)]
    session_type: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    end_reason: Option<String>,
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = Text)]
    price_book: String,
    #[diesel(sql_type = BigInt)]
    allowance_minutes: i64,
    #[diesel(sql_type = Nullable<AnyTs>)]
    scheduled_for: Option<Ts>,
    #[diesel(sql_type = AnyTs)]
    created_at: Ts,
    #[diesel(sql_type = Nullable<AnyTs>)]
    accepted_at: Option<Ts>,
    #[diesel(sql_type = Nullable<AnyTs>)]
    started_at: Option<Ts>,
    #[diesel(sql_type = Nullable<AnyTs>)]
    ended_at: Option<Ts>,
    #[diesel(sql_type = Nullable<AnyTs>)]
    upgraded_at: Option<Ts>,
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
    #[diesel(sql_type = Nullable<AnyTs>)]
    content_dropped_at: Option<Ts>,
    #[diesel(sql_type = AnyUuid)]
    customer_id: Id,
    #[diesel(sql_type = Text)]
    customer_name: String,
    #[diesel(sql_type = Nullable<AnyUuid>)]
    mechanic_id: Option<Id>,
    #[diesel(sql_type = Nullable<Text>)]
    mechanic_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    viewer_role: Option<String>,
    #[diesel(sql_type = Nullable<AnyUuid>)]
    order_id: Option<Id>,
    #[diesel(sql_type = Nullable<BigInt>)]
    multiplier_bps: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    base_cents: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    order_status: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    kept_cents: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    asked_back_cents: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    upgrade_cents: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    extension_cents: Option<i64>,
    #[diesel(sql_type = Bool)]
    disputed: bool,
}

// `$1` is always the viewer. SQLite takes it as a name and numbers names by their first use, so `$2` must follow it.
const SELECT: &str = "\
SELECT s.id, s.session_type, s.status, s.end_reason, s.plan, s.price_book, s.allowance_minutes, s.scheduled_for,
  s.created_at, s.accepted_at, s.started_at, s.ended_at, s.upgraded_at, s.last_seq,
  s.content_dropped_at,
  s.customer_id, customer.name AS customer_name,
  helper.user_id AS mechanic_id, mechanic.name AS mechanic_name,
  viewer.role AS viewer_role,
  booked.id AS order_id, booked.multiplier_bps, booked.amount_cents AS base_cents, booked.currency, booked.status AS order_status,
  (SELECT CAST(sum(p.amount_cents) AS bigint) FROM payments p JOIN orders o ON o.id = p.order_id
    WHERE o.session_id = s.id AND NOT p.surplus) AS kept_cents,
  (SELECT CAST(sum(p.asked_back_cents) AS bigint) FROM payments p JOIN orders o ON o.id = p.order_id
    WHERE o.session_id = s.id AND NOT p.surplus) AS asked_back_cents,
  upgrade.amount_cents AS upgrade_cents,
  (SELECT CAST(sum(o.amount_cents) AS bigint) FROM orders o
    WHERE o.session_id = s.id AND o.kind = 'extension' AND o.fulfilled_at IS NOT NULL) AS extension_cents,
  EXISTS (SELECT 1 FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = p.order_id
    WHERE o.session_id = s.id AND d.status <> 'won') AS disputed
FROM sessions s
JOIN users customer ON customer.id = s.customer_id
LEFT JOIN session_participants viewer
  ON viewer.session_id = s.id AND viewer.user_id = $1 AND viewer.left_at IS NULL
LEFT JOIN session_participants helper
  ON helper.session_id = s.id AND helper.role = 'mechanic' AND helper.left_at IS NULL
LEFT JOIN users mechanic ON mechanic.id = helper.user_id
LEFT JOIN orders booked ON booked.session_id = s.id AND booked.kind = 'session'
LEFT JOIN orders upgrade ON upgrade.session_id = s.id AND upgrade.kind = 'upgrade'
  AND upgrade.fulfilled_at IS NOT NULL";

/// One session as this person sees it. `None` when it doesn't exist or they take no part in it.
///
/// # Errors
/// A failure of the storage.
pub fn of_participant(
    tx: &mut Tx<'_>,
    session: SessionId,
    viewer: UserId,
) -> Result<Option<SessionView>, StoreError> {
    let found = any(tx, session, viewer)?;
    Ok(found.filter(|view| view.viewer_role.is_some()))
}

/// One session, whoever asks: for admins, who are audited. `viewer_role` tells whether they take part in it too.
///
/// # Errors
/// A failure of the storage.
pub fn any(tx: &mut Tx<'_>, session: SessionId, viewer: UserId) -> Result<Option<SessionView>, StoreError> {
    static QUERY: LazyLock<String> = LazyLock::new(|| format!("{SELECT} WHERE s.id = $2"));
    let values = [Value::Id(Id(viewer.uuid())), Value::Id(Id(session.uuid()))];
    let row: Vec<Row> = prepared::<Columns>(&QUERY, &values).load(tx.conn()).stored()?;
    row.into_iter().next().map(SessionView::try_from).transpose()
}

/// A page of this person's sessions, newest first: those made before `before`, of any of `statuses`, or of all when
/// that is empty.
///
/// # Errors
/// A failure of the storage.
pub fn mine(
    tx: &mut Tx<'_>,
    viewer: UserId,
    statuses: &[Status],
    before: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionView>, StoreError> {
    // The page is chosen first: what stands in a row is worked out for its sessions alone.
    let last = before.map_or(uuid::Uuid::max(), SessionId::uuid);
    let query = format!(
        "{SELECT} WHERE s.id IN (SELECT p.session_id FROM session_participants p JOIN sessions s ON s.id = p.session_id
           WHERE p.user_id = $1 AND p.left_at IS NULL AND p.session_id < $2{}
           ORDER BY p.session_id DESC LIMIT $3)
         ORDER BY s.id DESC",
        status_filter(statuses)
    );
    rows(tx, viewer, &query, last, limit)
}

/// Every session that stands there.
///
/// # Errors
/// A failure of the storage.
pub fn with_status(tx: &mut Tx<'_>, status: Status) -> Result<Vec<SessionId>, StoreError> {
    use crate::schema::sessions::sessions as s;
    let query = s::table.filter(s::status.eq(status.as_str())).order(s::created_at).select(s::id);
    let ids: Vec<Id> = query.load(tx.conn()).stored()?;
    Ok(ids.into_iter().map(|id| SessionId::new(id.0)).collect())
}

/// How many sessions this person takes part in.
///
/// # Errors
/// A failure of the storage.
pub fn count_mine(tx: &mut Tx<'_>, viewer: UserId) -> Result<i64, StoreError> {
    use crate::schema::sessions::session_participants as p;
    p::table
        .filter(p::user_id.eq(Id(viewer.uuid())).and(p::left_at.is_null()))
        .count()
        .get_result(tx.conn())
        .stored()
}

/// The column that orders the list of live sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LiveOrder {
    /// When it was fulfilled.
    #[default]
    Created,
    /// The customer's name.
    Customer,
    /// The mechanic's name; sessions without one come last.
    Mechanic,
    /// Where it stands.
    Status,
    /// What it cost.
    Total,
}

impl LiveOrder {
    const fn column(self) -> &'static str {
        match self {
            Self::Created => "s.created_at",
            Self::Customer => "lower(customer.name)",
            Self::Mechanic => "lower(COALESCE(mechanic.name, '~'))",
            Self::Status => "s.status",
            Self::Total => "COALESCE(booked.amount_cents, 0) + COALESCE(upgrade.amount_cents, 0)",
        }
    }
}

/// What an admin asks for of the live sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveFilter {
    /// Only this status; every one that has not ended when `None`.
    pub status: Option<Status>,
    /// Only sessions with this text in a name, or in the id.
    pub search: String,
    /// The order.
    pub order: LiveOrder,
    /// Whether the order is turned round.
    pub descending: bool,
    /// How many to leave out at the beginning.
    pub offset: u32,
}

/// A page of the sessions that are under way or waiting, for admins.
///
/// # Errors
/// A failure of the storage.
pub fn live(
    tx: &mut Tx<'_>,
    viewer: UserId,
    filter: &LiveFilter,
    limit: u32,
) -> Result<Vec<SessionView>, StoreError> {
    let statuses: Vec<Status> = match filter.status {
        Some(status) => vec![status],
        None => Status::ALL.into_iter().filter(|status| !status.is_ended()).collect(),
    };
    let id = crate::doctor::id_text(tx, "s.id");
    let direction = if filter.descending { "DESC" } else { "ASC" };
    let query = format!(
        "{SELECT} WHERE ($2 = '' OR lower(customer.name) LIKE $3 ESCAPE '\\'
             OR lower(COALESCE(mechanic.name, '')) LIKE $3 ESCAPE '\\'
             OR replace({id}, '-', '') LIKE $4 ESCAPE '\\'){statuses}
         ORDER BY {column} {direction}, s.id {direction} LIMIT {limit} OFFSET {offset}",
        statuses = status_filter(&statuses),
        column = filter.order.column(),
        offset = filter.offset,
    );
    let search = filter.search.trim().to_lowercase();
    let escaped = escaped(&search);
    let rows: Vec<Row> = diesel::sql_query(query)
        .bind::<AnyUuid, _>(Id(viewer.uuid()))
        .bind::<Text, _>(search)
        .bind::<Text, _>(format!("%{escaped}%"))
        .bind::<Text, _>(format!("%{}%", escaped.replace('-', "")))
        .load(tx.conn())
        .stored()?;
    rows.into_iter().map(SessionView::try_from).collect()
}

/// The sessions, whatever became of them, newest first, before that one: all of them for an empty `search`; else those
/// with the text in a name, in the customer's mail address or in the id, and the one that a charge of the payment
/// provider paid.
///
/// # Errors
/// A failure of the storage.
pub fn found(
    tx: &mut Tx<'_>,
    viewer: UserId,
    search: &str,
    before: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionView>, StoreError> {
    let search = search.trim();
    if search.is_empty() {
        return page(tx, viewer, "TRUE", before, limit);
    }
    let id = crate::doctor::id_text(tx, "s.id");
    let query = format!(
        "{SELECT} WHERE (lower(customer.name) LIKE $2 ESCAPE '\\'
             OR lower(customer.email) LIKE $2 ESCAPE '\\'
             OR lower(COALESCE(mechanic.name, '')) LIKE $2 ESCAPE '\\'
             OR replace({id}, '-', '') LIKE $3 ESCAPE '\\'
             OR EXISTS (SELECT 1 FROM payments p JOIN orders o ON o.id = p.order_id
                 WHERE o.session_id = s.id AND p.payment_intent = $4)) AND s.id < $5
         ORDER BY s.id DESC LIMIT {limit}"
    );
    let escaped = escaped(&search.to_lowercase());
    let last = before.map_or(uuid::Uuid::max(), SessionId::uuid);
    let rows: Vec<Row> = diesel::sql_query(query)
        .bind::<AnyUuid, _>(Id(viewer.uuid()))
        .bind::<Text, _>(format!("%{escaped}%"))
        .bind::<Text, _>(format!("%{}%", escaped.replace('-', "")))
        .bind::<Text, _>(search)
        .bind::<AnyUuid, _>(Id(last))
        .load(tx.conn())
        .stored()?;
    rows.into_iter().map(SessionView::try_from).collect()
}

/// The text as a part of a `LIKE` pattern with `\` as its escape.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The sessions that are under way or waiting, newest first, before that one.
///
/// # Errors
/// A failure of the storage.
pub fn active(
    tx: &mut Tx<'_>,
    viewer: UserId,
    before: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionView>, StoreError> {
    let open: Vec<Status> = Status::ALL.into_iter().filter(|status| !status.is_ended()).collect();
    page(tx, viewer, &format!("TRUE{}", status_filter(&open)), before, limit)
}

// Ids are made in the order of time, so they are the order and the cursor.
fn page(
    tx: &mut Tx<'_>,
    viewer: UserId,
    filter: &str,
    before: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionView>, StoreError> {
    let last = before.map_or(uuid::Uuid::max(), SessionId::uuid);
    let query = format!("{SELECT} WHERE {filter} AND s.id < $2 ORDER BY s.id DESC LIMIT $3");
    rows(tx, viewer, &query, last, limit)
}

fn rows(
    tx: &mut Tx<'_>,
    viewer: UserId,
    query: &str,
    last: uuid::Uuid,
    limit: u32,
) -> Result<Vec<SessionView>, StoreError> {
    let values = [Value::Id(Id(viewer.uuid())), Value::Id(Id(last)), Value::Number(limit.into())];
    let rows: Vec<Row> = prepared::<Columns>(query, &values).load(tx.conn()).stored()?;
    rows.into_iter().map(SessionView::try_from).collect()
}

fn status_filter(statuses: &[Status]) -> String {
    if statuses.is_empty() {
        return String::new();
    }
    let names: Vec<String> = statuses.iter().map(|status| format!("'{status}'")).collect();
    format!(" AND s.status IN ({})", names.join(", "))
}

impl TryFrom<Row> for SessionView {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let out_of_range = |reason: TryFromIntError| StoreError::corrupt("sessions", reason);
        let allowance_minutes = u32::try_from(row.allowance_minutes).map_err(out_of_range)?;
        let started_at = row.started_at.map(Timestamp::from);
        Ok(Self {
            id: SessionId::new(row.id.0),
            session_type: named("sessions.session_type", &row.session_type, SessionType::parse)?,
            status: named("sessions.status", &row.status, Status::parse)?,
            end_reason: row
                .end_reason
                .map(|name| named("sessions.end_reason", &name, EndReason::parse))
                .transpose()?,
            plan: named("sessions.plan", &row.plan, PlanCode::parse)?,
            price_book: row.price_book,
            multiplier: row
                .multiplier_bps
                .map_or(Ok(BasisPoints::ONE), |points| u32::try_from(points).map(BasisPoints::new))
                .map_err(out_of_range)?,
            currency: row
                .currency
                .map_or(Ok(Currency::Usd), |code| named("orders.currency", &code, Currency::parse))?,
            base_price_cents: row.base_cents.unwrap_or(0),
            upgrade_price_cents: row.upgrade_cents,
            extension_price_cents: row.extension_cents.unwrap_or(0),
            order: row.order_id.map(|id| OrderId::new(id.0)),
            payment_status: payment_status(
                row.order_status.as_deref(),
                row.kept_cents.zip(row.asked_back_cents),
                row.disputed,
            ),
            customer: Person { id: UserId::new(row.customer_id.0), name: row.customer_name },
            mechanic: row
                .mechanic_id
                .zip(row.mechanic_name)
                .map(|(id, name)| Person { id: UserId::new(id.0), name }),
            scheduled_for: row.scheduled_for.map(Timestamp::from),
            created_at: row.created_at.into(),
            accepted_at: row.accepted_at.map(Timestamp::from),
            started_at,
            ended_at: row.ended_at.map(Timestamp::from),
            upgraded_at: row.upgraded_at.map(Timestamp::from),
            deadline_at: started_at.map(|at| at.plus_seconds(i64::from(allowance_minutes) * 60)),
            allowance_minutes,
            last_seq: u64::try_from(row.last_seq).map_err(out_of_range)?,
            viewer_role: row
                .viewer_role
                .map(|name| named("session_participants.role", &name, ParticipantRole::parse))
                .transpose()?,
            content_dropped: row.content_dropped_at.is_some(),
        })
    }
}

// What `payments::receipt::payment_status` says of one order, for all the payments of a session together.
fn payment_status(
    order: Option<&str>,
    kept_and_asked_back: Option<(i64, i64)>,
    disputed: bool,
) -> PaymentStatus {
    match (order, kept_and_asked_back) {
        (Some("paid" | "fulfilled" | "refunded"), _) if disputed => PaymentStatus::Disputed,
        (Some("paid" | "fulfilled" | "refunded"), Some((kept, asked_back))) if asked_back >= kept => {
            PaymentStatus::Refunded
        }
        (Some("paid" | "fulfilled" | "refunded"), Some((_, asked_back))) if asked_back > 0 => {
            PaymentStatus::PartiallyRefunded
        }
        // Nothing was paid for a free one.
        (Some("refunded"), None) => PaymentStatus::Refunded,
        (Some("paid" | "fulfilled" | "refunded"), _) => PaymentStatus::Paid,
        _ => PaymentStatus::Unpaid,
    }
}
