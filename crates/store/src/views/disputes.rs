//! Disputes as admins see them.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use kernel::id::{DisputeId, SessionId};
use kernel::{StoreError, Timestamp};

use crate::error::Stored;
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
    /// The customer's name.
    pub customer_name: String,
    /// How much, in minor units.
    pub amount_cents: i64,
    /// The currency's code.
    pub currency: String,
    /// Why, in the provider's words.
    pub reason: String,
    /// `open`, `under_review`, `won` or `lost`.
    pub status: String,
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
    #[diesel(sql_type = Text)]
    customer_name: String,
    #[diesel(sql_type = BigInt)]
    amount_cents: i64,
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

/// A page of the disputes, newest first: those before `before`.
///
/// # Errors
/// A failure of the storage.
pub fn page(tx: &mut Tx<'_>, before: Option<DisputeId>, limit: u32) -> Result<Vec<DisputeView>, StoreError> {
    let last = before.map_or(uuid::Uuid::max(), DisputeId::uuid);
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT d.id, d.provider_id, o.session_id, u.name AS customer_name, d.amount_cents, d.currency, d.reason, \
           d.status, d.withdrawn, d.due_at, d.opened_at, d.closed_at \
         FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = p.order_id \
         JOIN users u ON u.id = o.customer_id WHERE d.id < $1 ORDER BY d.id DESC LIMIT {limit}"
    ))
    .bind::<AnyUuid, _>(Id(last))
    .load(tx.conn())
    .stored()?;
    let view = |row: Row| DisputeView {
        id: DisputeId::new(row.id.0),
        provider_id: row.provider_id,
        session: row.session_id.map(|id| SessionId::new(id.0)),
        customer_name: row.customer_name,
        amount_cents: row.amount_cents,
        currency: row.currency,
        reason: row.reason,
        status: row.status,
        withdrawn: row.withdrawn,
        due_at: row.due_at.map(Timestamp::from),
        opened_at: row.opened_at.into(),
        closed_at: row.closed_at.map(Timestamp::from),
    };
    Ok(rows.into_iter().map(view).collect())
}
