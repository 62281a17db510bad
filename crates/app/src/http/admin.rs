//! `/api/admin/sessions`: what runs now, and stepping in.

use actix_web::web::{Data, Json, Path, Query};
use kernel::id::{SessionId, UserId};
use serde::Deserialize;
use store::views::session::{LiveFilter, live};

use super::auth::Admin;
use super::list::{self, List};
use super::problem::ApiResult;
use super::router::{Access, Router};
use super::sessions::{SessionBody, after};
use super::{Body, NoBody};
use crate::state::Pitlane;
use crate::usecases::{Error, assign_mechanic, observe_session};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/sessions/active", Access::Admin, active);
    router.post("/api/admin/sessions/{id}/assign", Access::Admin, assign);
    router.post("/api/admin/sessions/{id}/observe", Access::Admin, observe);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActiveQuery {
    limit: Option<u64>,
    cursor: Option<String>,
}

async fn active(
    admin: Admin,
    query: Query<ActiveQuery>,
    app: Data<Pitlane>,
) -> ApiResult<Json<List<SessionBody>>> {
    let (viewer, limit) = (admin.id(), list::limit(query.limit));
    let offset: u32 = list::cursor(query.cursor.as_deref())?.unwrap_or(0);
    let filter = LiveFilter { descending: true, offset, ..LiveFilter::default() };
    let read = app.db.read(move |tx| live(tx, viewer, &filter, limit + 1).map_err(Error::from)).await?;
    Ok(Json(List::of(read, limit, |_| offset.saturating_add(limit), SessionBody::from)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    mechanic_id: UserId,
}

async fn assign(
    admin: Admin,
    id: Path<SessionId>,
    body: Body<AssignBody>,
    app: Data<Pitlane>,
) -> ApiResult<Json<SessionBody>> {
    let step = assign_mechanic::assign_mechanic(&app, admin.id(), *id, body.0.mechanic_id).await?;
    Ok(Json(after(&app, admin.id(), step).await?))
}

async fn observe(
    admin: Admin,
    id: Path<SessionId>,
    _: NoBody,
    app: Data<Pitlane>,
) -> ApiResult<Json<SessionBody>> {
    let step = observe_session::observe_session(&app, admin.id(), *id).await?;
    Ok(Json(after(&app, admin.id(), step).await?))
}
