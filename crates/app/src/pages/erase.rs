//! `/account/erase`: leaving, as a plain form.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use sessions::{ParticipantRole, RetentionStore};
use web::erase::{ErasePage, ErasedPage};
use web::form::Errors;
use web::frame::Nav;

use super::frame::{frame, show};
use super::start::faults;
use crate::http::auth::{self, SignedIn};
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::erase_account::erase_account;

type App = Data<Pitlane>;

/// Open sessions that are counted.
const COUNTED: u32 = 100;

/// Adds the page and what its form posts to.
pub fn routes(router: &mut Router) {
    router.get("/account/erase", Access::SignedIn, ask);
    router.post("/account/erase", Access::SignedIn, erase);
}

async fn page(
    app: &Pitlane,
    person: &SignedIn,
    status: StatusCode,
    errors: Errors,
) -> ApiResult<HttpResponse> {
    let id = person.id();
    let seats = app.db.read(move |tx| -> Result<_, Error> { Ok(tx.seats_open(id, COUNTED)?) }).await?;
    let page = ErasePage {
        frame: frame(app, Some(&person.0), Nav::Account),
        email: person.user().email().to_string(),
        has_password: person.user().password().is_some(),
        open_sessions: seats.iter().filter(|seat| seat.role != ParticipantRole::Observer).count(),
        money_years: app.settings.retention.money_years,
        errors,
    };
    show(&page, status)
}

async fn ask(person: SignedIn, app: App) -> ApiResult<HttpResponse> {
    page(&app, &person, StatusCode::OK, Errors::default()).await
}

#[derive(Deserialize)]
struct EraseForm {
    current_password: Option<String>,
    sure: Option<String>,
}

async fn erase(
    person: SignedIn,
    request: HttpRequest,
    app: App,
    form: Form<EraseForm>,
) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let EraseForm { current_password, sure } = form.into_inner();
    if sure.as_deref() != Some("yes") {
        let mut errors = Errors::default();
        errors.push("", "Tick the box to say that you are sure.");
        return page(&app, &person, StatusCode::UNPROCESSABLE_ENTITY, errors).await;
    }
    // Without a password there is nothing to compare; with one the form always sends it.
    let typed = person.user().password().map(|_| current_password.unwrap_or_default());
    if let Err(failure) = erase_account(&app, person.user(), typed, &auth::device(&request, &app)).await {
        let (problem, errors) = faults(&failure)?;
        return page(&app, &person, problem.status, errors).await;
    }
    let page =
        ErasedPage { frame: frame(&app, None, Nav::None), money_years: app.settings.retention.money_years };
    let mut response = show(&page, StatusCode::OK)?;
    if let Err(error) = response.add_cookie(&auth::no_cookie(&app)) {
        tracing::error!(%error, "the cookie could not be removed");
    }
    Ok(response)
}
