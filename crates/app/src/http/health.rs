//! `/healthz` and `/readyz`: for whoever watches this process.

use actix_web::HttpResponse;
use actix_web::web::Data;
use jobs::Store;
use serde_json::json;

use super::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Adds both.
pub fn routes(router: &mut Router) {
    router.get("/healthz", Access::Public, alive);
    router.get("/readyz", Access::Public, ready);
}

// Whether the process answers at all. It does not look at the database: restarting would not mend that.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

async fn ready(pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    pitlane.db.read(|tx| tx.jobs_next_instant().map_err(Error::from)).await.map_err(Problem::from)?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready", "database": pitlane.db.kind() })))
}
