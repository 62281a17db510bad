//! `/account/second-factor`: setting up the authenticator app, as plain forms.

use accounts::RecoveryCode;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;
use web::form::Errors;
use web::frame::Nav;
use web::second_factor::{AppState, SecondFactorPage};

use super::frame::{frame, go, show};
use super::start::faults;
use crate::http::auth::{self, SignedIn};
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::{self, second_factor};

type App = Data<Pitlane>;

const PAGE: &str = "/account/second-factor";

/// Adds the page and what its forms post to.
pub fn routes(router: &mut Router) {
    router.get(PAGE, Access::SignedIn, look);
    router.post(PAGE, Access::SignedIn, begin);
    router.post("/account/second-factor/confirm", Access::SignedIn, confirm);
    router.post("/account/second-factor/codes", Access::SignedIn, renew_codes);
    router.post("/account/second-factor/off", Access::SignedIn, turn_off);
    // What answers these forms has their addresses: who loads one again is shown where it stands.
    router.get("/account/second-factor/confirm", Access::SignedIn, look_again);
    router.get("/account/second-factor/codes", Access::SignedIn, look_again);
    router.get("/account/second-factor/off", Access::SignedIn, look_again);
}

async fn look_again() -> HttpResponse {
    go(PAGE)
}

/// A picture of the address that an app reads. An address of ours always fits into one.
fn picture(address: &str) -> ApiResult<String> {
    let code = QrCode::new(address).map_err(|error| {
        tracing::error!(%error, "the picture of an enrolment could not be made");
        Problem::internal()
    })?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    // Inside a page an SVG has no declaration of its own.
    Ok(drawn.split_once("?>").map_or(drawn.clone(), |(_, svg)| svg.to_owned()))
}

async fn state(app: &Pitlane, person: &SignedIn) -> ApiResult<(AppState, bool)> {
    let standing = second_factor::standing(app, person.user()).await?;
    let state = match (standing.confirmed_at, second_factor::begun(app, person.user()).await?) {
        (Some(since), _) => AppState::On { since: since.to_string(), codes_left: standing.codes_left },
        (None, Some(begun)) => AppState::Begun { picture: picture(&begun.address)?, secret: begun.secret },
        (None, None) => AppState::Off { has_password: person.user().password().is_some() },
    };
    Ok((state, standing.required))
}

async fn page(
    app: &Pitlane,
    person: &SignedIn,
    status: StatusCode,
    errors: Errors,
) -> ApiResult<HttpResponse> {
    let (state, required) = state(app, person).await?;
    let frame = frame(app, Some(&person.0), Nav::Account);
    show(&SecondFactorPage { frame, state, required, errors }, status)
}

async fn look(person: SignedIn, app: App) -> ApiResult<HttpResponse> {
    page(&app, &person, StatusCode::OK, Errors::default()).await
}

async fn refused(app: &Pitlane, person: &SignedIn, failure: &usecases::Error) -> ApiResult<HttpResponse> {
    let (problem, errors) = faults(failure)?;
    page(app, person, problem.status, errors).await
}

fn codes(app: &Pitlane, person: &SignedIn, codes: &[RecoveryCode]) -> ApiResult<HttpResponse> {
    let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    let frame = frame(app, Some(&person.0), Nav::Account);
    let page = SecondFactorPage {
        frame,
        state: AppState::Codes { codes },
        required: false,
        errors: Errors::default(),
    };
    show(&page, StatusCode::OK)
}

#[derive(Deserialize)]
struct BeginForm {
    current_password: Option<String>,
}

async fn begin(
    person: SignedIn,
    request: HttpRequest,
    app: App,
    form: Form<BeginForm>,
) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let device = auth::device(&request, &app);
    match second_factor::begin(&app, person.user(), form.into_inner().current_password, &device).await {
        Ok(_) => Ok(go(PAGE)),
        Err(failure) => refused(&app, &person, &failure).await,
    }
}

#[derive(Deserialize)]
struct CodeForm {
    code: String,
}

async fn confirm(person: SignedIn, app: App, form: Form<CodeForm>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    match second_factor::confirm(&app, person.id(), form.into_inner().code).await {
        Ok(fresh) => codes(&app, &person, &fresh),
        Err(failure) => refused(&app, &person, &failure).await,
    }
}

async fn renew_codes(person: SignedIn, app: App, form: Form<CodeForm>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    match second_factor::renew_codes(&app, person.user(), form.into_inner().code).await {
        Ok(fresh) => codes(&app, &person, &fresh),
        Err(failure) => refused(&app, &person, &failure).await,
    }
}

async fn turn_off(person: SignedIn, app: App, form: Form<CodeForm>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    match second_factor::turn_off(&app, person.user(), form.into_inner().code).await {
        Ok(()) => Ok(go(PAGE)),
        Err(failure) => refused(&app, &person, &failure).await,
    }
}
