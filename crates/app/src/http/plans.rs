//! Plans: what is sold under the active price book.

use actix_web::HttpResponse;
use actix_web::web::Data;
use kernel::{Modality, PlanCode, SessionType};
use pricing::{Plan, PriceBook};
use serde::Serialize;

use super::{Access, ApiResult, Router};
use crate::state::Pitlane;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get_or_head("/api/plans", Access::Public, plans);
}

#[derive(Serialize)]
struct PlansBody<'a> {
    book: &'a str,
    currency: &'static str,
    plans: Vec<PlanBody<'a>>,
}

#[derive(Serialize)]
struct PlanBody<'a> {
    code: PlanCode,
    name: &'a str,
    session_type: SessionType,
    modality: Modality,
    price_cents: i64,
    duration_minutes: u32,
    first_time_only: bool,
    description: &'a str,
}

impl<'a> From<&'a Plan> for PlanBody<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            code: plan.code(),
            name: plan.name(),
            session_type: plan.session_type(),
            modality: plan.modality(),
            price_cents: plan.price().minor(),
            duration_minutes: plan.duration_minutes(),
            first_time_only: plan.first_time_only(),
            description: plan.description(),
        }
    }
}

impl<'a> From<&'a PriceBook> for PlansBody<'a> {
    fn from(book: &'a PriceBook) -> Self {
        Self {
            book: book.version(),
            currency: book.currency().as_str(),
            plans: book.plans().iter().map(PlanBody::from).collect(),
        }
    }
}

async fn plans(pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    Ok(HttpResponse::Ok().json(PlansBody::from(pitlane.catalog.active())))
}
