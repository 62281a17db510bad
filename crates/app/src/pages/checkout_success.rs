//! `/checkout/success?session_id=…`: where the payment page sends people.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use web::checkout::{Bought, CheckoutState, CheckoutSuccessPage};
use web::frame::Nav;

use super::frame::{frame, go, show};
use crate::http::auth::Customer;
use crate::http::intake::route_after;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::resolve_checkout::{Resolved, Wanted, resolve_checkout, wanted};

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/checkout/success", Access::Customer, open);
}

#[derive(Deserialize)]
struct Asked {
    session_id: Option<String>,
}

async fn open(customer: Customer, pitlane: Data<Pitlane>, asked: Query<Asked>) -> ApiResult<HttpResponse> {
    let Some(checkout) = asked.into_inner().session_id else { return Ok(go("/dashboard")) };
    let state = match resolve_checkout(&pitlane, customer.id(), &checkout).await? {
        Resolved::Session { id, session_type, changed } => {
            return Ok(go(&route_after(id, session_type.modality(), changed)));
        }
        Resolved::Processing { open: true } => CheckoutState::Unpaid,
        Resolved::Processing { open: false } => CheckoutState::Processing,
        Resolved::Failed => CheckoutState::Failed,
        Resolved::Expired => CheckoutState::Expired,
        Resolved::Returned => CheckoutState::Refunded,
    };
    let wanted = match wanted(&pitlane, customer.id(), &checkout).await? {
        Wanted::Plan(plan) => Bought::Session(plan.as_str().to_owned()),
        Wanted::Change(session) => Bought::Change(session.to_string()),
    };
    let frame = frame(&pitlane, Some(&customer.0), Nav::None);
    show(&CheckoutSuccessPage { frame, checkout_session_id: checkout, state, wanted }, StatusCode::OK)
}
