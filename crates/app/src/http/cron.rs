//! `/api/cron/*`: work that an outside timer may ask for. The same runs by itself; this is for whoever wants to be sure.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};

use super::NoBody;
use super::auth::bears;
use super::problem::{ApiResult, Problem};
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::monitor::{Looked, monitor};

/// Adds the route.
pub fn routes(router: &mut Router) {
    router.post("/api/cron/monitor-sessions", Access::Signed, monitor_sessions);
}

async fn monitor_sessions(
    request: HttpRequest,
    pitlane: Data<Pitlane>,
    _: NoBody,
) -> ApiResult<Json<Looked>> {
    prove(&request, &pitlane)?;
    Ok(Json(monitor(&pitlane).await?))
}

/// Compares the bearer token with `server.cron_secret`. Without one there is no such route.
fn prove(request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<()> {
    let secret = pitlane.settings.server.cron_secret.expose();
    if secret.is_empty() {
        return Err(Problem::not_found());
    }
    if bears(request, secret) { Ok(()) } else { Err(Problem::not_signed_in()) }
}
