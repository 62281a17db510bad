//! What a customer may still pay for.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use kernel::id::{IntakeId, UserId};
use kernel::{PlanCode, StoreError, Timestamp};

use crate::error::Stored;
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = AnyUuid)]
    id: Id,
}

/// The customer's newest intake of the plan that was told after that instant, accepts this version of the waiver, and
/// for which no money has arrived or is on its way.
///
/// # Errors
/// When the storage fails.
pub fn unpaid_intake(
    tx: &mut Tx<'_>,
    customer: UserId,
    plan: PlanCode,
    waiver: &str,
    after: Timestamp,
) -> Result<Option<IntakeId>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT i.id FROM intakes i JOIN waiver_acceptances w ON w.intake_id = i.id \
         WHERE i.customer_id = $1 AND i.plan = $2 AND w.version = $3 AND i.created_at > $4 \
           AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.intake_id = i.id AND o.kind = 'session' \
             AND o.status IN ('processing', 'paid', 'fulfilled', 'refunded')) \
         ORDER BY i.created_at DESC, i.id DESC LIMIT 1",
    )
    .bind::<AnyUuid, _>(Id(customer.uuid()))
    .bind::<Text, _>(plan.as_str())
    .bind::<Text, _>(waiver)
    .bind::<AnyTs, _>(Ts::from(after))
    .load(tx.conn())
    .stored()?;
    Ok(rows.into_iter().next().map(|row| IntakeId::new(row.id.0)))
}
