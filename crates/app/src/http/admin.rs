//! `/api/admin/sessions`: what runs now, and stepping in; money that goes back, and disputes.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use kernel::Timestamp;
use kernel::id::{DisputeId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use store::views::{self, session};

use super::auth::{Admin, Staff};
use super::idempotency::{Key, Keyed};
use super::list::{List, Paging};
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use super::sessions::{SessionBody, after, shown};
use crate::state::Pitlane;
use crate::usecases::Progress;
use crate::usecases::{Error, assign_mechanic, observe_session, refund_session};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/sessions/active", Access::Staff, active);
    router.post("/api/admin/sessions/{id}/assign", Access::Admin, assign);
    router.post("/api/admin/sessions/{id}/observe", Access::Admin, observe);
    router.post("/api/admin/sessions/{id}/refund", Access::Admin, refund);
    router.get("/api/admin/disputes", Access::Admin, disputes);
}

async fn active(
    staff: Staff,
    paging: Query<Paging>,
    app: Data<Pitlane>,
) -> ApiResult<Json<List<SessionBody>>> {
    let (viewer, limit) = (staff.id(), paging.limit());
    let before = paging.cursor()?;
    let read =
        app.db.read(move |tx| session::active(tx, viewer, before, limit + 1).map_err(Error::from)).await?;
    Ok(Json(List::of(read, limit, |view| view.id, SessionBody::from)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    mechanic_id: UserId,
}

async fn assign(
    admin: Admin,
    id: Path<SessionId>,
    body: Keyed<AssignBody>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = body;
    let admin = admin.id();
    let work = move |app: Data<Pitlane>| async move {
        let step = assign_mechanic::assign_mechanic(&app, admin, *id, value.mechanic_id).await?;
        Ok(HttpResponse::Ok().json(after(&app, admin, step).await?))
    };
    key.once(app, admin, work).await
}

async fn observe(admin: Admin, id: Path<SessionId>, key: Key, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let admin = admin.id();
    let work = move |app: Data<Pitlane>| async move {
        let step = observe_session::observe_session(&app, admin, *id).await?;
        Ok(HttpResponse::Ok().json(after(&app, admin, step).await?))
    };
    key.once(app, admin, work).await
}

/// The longest reason of a refund.
const REASON_MAX: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    amount_cents: Option<i64>,
    reason: String,
}

async fn refund(
    admin: Admin,
    id: Path<SessionId>,
    body: Keyed<RefundBody>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Keyed { value: RefundBody { amount_cents, reason }, key } = body;
    let reason = reason.trim().to_owned();
    let mut wrong = Vec::new();
    if amount_cents.is_some_and(|cents| cents < 1) {
        let message = "Write an amount of at least 1, or none for all that is left.";
        wrong.push(FieldError::new("amount_cents", "out_of_range", message));
    }
    let length = reason.chars().count();
    if !(1..=REASON_MAX).contains(&length) || reason.chars().any(char::is_control) {
        let message = format!("Write a reason of 1 to {REASON_MAX} characters.");
        wrong.push(FieldError::new("reason", "invalid", message));
    }
    if !wrong.is_empty() {
        return Err(Problem::invalid(wrong));
    }
    let admin = admin.id();
    let work = move |app: Data<Pitlane>, progress: Progress| async move {
        // Requested, and never answered.
        if progress.reached().is_none() {
            refund_session::refund_session(&app, admin, *id, amount_cents, reason, progress).await?;
        }
        Ok(HttpResponse::Ok().json(shown(&app, admin, *id).await?))
    };
    key.once_from(app, admin, work).await
}

#[derive(Serialize)]
struct DisputeBody {
    id: DisputeId,
    provider_id: String,
    session_id: Option<SessionId>,
    customer_name: String,
    amount_cents: i64,
    currency: String,
    reason: String,
    status: String,
    withdrawn: bool,
    due_at: Option<Timestamp>,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    evidence: Option<String>,
}

async fn disputes(
    _admin: Admin,
    paging: Query<Paging>,
    app: Data<Pitlane>,
) -> ApiResult<Json<List<DisputeBody>>> {
    let (before, limit) = (paging.cursor()?, paging.limit());
    let read = app
        .db
        .read(move |tx| views::disputes::page(tx, None, before, limit + 1).map_err(Error::from))
        .await?;
    Ok(Json(List::of(
        read,
        limit,
        |view| view.id,
        |view| DisputeBody {
            evidence: view.session.map(|id| format!("/sessions/{id}/transcript")),
            id: view.id,
            provider_id: view.provider_id,
            session_id: view.session,
            customer_name: view.customer_name,
            amount_cents: view.amount_cents,
            currency: view.currency,
            reason: view.reason,
            status: view.status.as_str().to_owned(),
            withdrawn: view.withdrawn,
            due_at: view.due_at,
            opened_at: view.opened_at,
            closed_at: view.closed_at,
        },
    )))
}
