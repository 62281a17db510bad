//! `/api/me/phone`: a telephone, and the code that shows whose it is.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Deserialize;

use super::auth::SignedIn;
use super::extract::Body;
use super::problem::{ApiResult, Problem};
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::phone;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/me/phone", Access::SignedIn, request);
    router.post("/api/me/phone/verify", Access::SignedIn, verify);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneRequest {
    phone: String,
}

async fn request(person: SignedIn, app: Data<Pitlane>, body: Body<PhoneRequest>) -> ApiResult<HttpResponse> {
    if !app.settings.reaches_telephones() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "text_messages_unavailable",
            "Text messages aren't sent here yet, so a telephone can't be confirmed.",
        ));
    }
    phone::request(&app, person.id(), &body.0.phone).await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    code: String,
}

async fn verify(person: SignedIn, app: Data<Pitlane>, body: Body<CodeRequest>) -> ApiResult<HttpResponse> {
    phone::verify(&app, person.id(), &body.0.code).await?;
    Ok(HttpResponse::NoContent().finish())
}
