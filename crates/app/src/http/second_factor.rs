//! The authenticator app of who is signed in.

use accounts::RecoveryCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::auth::{self, SignedIn};
use super::extract::Body;
use super::problem::ApiResult;
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::second_factor;

type App = Data<Pitlane>;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/me/second-factor", Access::SignedIn, standing);
    router.post("/api/me/second-factor", Access::SignedIn, begin);
    router.delete("/api/me/second-factor", Access::SignedIn, turn_off);
    router.post("/api/me/second-factor/confirm", Access::SignedIn, confirm);
    router.post("/api/me/second-factor/recovery-codes", Access::SignedIn, renew_codes);
}

#[derive(Serialize)]
struct StandingBody {
    enabled: bool,
    confirmed_at: Option<Timestamp>,
    recovery_codes_left: usize,
    required: bool,
}

async fn standing(person: SignedIn, app: App) -> ApiResult<HttpResponse> {
    let standing = second_factor::standing(&app, person.user()).await?;
    Ok(HttpResponse::Ok().json(StandingBody {
        enabled: standing.confirmed_at.is_some(),
        confirmed_at: standing.confirmed_at,
        recovery_codes_left: standing.codes_left,
        required: standing.required,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeginRequest {
    current_password: Option<String>,
}

#[derive(Serialize)]
struct EnrolmentBody {
    secret: String,
    otpauth_url: String,
}

// Takes no Idempotency-Key, as none of these do: a kept answer would keep the secret in clear.
async fn begin(
    person: SignedIn,
    request: HttpRequest,
    app: App,
    body: Body<BeginRequest>,
) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let device = auth::device(&request, &app);
    let enrolment = second_factor::begin(&app, person.user(), body.0.current_password, &device).await?;
    let body = EnrolmentBody { secret: enrolment.secret, otpauth_url: enrolment.address };
    Ok(HttpResponse::Created().json(body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    code: String,
}

#[derive(Serialize)]
struct CodesBody {
    recovery_codes: Vec<String>,
}

fn shown_once(codes: &[RecoveryCode]) -> HttpResponse {
    let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    HttpResponse::Ok().json(CodesBody { recovery_codes })
}

async fn confirm(person: SignedIn, app: App, body: Body<CodeRequest>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let codes = second_factor::confirm(&app, person.id(), body.0.code).await?;
    Ok(shown_once(&codes))
}

async fn renew_codes(person: SignedIn, app: App, body: Body<CodeRequest>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let codes = second_factor::renew_codes(&app, person.user(), body.0.code).await?;
    Ok(shown_once(&codes))
}

async fn turn_off(person: SignedIn, app: App, body: Body<CodeRequest>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    second_factor::turn_off(&app, person.user(), body.0.code).await?;
    Ok(HttpResponse::NoContent().finish())
}
