//! What Resend tells.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateways::resend::{Signature, feedback};
use payments::gateway::CallbackError;
use serde_json::json;

use super::{Access, ApiResult, Router, extract};
use crate::state::Pitlane;
use crate::usecases::{Error, mail_feedback};

/// How old a signature may be, in seconds.
const TOLERANCE_SECONDS: u64 = 300;

/// Adds the route.
pub fn routes(router: &mut Router) {
    router.post("/api/resend/webhook", Access::Signed, receive);
}

/// The signature covers the bytes as they came, so nothing reads them before it is checked.
async fn receive(request: HttpRequest, payload: Payload, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let body = extract::collect(&request, payload.into_inner()).await?;
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signature = Signature {
        id: header("svix-id"),
        timestamp: header("svix-timestamp"),
        values: header("svix-signature"),
    };
    let secrets = pitlane.settings.mail.resend_webhook_secret.each();
    signature
        .verify(&body, secrets, TOLERANCE_SECONDS, pitlane.clock.now().unix_seconds())
        .map_err(|_| Error::Callback(CallbackError::BadSignature))?;
    if let Some(told) = feedback(&body) {
        mail_feedback::hear(&pitlane, told).await?;
    }
    Ok(HttpResponse::Ok().json(json!({ "received": true })))
}
