//! `/api/admin/sessions`: what runs now, and stepping in.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use kernel::id::{SessionId, UserId};
use serde::Deserialize;
use store::views::session;

use super::auth::{Admin, Staff};
use super::idempotency::{Empty, Keyed};
use super::list::{List, Paging};
use super::problem::ApiResult;
use super::router::{Access, Router};
use super::sessions::{SessionBody, after};
use crate::state::Pitlane;
use crate::usecases::{Error, assign_mechanic, observe_session};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/sessions/active", Access::Staff, active);
    router.post("/api/admin/sessions/{id}/assign", Access::Admin, assign);
    router.post("/api/admin/sessions/{id}/observe", Access::Admin, observe);
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

async fn observe(
    admin: Admin,
    id: Path<SessionId>,
    body: Keyed<Empty>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let admin = admin.id();
    let work = move |app: Data<Pitlane>| async move {
        let step = observe_session::observe_session(&app, admin, *id).await?;
        Ok(HttpResponse::Ok().json(after(&app, admin, step).await?))
    };
    body.key.once(app, admin, work).await
}
