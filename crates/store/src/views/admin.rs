//! The admin's first page: how much is going on, and who could help.

use diesel::dsl::count_star;
use diesel::prelude::*;
use jobs::{JobKind, JobStatus};
use kernel::id::UserId;
use kernel::{StoreError, Timestamp};
use sessions::Status;

use crate::error::Stored;
use crate::literal::literal;
use crate::schema::accounts::{mechanics, users};
use crate::schema::applications::applications;
use crate::schema::jobs::jobs as jobs_table;
use crate::schema::notifications::deliveries;
use crate::schema::payments::webhook_events;
use crate::schema::sessions::sessions as sessions_table;
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// The most mechanics of one list.
const MECHANICS_MAX: i64 = 500;

/// How many sessions there are in a status.
///
/// # Errors
/// A failure of the storage.
pub fn counts(tx: &mut Tx<'_>) -> Result<Vec<(Status, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = sessions_table::table
        .filter(sessions_table::status.eq_any(["requested", "scheduled", "accepted", "in_progress"]))
        .group_by(sessions_table::status)
        .select((sessions_table::status, count_star()))
        .load(tx.conn())
        .stored()?;
    rows.into_iter()
        .map(|(name, count)| Ok((crate::sessions::named("sessions.status", &name, Status::parse)?, count)))
        .collect()
}

/// A mechanic who can be given a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignable {
    /// The mechanic.
    pub id: UserId,
    /// The name.
    pub name: String,
    /// Whether they take work now.
    pub on_duty: bool,
}

/// The approved mechanics, those on duty first, then by name.
///
/// # Errors
/// A failure of the storage.
pub fn assignable(tx: &mut Tx<'_>) -> Result<Vec<Assignable>, StoreError> {
    let rows: Vec<(Id, String, bool)> = mechanics::table
        .inner_join(users::table)
        .filter(mechanics::approval.eq("approved").and(users::status.eq("active")))
        .order((mechanics::on_duty.desc(), users::name, users::id))
        .limit(MECHANICS_MAX)
        .select((users::id, users::name, mechanics::on_duty))
        .load(tx.conn())
        .stored()?;
    let view = |(id, name, on_duty): (Id, String, bool)| Assignable { id: UserId::new(id.0), name, on_duty };
    Ok(rows.into_iter().map(view).collect())
}

/// A mechanic who waits for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    /// The mechanic.
    pub id: UserId,
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// Whether it was confirmed.
    pub email_verified: bool,
    /// Since when they wait.
    pub registered_at: Timestamp,
}

/// The mechanics who wait for approval and have no application that is looked at, oldest first.
///
/// # Errors
/// A failure of the storage.
pub fn applicants(tx: &mut Tx<'_>) -> Result<Vec<Applicant>, StoreError> {
    type Row = (Id, String, String, Option<Ts>, Ts);
    let rows: Vec<Row> = mechanics::table
        .inner_join(users::table)
        .filter(mechanics::approval.eq("pending").and(users::status.eq("active")))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            applications::table
                .filter(applications::user_id.eq(users::id))
                .filter(applications::status.eq_any(["submitted", "asked_again"]))
                .select(applications::id),
        )))
        .order((mechanics::created_at, users::id))
        .limit(MECHANICS_MAX)
        .select((users::id, users::name, users::email, users::email_verified_at, mechanics::created_at))
        .load(tx.conn())
        .stored()?;
    let view = |(id, name, email, verified, registered_at): Row| Applicant {
        id: UserId::new(id.0),
        name,
        email,
        email_verified: verified.is_some(),
        registered_at: registered_at.into(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// How many jobs were given up.
///
/// # Errors
/// A failure of the storage.
pub fn dead_jobs(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    jobs_table::table.filter(jobs_table::status.eq(literal("dead"))).count().get_result(tx.conn()).stored()
}

/// How it last went with the services elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Elsewhere {
    /// When the payment provider last answered; it is asked for its events every minute.
    pub answered_at: Option<Timestamp>,
    /// Whether it was asked in vain since.
    pub in_vain: bool,
    /// When it last told of something.
    pub told_at: Option<Timestamp>,
    /// When the carrier of mail last took one.
    pub mailed_at: Option<Timestamp>,
}

/// How it last went with the services elsewhere.
///
/// # Errors
/// A failure of the storage.
pub fn elsewhere(tx: &mut Tx<'_>) -> Result<Elsewhere, StoreError> {
    let answered: Option<Option<Ts>> = jobs_table::table
        .filter(jobs_table::kind.eq(JobKind::Reconcile.as_str()))
        .filter(jobs_table::status.eq(literal(JobStatus::Done.as_str())))
        .order(jobs_table::id.desc())
        .select(jobs_table::finished_at)
        .first(tx.conn())
        .optional()
        .stored()?;
    let failing: Option<Ts> = jobs_table::table
        .filter(jobs_table::kind.eq(JobKind::Reconcile.as_str()))
        .filter(jobs_table::status.ne(JobStatus::Done.as_str()))
        .filter(jobs_table::last_error.is_not_null())
        .order(jobs_table::id.desc())
        .select(jobs_table::created_at)
        .first(tx.conn())
        .optional()
        .stored()?;
    let told: Option<Ts> = webhook_events::table
        .order(webhook_events::received_at.desc())
        .select(webhook_events::received_at)
        .first(tx.conn())
        .optional()
        .stored()?;
    let mailed: Option<Option<Ts>> = deliveries::table
        .filter(deliveries::channel.eq("mail"))
        .filter(deliveries::sent_at.is_not_null())
        .order(deliveries::id.desc())
        .select(deliveries::sent_at)
        .first(tx.conn())
        .optional()
        .stored()?;
    let answered_at = answered.flatten().map(Timestamp::from);
    // Each is made when the one before it is done.
    let in_vain = failing
        .map(Timestamp::from)
        .is_some_and(|since| answered_at.is_none_or(|answered| since >= answered));
    Ok(Elsewhere {
        answered_at,
        in_vain,
        told_at: told.map(Timestamp::from),
        mailed_at: mailed.flatten().map(Timestamp::from),
    })
}
