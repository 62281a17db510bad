//! Disputes as admins see them.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use kernel::id::{DisputeId, OrderId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use payments::DisputeStatus;

use crate::error::Stored;
use crate::sessions::named;
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

/// A dispute with the session that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeView {
    /// The dispute.
    pub id: DisputeId,
    /// The payment provider's id of it.
    pub provider_id: String,
    /// The session; `None` when the money bought none.
    pub session: Option<SessionId>,
    /// The order that was paid.
    pub order: OrderId,
    /// The payment provider's id of the charge.
    pub payment_intent: String,
    /// The customer.
    pub customer: UserId,
    /// The customer's name.
    pub customer_name: String,
    /// The mechanic's name, if there is one.
    pub mechanic_name: Option<String>,
    /// How much, in minor units.
    pub amount_cents: i64,
    /// What was earned with the payment and is not paid out meanwhile, in minor units; `None` while nothing is frozen.
    pub frozen_cents: Option<i64>,
    /// The currency's code.
    pub currency: String,
    /// Why, in the provider's words.
    pub reason: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Whether the bank has taken the money.
    pub withdrawn: bool,
    /// Until when it can be answered.
    pub due_at: Option<Timestamp>,
    /// When it was first heard of.
    pub opened_at: Timestamp,
    /// When it was decided.
    pub closed_at: Option<Timestamp>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = AnyUuid)]
    id: Id,
    #[diesel(sql_type = Text)]
    provider_id: String,
    #[diesel(sql_type = Nullable<AnyUuid>)]
    session_id: Option<Id>,
    #[diesel(sql_type = AnyUuid)]
    order_id: Id,
    #[diesel(sql_type = Text)]
    payment_intent: String,
    #[diesel(sql_type = AnyUuid)]
    customer_id: Id,
    #[diesel(sql_type = Text)]
    customer_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    mechanic_name: Option<String>,
    #[diesel(sql_type = BigInt)]
    amount_cents: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    frozen_cents: Option<i64>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    withdrawn: bool,
    #[diesel(sql_type = Nullable<AnyTs>)]
    due_at: Option<Ts>,
    #[diesel(sql_type = AnyTs)]
    opened_at: Ts,
    #[diesel(sql_type = Nullable<AnyTs>)]
    closed_at: Option<Ts>,
}

const SELECT: &str = "\
SELECT d.id, d.provider_id, o.session_id, o.id AS order_id, p.payment_intent,
  u.id AS customer_id, u.name AS customer_name, mechanic.name AS mechanic_name,
  d.amount_cents, e.payable_cents AS frozen_cents, d.currency, d.reason,
  d.status, d.withdrawn, d.due_at, d.opened_at, d.closed_at
FROM disputes d
JOIN payments p ON p.id = d.payment_id
JOIN orders o ON o.id = p.order_id
JOIN users u ON u.id = o.customer_id
LEFT JOIN provider_earnings e ON e.payment_id = p.id AND e.frozen
LEFT JOIN session_participants helper
  ON helper.session_id = o.session_id AND helper.role = 'mechanic' AND helper.left_at IS NULL
LEFT JOIN users mechanic ON mechanic.id = helper.user_id";

/// A page of the disputes, newest first: those before `before`, of that status, or of all.
///
/// # Errors
/// A failure of the storage.
pub fn page(
    tx: &mut Tx<'_>,
    status: Option<DisputeStatus>,
    before: Option<DisputeId>,
    limit: u32,
) -> Result<Vec<DisputeView>, StoreError> {
    let last = before.map_or(uuid::Uuid::max(), DisputeId::uuid);
    let only = status.map_or_else(String::new, |status| format!(" AND d.status = '{}'", status.as_str()));
    let query = format!("{SELECT} WHERE d.id < $1{only} ORDER BY d.id DESC LIMIT {limit}");
    let rows: Vec<Row> = diesel::sql_query(query).bind::<AnyUuid, _>(Id(last)).load(tx.conn()).stored()?;
    rows.into_iter().map(DisputeView::try_from).collect()
}

/// One dispute.
///
/// # Errors
/// A failure of the storage.
pub fn one(tx: &mut Tx<'_>, id: DisputeId) -> Result<Option<DisputeView>, StoreError> {
    let query = format!("{SELECT} WHERE d.id = $1");
    let rows: Vec<Row> =
        diesel::sql_query(query).bind::<AnyUuid, _>(Id(id.uuid())).load(tx.conn()).stored()?;
    rows.into_iter().next().map(DisputeView::try_from).transpose()
}

/// How many disputes wait for our answer.
///
/// # Errors
/// A failure of the storage.
pub fn unanswered(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    use diesel::{ExpressionMethods, QueryDsl};

    use crate::schema::payments::disputes;
    disputes::table
        .filter(disputes::status.eq(DisputeStatus::Open.as_str()))
        .count()
        .get_result(tx.conn())
        .stored()
}

impl TryFrom<Row> for DisputeView {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: DisputeId::new(row.id.0),
            provider_id: row.provider_id,
            session: row.session_id.map(|id| SessionId::new(id.0)),
            order: OrderId::new(row.order_id.0),
            payment_intent: row.payment_intent,
            customer: UserId::new(row.customer_id.0),
            customer_name: row.customer_name,
            mechanic_name: row.mechanic_name,
            amount_cents: row.amount_cents,
            frozen_cents: row.frozen_cents,
            currency: row.currency,
            reason: row.reason,
            status: named("disputes.status", &row.status, DisputeStatus::parse)?,
            withdrawn: row.withdrawn,
            due_at: row.due_at.map(Timestamp::from),
            opened_at: row.opened_at.into(),
            closed_at: row.closed_at.map(Timestamp::from),
        })
    }
}
