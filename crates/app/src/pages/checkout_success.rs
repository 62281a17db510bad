//! `/checkout/success?session_id=…`: where the payment page sends people.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use web::checkout::{CheckoutState, CheckoutSuccessPage};
use web::frame::Nav;

use super::frame::{frame, go, show};
use crate::http::auth::Customer;
use crate::http::intake::route;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::resolve_checkout::{Resolved, plan_of, resolve_checkout};

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/checkout/success", Access::Customer, open);
}

#[derive(Deserialize)]
struct Wanted {
    session_id: Option<String>,
}

async fn open(customer: Customer, pitlane: Data<Pitlane>, wanted: Query<Wanted>) -> ApiResult<HttpResponse> {
    let Some(checkout) = wanted.into_inner().session_id else { return Ok(go("/dashboard")) };
    let state = match resolve_checkout(&pitlane, customer.id(), &checkout).await? {
        Resolved::Session { id, session_type } => return Ok(go(&route(id, session_type.modality()))),
        Resolved::Processing { open: true } => CheckoutState::Unpaid,
        Resolved::Processing { open: false } => CheckoutState::Processing,
        Resolved::Failed => CheckoutState::Failed,
        Resolved::Expired => CheckoutState::Expired,
        Resolved::Returned => CheckoutState::Refunded,
    };
    let plan_code = match state {
        CheckoutState::Refunded => None,
        CheckoutState::Processing
        | CheckoutState::Unpaid
        | CheckoutState::Failed
        | CheckoutState::Expired => {
            Some(plan_of(&pitlane, customer.id(), &checkout).await?.as_str().to_owned())
        }
    };
    let frame = frame(&pitlane, Some(&customer.0), Nav::None);
    show(&CheckoutSuccessPage { frame, checkout_session_id: checkout, state, plan_code }, StatusCode::OK)
}
