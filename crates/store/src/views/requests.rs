//! A mechanic's open offers.

use std::sync::LazyLock;

use diesel::Queryable;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use kernel::id::{RequestId, SessionId, UserId};
use kernel::{PlanCode, SessionType, StoreError, Timestamp};

use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::sessions::named;
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

/// A car as whoever hasn't accepted yet may see it: without its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VehicleView {
    /// The model year.
    pub year: i64,
    /// Who made it.
    pub make: String,
    /// What it is called.
    pub model: String,
    /// Miles at the time of the intake.
    pub mileage: Option<i64>,
}

impl VehicleView {
    /// Year, make and model in one line.
    pub fn title(&self) -> String {
        format!("{} {} {}", self.year, self.make, self.model)
    }
}

/// An open offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestView {
    /// The request.
    pub id: RequestId,
    /// The session that waits.
    pub session: SessionId,
    /// Who waits.
    pub customer_name: String,
    /// What it is.
    pub session_type: SessionType,
    /// The plan that was bought.
    pub plan: PlanCode,
    /// The car.
    pub vehicle: Option<VehicleView>,
    /// The problem in the customer's words.
    pub concern: String,
    /// Whether the customer asked for this mechanic, or for their workshop.
    pub priority: bool,
    /// Since when it is open.
    pub created_at: Timestamp,
    /// When the customer gets the money back if nobody has come.
    pub expires_at: Timestamp,
}

// The columns of the query below, in its order.
type Columns = (
    AnyUuid,
    AnyUuid,
    Text,
    Text,
    Text,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
    Bool,
    AnyTs,
    AnyTs,
);

#[derive(Queryable)]
struct Row {
    id: Id,
    session_id: Id,
    customer_name: String,
    session_type: String,
    plan: String,
    year: Option<i64>,
    make: Option<String>,
    model: Option<String>,
    mileage: Option<i64>,
    concern: Option<String>,
    priority: bool,
    created_at: Ts,
    expires_at: Ts,
}

// Everybody on duty sees every open request, those who came on duty after it was opened too. `$1` is the mechanic.
const OPEN: &str = "\
SELECT r.id, r.session_id, customer.name AS customer_name, s.session_type, s.plan,
  v.year, v.make, v.model, i.mileage, i.concern,
  (r.routing_type = 'priority_broadcast' AND COALESCE(r.preferred_provider_id = m.provider_id, 1 = 0)) AS priority,
  r.created_at, r.expires_at
FROM session_requests r
JOIN mechanics m ON m.user_id = $1 AND m.on_duty AND m.approval = 'approved'
JOIN sessions s ON s.id = r.session_id
JOIN users customer ON customer.id = r.customer_id
LEFT JOIN intakes i ON i.id = s.intake_id
LEFT JOIN vehicles v ON v.id = i.vehicle_id
LEFT JOIN request_offers o ON o.request_id = r.id AND o.mechanic_id = m.user_id
WHERE r.status = 'open' AND (o.status IS NULL OR o.status = 'offered') AND r.customer_id <> m.user_id
  AND r.id > $2
ORDER BY r.id";

/// The open requests that this mechanic may take now, oldest first, after `after`; none while off duty or not approved,
/// and none that they declined.
///
/// # Errors
/// A failure of the storage.
pub fn open_for(
    tx: &mut Tx<'_>,
    mechanic: UserId,
    after: Option<RequestId>,
    limit: u32,
) -> Result<Vec<RequestView>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), RequestId::uuid);
    static QUERY: LazyLock<String> = LazyLock::new(|| format!("{OPEN} LIMIT $3"));
    let values = [Value::Id(Id(mechanic.uuid())), Value::Id(Id(after)), Value::Number(limit.into())];
    let rows: Vec<Row> = prepared::<Columns>(&QUERY, &values).load(tx.conn()).stored()?;
    rows.into_iter().map(RequestView::try_from).collect()
}

impl TryFrom<Row> for RequestView {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let vehicle = match (row.year, row.make, row.model) {
            (Some(year), Some(make), Some(model)) => {
                Some(VehicleView { year, make, model, mileage: row.mileage })
            }
            (_, _, _) => None,
        };
        Ok(Self {
            id: RequestId::new(row.id.0),
            session: SessionId::new(row.session_id.0),
            customer_name: row.customer_name,
            session_type: named("sessions.session_type", &row.session_type, SessionType::parse)?,
            plan: named("sessions.plan", &row.plan, PlanCode::parse)?,
            vehicle,
            concern: row.concern.unwrap_or_default(),
            priority: row.priority,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        })
    }
}
