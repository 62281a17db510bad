//! `/thank-you?session={id}`: where a paid session stands, and the way into it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use kernel::id::SessionId;
use serde::Deserialize;
use store::views::requests::VehicleView;
use store::views::room;
use store::views::session::{self, SessionView};
use web::frame::Nav;
use web::thank_you::ThankYouPage;

use super::frame::{frame, go, show};
use super::rows;
use crate::http::auth::Customer;
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/thank-you", Access::Customer, open);
}

#[derive(Deserialize)]
struct Wanted {
    session: Option<String>,
}

async fn open(customer: Customer, pitlane: Data<Pitlane>, wanted: Query<Wanted>) -> ApiResult<HttpResponse> {
    let Some(text) = wanted.into_inner().session else { return Ok(go("/dashboard")) };
    let id: SessionId = text.parse().map_err(|_| Problem::not_found())?;
    let viewer = customer.id();
    let found = pitlane
        .db
        .read(move |tx| {
            let view = session::of_participant(tx, id, viewer)?;
            let mut vehicles = room::vehicles_of(tx, &[id])?;
            Ok::<_, Error>(view.map(|view| (view, vehicles.remove(&id))))
        })
        .await?;
    let (view, vehicle) = found.ok_or_else(Problem::not_found)?;
    show(&page(&pitlane, &customer, &view, vehicle.as_ref()), StatusCode::OK)
}

fn page(
    pitlane: &Pitlane,
    customer: &Customer,
    view: &SessionView,
    vehicle: Option<&VehicleView>,
) -> ThankYouPage {
    ThankYouPage {
        frame: frame(pitlane, Some(&customer.0), Nav::None),
        session_id: view.id.to_string(),
        status: rows::status(view.status),
        plan_name: rows::plan_now(pitlane, view),
        duration_minutes: i64::from(view.allowance_minutes),
        vehicle: vehicle.map(VehicleView::title),
        total: rows::total(view),
        payment_status: view.payment_status.as_str().to_owned(),
        mechanic_name: view.mechanic.as_ref().map(|mechanic| mechanic.name.clone()),
        scheduled_for: rows::instant(view.scheduled_for),
        refund_after_minutes: i64::from(pitlane.settings.dispatch.refund_after_seconds) / 60,
        receipt_order_id: view.order.map(|order| order.to_string()),
    }
}
