//! `/api/admin/alerts`: what support was told of, and marking it as seen.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Query};
use kernel::Timestamp;
use kernel::id::{AlertId, SessionId, UserId};
use notifications::Alert;
use serde::Serialize;
use store::views::watch;
use uuid::Uuid;

use super::auth::Staff;
use super::list::{List, Paging};
use super::problem::ApiResult;
use super::router::{Access, Router};
use super::{NoBody, address};
use crate::state::Pitlane;
use crate::usecases::{Error, alert_support};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/alerts", Access::Staff, all);
    router.post("/api/admin/alerts/{id}/seen", Access::Staff, seen);
}

#[derive(Debug, Serialize)]
struct AlertBody {
    id: AlertId,
    cause: &'static str,
    object_id: Uuid,
    session_id: Option<SessionId>,
    since: Timestamp,
    raised_at: Timestamp,
    ended_at: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    seen_by: Option<UserId>,
}

impl From<Alert> for AlertBody {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id,
            cause: alert.found.cause.as_str(),
            object_id: alert.found.object,
            session_id: alert.found.session,
            since: alert.found.since,
            raised_at: alert.raised_at,
            ended_at: alert.ended_at,
            seen_at: alert.seen.map(|(_, at)| at),
            seen_by: alert.seen.map(|(by, _)| by),
        }
    }
}

async fn all(_staff: Staff, paging: Query<Paging>, app: Data<Pitlane>) -> ApiResult<Json<List<AlertBody>>> {
    let (before, limit) = (paging.cursor()?, paging.limit());
    let read = app.db.read(move |tx| watch::alerts(tx, before, limit + 1).map_err(Error::from)).await?;
    Ok(Json(List::of(read, limit, |alert| alert.id, AlertBody::from)))
}

async fn seen(
    staff: Staff,
    id: Path<AlertId>,
    request: HttpRequest,
    app: Data<Pitlane>,
    _: NoBody,
) -> ApiResult<Json<AlertBody>> {
    let address = address::of(&request, &app);
    let alert = alert_support::see(&app, *id, staff.id(), staff.actor(), address).await?;
    Ok(Json(alert.into()))
}
