//! Intake: the car, the problem and the waiver, before there is an order.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use kernel::id::{FileId, HoldId, IntakeId, SessionId, UpsellId};
use kernel::{Modality, PlanCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth::Customer;
use super::idempotency::Keyed;
use super::vehicles::VehicleRequest;
use super::{Access, ApiResult, Router, address};
use crate::state::Pitlane;
use crate::usecases::start_intake::{StartIntake, Started, start_intake};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/intake/start", Access::Customer, start);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartRequest {
    plan: String,
    vehicle: VehicleRequest,
    concern: String,
    accept_waiver: bool,
    waiver_version: Option<String>,
    preferred_mechanic_id: Option<Uuid>,
    routing_type: Option<String>,
    provider_type: Option<String>,
    hold_id: Option<HoldId>,
    upsell_id: Option<UpsellId>,
    #[serde(default)]
    file_ids: Option<Vec<FileId>>,
}

#[derive(Serialize)]
struct StartedBody {
    intake_id: IntakeId,
    plan: PlanCode,
    price_cents: i64,
    currency: &'static str,
    next: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
}

impl From<Started> for StartedBody {
    fn from(started: Started) -> Self {
        Self {
            intake_id: started.intake,
            plan: started.plan,
            price_cents: started.price.minor(),
            currency: started.price.currency().as_str(),
            next: if started.session.is_some() { "session" } else { "checkout" },
            session_id: started.session.map(|(session, _)| session),
            route: started.session.map(|(session, modality)| route(session, modality)),
        }
    }
}

/// The page that a customer sees when a session has been paid, or has been changed for money amid the conversation.
pub fn route_after(session: SessionId, modality: Modality, changed: bool) -> String {
    if changed { format!("/chat/{session}") } else { route(session, modality) }
}

/// The page that a customer sees when a session has been made.
pub fn route(session: SessionId, modality: Modality) -> String {
    match modality {
        Modality::Chat => format!("/chat/{session}"),
        Modality::Video => format!("/thank-you?session={session}"),
    }
}

async fn start(
    customer: Customer,
    request: HttpRequest,
    body: Keyed<StartRequest>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = body;
    let sent = sent(customer.id(), address::of(&request, &pitlane), value);
    key.once(pitlane, customer.id(), |pitlane| async move {
        let started = start_intake(&pitlane, sent).await?;
        Ok(HttpResponse::Created().json(StartedBody::from(started)))
    })
    .await
}

fn sent(customer: kernel::UserId, address: String, body: StartRequest) -> StartIntake {
    StartIntake {
        customer,
        address,
        plan: body.plan,
        vehicle: body.vehicle.into(),
        concern: body.concern,
        accept_waiver: body.accept_waiver,
        waiver_shown: body.waiver_version,
        preferred_mechanic: body.preferred_mechanic_id,
        routing: body.routing_type,
        provider_type: body.provider_type,
        hold: body.hold_id,
        upsell: body.upsell_id,
        files: body.file_ids.unwrap_or_default(),
    }
}
