//! What Stripe tells.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::{Access, ApiResult, Router, extract};
use crate::state::Pitlane;
use crate::usecases::receive_webhook::receive_webhook;

/// Adds the route.
pub fn routes(router: &mut Router) {
    router.post("/api/stripe/webhook", Access::Signed, receive);
}

#[derive(Serialize)]
struct Received {
    received: bool,
}

/// The signature covers the bytes as they came, so nothing reads them before it is checked.
async fn receive(request: HttpRequest, payload: Payload, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let body = extract::collect(&request, payload.into_inner()).await?;
    let signature = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok());
    receive_webhook(&pitlane, &body, signature.unwrap_or("")).await?;
    Ok(HttpResponse::Ok().json(Received { received: true }))
}
