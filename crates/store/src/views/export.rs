//! Everything of one person that no other view lists: what they asked, what they uploaded, what they ordered.

use diesel::prelude::*;
use kernel::id::{FileId, IntakeId, OrderId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use super::requests::VehicleView;
use crate::error::Stored;
use crate::schema::applications::suspensions;
use crate::schema::intake::{intakes, vehicles, waiver_acceptances};
use crate::schema::notifications::deliveries;
use crate::schema::payments::orders;
use crate::schema::sessions::files;
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// What somebody asked before paying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedIntake {
    /// The intake.
    pub id: IntakeId,
    /// The plan it was for.
    pub plan: String,
    /// The problem in the customer's words.
    pub concern: String,
    /// The car, with the mileage of that time.
    pub vehicle: VehicleView,
    /// The waiver that was accepted, when, and from which address.
    pub waiver: Option<(String, Timestamp, String)>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// A file that somebody uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// The file.
    pub id: FileId,
    /// The session it belongs to, once it is used.
    pub session: Option<SessionId>,
    /// The name it was uploaded under.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its length in bytes.
    pub size_bytes: i64,
    /// Under which key its bytes lie, while they do.
    pub storage_key: String,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// A mail or another message to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDelivery {
    /// What it was about.
    pub milestone: String,
    /// `mail`, `sms` or `push`.
    pub channel: String,
    /// `pending`, `unknown`, `sent`, `failed` or `suppressed`.
    pub status: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it went out.
    pub sent_at: Option<Timestamp>,
}

/// A time in which an account was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSuspension {
    /// Why, as the person was told.
    pub reason: String,
    /// From when on.
    pub suspended_at: Timestamp,
    /// Until when; `None` while it lasts.
    pub restored_at: Option<Timestamp>,
}

/// What was sent to this person, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn deliveries_of(tx: &mut Tx<'_>, person: UserId) -> Result<Vec<OwnDelivery>, StoreError> {
    type Row = (String, String, String, Ts, Option<Ts>);
    let rows: Vec<Row> = deliveries::table
        .filter(deliveries::recipient.eq(Id(person.uuid())))
        .order(deliveries::id)
        .select((
            deliveries::milestone,
            deliveries::channel,
            deliveries::status,
            deliveries::created_at,
            deliveries::sent_at,
        ))
        .load(tx.conn())
        .stored()?;
    let view = |(milestone, channel, status, created_at, sent_at): Row| OwnDelivery {
        milestone,
        channel,
        status,
        created_at: created_at.into(),
        sent_at: sent_at.map(Timestamp::from),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The times in which this person's account was closed, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn suspensions_of(tx: &mut Tx<'_>, person: UserId) -> Result<Vec<OwnSuspension>, StoreError> {
    let rows: Vec<(String, Ts, Option<Ts>)> = suspensions::table
        .filter(suspensions::user_id.eq(Id(person.uuid())))
        .order(suspensions::suspended_at)
        .select((suspensions::reason, suspensions::suspended_at, suspensions::restored_at))
        .load(tx.conn())
        .stored()?;
    let view = |(reason, at, restored): (String, Ts, Option<Ts>)| OwnSuspension {
        reason,
        suspended_at: at.into(),
        restored_at: restored.map(Timestamp::from),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The intakes of a customer, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn intakes_of(tx: &mut Tx<'_>, customer: UserId) -> Result<Vec<AskedIntake>, StoreError> {
    type Row = ((Id, String, String, Option<i64>, Ts), (i64, String, String), Option<(String, Ts, String)>);
    let rows: Vec<Row> = intakes::table
        .inner_join(vehicles::table)
        .left_join(waiver_acceptances::table.on(waiver_acceptances::intake_id.eq(intakes::id)))
        .filter(intakes::customer_id.eq(Id(customer.uuid())))
        .order(intakes::id)
        .select((
            (intakes::id, intakes::plan, intakes::concern, intakes::mileage, intakes::created_at),
            (vehicles::year, vehicles::make, vehicles::model),
            (waiver_acceptances::version, waiver_acceptances::accepted_at, waiver_acceptances::address)
                .nullable(),
        ))
        .load(tx.conn())
        .stored()?;
    let view = |((id, plan, concern, mileage, created_at), (year, make, model), waiver): Row| AskedIntake {
        id: IntakeId::new(id.0),
        plan,
        concern,
        vehicle: VehicleView { year, make, model, mileage },
        waiver: waiver.map(|(version, at, address)| (version, at.into(), address)),
        created_at: created_at.into(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The files that this person uploaded, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn files_of(tx: &mut Tx<'_>, owner: UserId) -> Result<Vec<OwnFile>, StoreError> {
    type Row = (Id, Option<Id>, String, String, i64, String, Ts);
    let rows: Vec<Row> = files::table
        .filter(files::owner_id.eq(Id(owner.uuid())))
        .order((files::created_at, files::id))
        .select((
            files::id,
            files::session_id,
            files::name,
            files::content_type,
            files::size_bytes,
            files::storage_key,
            files::created_at,
        ))
        .load(tx.conn())
        .stored()?;
    let view = |(id, session, name, content_type, size_bytes, storage_key, created_at): Row| OwnFile {
        id: FileId::new(id.0),
        session: session.map(|session| SessionId::new(session.0)),
        name,
        content_type,
        size_bytes,
        storage_key,
        created_at: created_at.into(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// A car that somebody took off their list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedCar {
    /// The car.
    pub vehicle: VehicleView,
    /// Its number.
    pub vin: Option<String>,
    /// Since when it is off the list.
    pub removed_at: Option<Timestamp>,
}

/// The cars that this person took off their list, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn removed_cars_of(tx: &mut Tx<'_>, customer: UserId) -> Result<Vec<RemovedCar>, StoreError> {
    type Row = (i64, String, String, Option<i64>, Option<String>, Option<Ts>);
    let rows: Vec<Row> = vehicles::table
        .filter(vehicles::customer_id.eq(Id(customer.uuid())).and(vehicles::removed_at.is_not_null()))
        .order(vehicles::id)
        .select((
            vehicles::year,
            vehicles::make,
            vehicles::model,
            vehicles::mileage,
            vehicles::vin,
            vehicles::removed_at,
        ))
        .load(tx.conn())
        .stored()?;
    let view = |(year, make, model, mileage, vin, removed_at): Row| RemovedCar {
        vehicle: VehicleView { year, make, model, mileage },
        vin,
        removed_at: removed_at.map(Timestamp::from),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// An order that came to nothing, or not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpaidOrder {
    /// The order.
    pub id: OrderId,
    /// What it was for.
    pub plan: String,
    /// What it would have cost, in minor units.
    pub amount_cents: i64,
    /// The currency.
    pub currency: String,
    /// Where it stands.
    pub status: String,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// The orders of a customer that were not paid, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn unpaid_orders_of(tx: &mut Tx<'_>, customer: UserId) -> Result<Vec<UnpaidOrder>, StoreError> {
    type Row = (Id, String, i64, String, String, Ts);
    let rows: Vec<Row> = orders::table
        .filter(orders::customer_id.eq(Id(customer.uuid())).and(orders::paid_at.is_null()))
        .order(orders::id)
        .select((
            orders::id,
            orders::plan,
            orders::amount_cents,
            orders::currency,
            orders::status,
            orders::created_at,
        ))
        .load(tx.conn())
        .stored()?;
    let view = |(id, plan, amount_cents, currency, status, created_at): Row| UnpaidOrder {
        id: OrderId::new(id.0),
        plan,
        amount_cents,
        currency,
        status,
        created_at: created_at.into(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The orders of a customer that were paid, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn paid_orders_of(tx: &mut Tx<'_>, customer: UserId) -> Result<Vec<OrderId>, StoreError> {
    let ids: Vec<Id> = orders::table
        .filter(orders::customer_id.eq(Id(customer.uuid())).and(orders::paid_at.is_not_null()))
        .order(orders::id)
        .select(orders::id)
        .load(tx.conn())
        .stored()?;
    Ok(ids.into_iter().map(|id| OrderId::new(id.0)).collect())
}
