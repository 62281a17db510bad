//! What mails tell beside the session itself: the car, the order and the money.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use kernel::id::{OrderId, RefundId, SessionId};
use kernel::{BasisPoints, Currency, Money, PlanCode, StoreError, Timestamp};
use payments::ledger::tax_contained;
use payments::{OrderKind, RefundReason};
use sessions::EndReason;

use crate::error::Stored;
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

/// The car and the order of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// The order it was bought with.
    pub order: Option<OrderId>,
    /// What it cost, tax contained.
    pub amount: Money,
    /// The tax in it.
    pub tax: Money,
    /// When it was paid, or fulfilled where it costs nothing.
    pub booked_at: Option<Timestamp>,
}

/// Money sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repayment {
    /// The order it was paid for.
    pub order: OrderId,
    /// What the order bought.
    pub kind: OrderKind,
    /// The plan of the order.
    pub plan: PlanCode,
    /// The price book of the order.
    pub price_book: String,
    /// What went back.
    pub amount: Money,
    /// What had been paid.
    pub paid: Money,
    /// Why.
    pub reason: RefundReason,
    /// Why the session is over that it was paid for; `None` while it is not, or while there is none.
    pub end_reason: Option<EndReason>,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

#[derive(QueryableByName)]
struct BookingRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    year: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    make: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    model: Option<String>,
    #[diesel(sql_type = Nullable<AnyUuid>)]
    order_id: Option<Id>,
    #[diesel(sql_type = Nullable<BigInt>)]
    amount_cents: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    tax_rate_bps: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Nullable<AnyTs>)]
    booked_at: Option<Ts>,
}

#[derive(QueryableByName)]
struct RepaymentRow {
    #[diesel(sql_type = AnyUuid)]
    order_id: Id,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = Text)]
    price_book: String,
    #[diesel(sql_type = BigInt)]
    amount_cents: i64,
    #[diesel(sql_type = BigInt)]
    paid_cents: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Nullable<Text>)]
    end_reason: Option<String>,
    #[diesel(sql_type = AnyTs)]
    created_at: Ts,
}

/// The car and the order of a session; `None` when there is no such session.
///
/// # Errors
/// When the storage fails.
pub fn booking(tx: &mut Tx<'_>, session: SessionId) -> Result<Option<Booking>, StoreError> {
    let rows: Vec<BookingRow> = diesel::sql_query(
        "SELECT v.year, v.make, v.model, o.id AS order_id, o.amount_cents, o.tax_rate_bps, o.currency, \
           coalesce(o.paid_at, o.fulfilled_at) AS booked_at \
         FROM sessions s \
         LEFT JOIN intakes i ON i.id = s.intake_id \
         LEFT JOIN vehicles v ON v.id = i.vehicle_id \
         LEFT JOIN orders o ON o.session_id = s.id AND o.kind = 'session' \
         WHERE s.id = $1",
    )
    .bind::<AnyUuid, _>(Id(session.uuid()))
    .load(tx.conn())
    .stored()?;
    rows.into_iter().next().map(Booking::try_from).transpose()
}

/// Money sent back; `None` when there is no such refund.
///
/// # Errors
/// When the storage fails.
pub fn repayment(tx: &mut Tx<'_>, refund: RefundId) -> Result<Option<Repayment>, StoreError> {
    let rows: Vec<RepaymentRow> = diesel::sql_query(
        "SELECT o.id AS order_id, o.kind, o.plan, o.price_book, r.amount_cents, p.amount_cents AS paid_cents, \
           r.currency, r.reason, s.end_reason, r.created_at \
         FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN orders o ON o.id = r.order_id \
         LEFT JOIN sessions s ON s.id = o.session_id WHERE r.id = $1",
    )
    .bind::<AnyUuid, _>(Id(refund.uuid()))
    .load(tx.conn())
    .stored()?;
    rows.into_iter().next().map(Repayment::try_from).transpose()
}

impl TryFrom<BookingRow> for Booking {
    type Error = StoreError;

    fn try_from(row: BookingRow) -> Result<Self, StoreError> {
        let currency = row.currency.as_deref().map(currency).transpose()?.unwrap_or(Currency::Usd);
        let amount = Money::new(row.amount_cents.unwrap_or(0), currency);
        let rate = u32::try_from(row.tax_rate_bps.unwrap_or(0))
            .map_err(|reason| StoreError::corrupt("orders.tax_rate_bps", reason))?;
        let tax = tax_contained(amount, BasisPoints::new(rate))
            .map_err(|reason| StoreError::corrupt("orders.amount_cents", reason))?;
        let vehicle = match (row.year, row.make, row.model) {
            (Some(year), Some(make), Some(model)) => Some(format!("{year} {make} {model}")),
            _ => None,
        };
        let order = row.order_id.map(|id| OrderId::new(id.0));
        Ok(Self { vehicle, order, amount, tax, booked_at: row.booked_at.map(Timestamp::from) })
    }
}

impl TryFrom<RepaymentRow> for Repayment {
    type Error = StoreError;

    fn try_from(row: RepaymentRow) -> Result<Self, StoreError> {
        let currency = currency(&row.currency)?;
        Ok(Self {
            order: OrderId::new(row.order_id.0),
            kind: OrderKind::parse(&row.kind).ok_or_else(|| StoreError::corrupt("orders.kind", &row.kind))?,
            plan: PlanCode::parse(&row.plan).ok_or_else(|| StoreError::corrupt("orders.plan", &row.plan))?,
            end_reason: row.end_reason.as_deref().map(end_reason).transpose()?,
            price_book: row.price_book,
            amount: Money::new(row.amount_cents, currency),
            paid: Money::new(row.paid_cents, currency),
            reason: RefundReason::parse(&row.reason)
                .ok_or_else(|| StoreError::corrupt("refunds.reason", &row.reason))?,
            asked_at: row.created_at.into(),
        })
    }
}

fn end_reason(name: &str) -> Result<EndReason, StoreError> {
    EndReason::parse(name).ok_or_else(|| StoreError::corrupt("sessions.end_reason", name))
}

fn currency(code: &str) -> Result<Currency, StoreError> {
    Currency::parse(code).ok_or_else(|| StoreError::corrupt("currency", code))
}
