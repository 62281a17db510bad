//! What providers have earned, and disputes: rows of the port of `payments`.

use diesel::RunQueryDsl;
use diesel::prelude::{
    AsChangeset, ExpressionMethods, Identifiable, Insertable, OptionalExtension, QueryDsl, Queryable,
    Selectable, SelectableHelper,
};
use kernel::id::{DisputeId, PaymentId, ProviderId, SessionId};
use kernel::{Money, StoreError, Timestamp};
use payments::ledger::Shares;
use payments::{Dispute, DisputeStatus, Earning};

use crate::error::Stored;
use crate::payments::{changed_one, money};
use crate::prepared::Keep;
use crate::schema::payments::{disputes, provider_earnings};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = provider_earnings, primary_key(payment_id))]
struct EarningRow {
    payment_id: Id,
    session_id: Id,
    provider_id: Id,
    net_cents: i64,
    fee_cents: i64,
    payable_cents: i64,
    currency: String,
    frozen: bool,
    created_at: Ts,
}

impl TryFrom<&Earning> for EarningRow {
    type Error = StoreError;

    fn try_from(earning: &Earning) -> Result<Self, StoreError> {
        let shares = earning.shares;
        let net = shares.net().map_err(|reason| StoreError::corrupt("earning", reason))?;
        Ok(Self {
            payment_id: Id(earning.payment.uuid()),
            session_id: Id(earning.session.uuid()),
            provider_id: Id(earning.provider.uuid()),
            net_cents: net.minor(),
            fee_cents: shares.fee.minor(),
            payable_cents: shares.payable.minor(),
            currency: net.currency().as_str().to_owned(),
            frozen: earning.frozen,
            created_at: earning.created_at.into(),
        })
    }
}

impl TryFrom<EarningRow> for Earning {
    type Error = StoreError;

    fn try_from(row: EarningRow) -> Result<Self, StoreError> {
        let fee = money("earning", row.fee_cents, &row.currency)?;
        Ok(Self {
            payment: PaymentId::new(row.payment_id.0),
            session: SessionId::new(row.session_id.0),
            provider: ProviderId::new(row.provider_id.0),
            shares: Shares { fee, payable: Money::new(row.payable_cents, fee.currency()) },
            frozen: row.frozen,
            created_at: row.created_at.into(),
        })
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = disputes, treat_none_as_null = true, treat_none_as_default_value = false)]
struct DisputeRow {
    id: Id,
    provider_id: String,
    payment_id: Id,
    amount_cents: i64,
    currency: String,
    reason: String,
    status: String,
    withdrawn: bool,
    due_at: Option<Ts>,
    opened_at: Ts,
    closed_at: Option<Ts>,
}

impl From<&Dispute> for DisputeRow {
    fn from(dispute: &Dispute) -> Self {
        Self {
            id: Id(dispute.id.uuid()),
            provider_id: dispute.provider_id.clone(),
            payment_id: Id(dispute.payment.uuid()),
            amount_cents: dispute.amount.minor(),
            currency: dispute.amount.currency().as_str().to_owned(),
            reason: dispute.reason.clone(),
            status: dispute.status.as_str().to_owned(),
            withdrawn: dispute.withdrawn,
            due_at: dispute.due_at.map(Ts::from),
            opened_at: dispute.opened_at.into(),
            closed_at: dispute.closed_at.map(Ts::from),
        }
    }
}

impl TryFrom<DisputeRow> for Dispute {
    type Error = StoreError;

    fn try_from(row: DisputeRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: DisputeId::new(row.id.0),
            payment: PaymentId::new(row.payment_id.0),
            amount: money("dispute", row.amount_cents, &row.currency)?,
            status: DisputeStatus::parse(&row.status)
                .ok_or_else(|| StoreError::corrupt("disputes.status", &row.status))?,
            provider_id: row.provider_id,
            reason: row.reason,
            withdrawn: row.withdrawn,
            due_at: row.due_at.map(Timestamp::from),
            opened_at: row.opened_at.into(),
            closed_at: row.closed_at.map(Timestamp::from),
        })
    }
}

pub(crate) fn earning_of_payment(tx: &mut Tx<'_>, payment: PaymentId) -> Result<Option<Earning>, StoreError> {
    let query = provider_earnings::table.find(Id(payment.uuid())).select(EarningRow::as_select());
    query.limit(1).kept().get_result(tx.conn()).optional().stored()?.map(Earning::try_from).transpose()
}

pub(crate) fn earning_insert(tx: &mut Tx<'_>, earning: &Earning) -> Result<(), StoreError> {
    let row = EarningRow::try_from(earning)?;
    diesel::insert_into(provider_earnings::table).values(row).kept().execute(tx.conn()).stored().map(drop)
}

pub(crate) fn earning_update(tx: &mut Tx<'_>, earning: &Earning) -> Result<(), StoreError> {
    let row = EarningRow::try_from(earning)?;
    let changed = diesel::update(provider_earnings::table.find(row.payment_id))
        .set(&row)
        .kept()
        .execute(tx.conn())
        .stored()?;
    changed_one("the earning", changed)
}

pub(crate) fn disputes_of_payment(tx: &mut Tx<'_>, payment: PaymentId) -> Result<Vec<Dispute>, StoreError> {
    let rows: Vec<DisputeRow> = disputes::table
        .filter(disputes::payment_id.eq(Id(payment.uuid())))
        .order((disputes::opened_at, disputes::id))
        .select(DisputeRow::as_select())
        .kept()
        .load(tx.conn())
        .stored()?;
    rows.into_iter().map(Dispute::try_from).collect()
}

pub(crate) fn dispute_insert(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<(), StoreError> {
    diesel::insert_into(disputes::table)
        .values(DisputeRow::from(dispute))
        .kept()
        .execute(tx.conn())
        .stored()
        .map(drop)
}

pub(crate) fn dispute_update(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<(), StoreError> {
    let row = DisputeRow::from(dispute);
    let changed =
        diesel::update(disputes::table.find(row.id)).set(&row).kept().execute(tx.conn()).stored()?;
    changed_one("the dispute", changed)
}
