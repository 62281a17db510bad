//! `/api/requests`: a mechanic's open offers.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use kernel::id::{RequestId, SessionId};
use kernel::{PlanCode, SessionType, Timestamp};
use serde::Serialize;
use store::views::requests::{self, RequestView};

use super::auth::Mechanic;
use super::idempotency::Key;
use super::list::{List, Paging};
use super::problem::ApiResult;
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::{Error, accept_request, decline_request};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/requests", Access::ApprovedMechanic, open);
    router.post("/api/requests/{id}/accept", Access::ApprovedMechanic, accept);
    router.post("/api/requests/{id}/decline", Access::ApprovedMechanic, decline);
}

#[derive(Debug, Serialize)]
struct VehicleBody {
    year: i64,
    make: String,
    model: String,
    mileage: Option<i64>,
}

#[derive(Debug, Serialize)]
struct RequestBody {
    id: RequestId,
    session_id: SessionId,
    customer_name: String,
    session_type: SessionType,
    plan: PlanCode,
    vehicle: Option<VehicleBody>,
    concern: String,
    priority: bool,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<RequestView> for RequestBody {
    fn from(view: RequestView) -> Self {
        let vehicle = view.vehicle.map(|car| VehicleBody {
            year: car.year,
            make: car.make,
            model: car.model,
            mileage: car.mileage,
        });
        Self {
            id: view.id,
            session_id: view.session,
            customer_name: view.customer_name,
            session_type: view.session_type,
            plan: view.plan,
            vehicle,
            concern: view.concern,
            priority: view.priority,
            created_at: view.created_at,
            expires_at: view.expires_at,
        }
    }
}

async fn open(
    mechanic: Mechanic,
    paging: Query<Paging>,
    app: Data<Pitlane>,
) -> ApiResult<Json<List<RequestBody>>> {
    let (mechanic, limit) = (mechanic.id(), paging.limit());
    let after = paging.cursor()?;
    let read = app
        .db
        .read(move |tx| requests::open_for(tx, mechanic, after, limit + 1).map_err(Error::from))
        .await?;
    Ok(Json(List::of(read, limit, |view| view.id, RequestBody::from)))
}

#[derive(Debug, Serialize)]
struct Answered {
    session_id: SessionId,
}

async fn accept(
    mechanic: Mechanic,
    id: Path<RequestId>,
    key: Key,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let mechanic = mechanic.id();
    let work = move |app: Data<Pitlane>| async move {
        let session_id = accept_request::accept_request(&app, mechanic, *id).await?;
        Ok(HttpResponse::Ok().json(Answered { session_id }))
    };
    key.once(app, mechanic, work).await
}

async fn decline(
    mechanic: Mechanic,
    id: Path<RequestId>,
    key: Key,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let mechanic = mechanic.id();
    let work = move |app: Data<Pitlane>| async move {
        let session_id = decline_request::decline_request(&app, mechanic, *id).await?;
        Ok(HttpResponse::Ok().json(Answered { session_id }))
    };
    key.once(app, mechanic, work).await
}
