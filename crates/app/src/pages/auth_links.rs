//! The pages behind mailed links. Opening one shows a button, because mail scanners open links; the button acts.

use accounts::{Error as AccountsError, Purpose, ReturnPath};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use web::auth::{LinkState, MagicPage, ResetPage, VerifyPage};
use web::form::Errors;
use web::frame::{Frame, Nav};

use super::frame::{frame, show};
use super::start::{ask_code, enter, faults};
use crate::http::auth::{self, Visitor};
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::sign_in::Entry;
use crate::usecases::{self, links};

type App = Data<Pitlane>;

/// Adds the pages and what their buttons post to.
pub fn routes(router: &mut Router) {
    router.get("/auth/magic/{token}", Access::Public, magic);
    router.post("/auth/magic/{token}", Access::Public, follow_magic);
    router.get("/auth/verify/{token}", Access::Public, verify);
    router.post("/auth/verify/{token}", Access::Public, follow_verify);
    router.get("/auth/reset/{token}", Access::Public, reset);
    router.post("/auth/reset/{token}", Access::Public, follow_reset);
}

async fn state(app: &Pitlane, purpose: Purpose, token: &str) -> ApiResult<LinkState> {
    let found = links::peek(app, purpose, token).await?;
    Ok(if found.is_some() { LinkState::Ready } else { LinkState::Expired })
}

/// A link that no longer works is a page of its own; any other failure is passed on.
fn is_spent(failure: &usecases::Error) -> bool {
    matches!(failure, usecases::Error::Accounts(AccountsError::InvalidToken))
}

const fn status(state: LinkState) -> StatusCode {
    match state {
        LinkState::Ready | LinkState::Done => StatusCode::OK,
        LinkState::Expired => StatusCode::GONE,
    }
}

fn around(app: &Pitlane, visitor: &Visitor) -> Frame {
    frame(app, visitor.0.as_ref(), Nav::None)
}

async fn magic(visitor: Visitor, app: App, token: Path<String>) -> ApiResult<HttpResponse> {
    let state = state(&app, Purpose::MagicLink, &token).await?;
    let page = MagicPage { frame: around(&app, &visitor), token: token.into_inner(), state, redirect: None };
    show(&page, status(state))
}

async fn follow_magic(request: HttpRequest, app: App, token: Path<String>) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    match links::sign_in(&app, &token, auth::device(&request, &app)).await {
        Ok((Entry::In(opened), path)) => {
            Ok(enter(&app, &opened, path.as_ref().filter(|path| leads_on(path))))
        }
        Ok((Entry::CodeWanted(ticket), _)) => ask_code(&app, &ticket),
        Err(failure) if is_spent(&failure) => {
            let (frame, state) = (frame(&app, None, Nav::None), LinkState::Expired);
            show(&MagicPage { frame, token: token.into_inner(), state, redirect: None }, status(state))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Back to a link page nobody wants to go.
fn leads_on(path: &ReturnPath) -> bool {
    !path.as_str().starts_with("/auth/") && !path.as_str().starts_with("/start")
}

async fn verify(visitor: Visitor, app: App, token: Path<String>) -> ApiResult<HttpResponse> {
    let state = state(&app, Purpose::VerifyEmail, &token).await?;
    let page = VerifyPage { frame: around(&app, &visitor), token: token.into_inner(), state };
    show(&page, status(state))
}

async fn follow_verify(
    visitor: Visitor,
    request: HttpRequest,
    app: App,
    token: Path<String>,
) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let state = match links::verify_email(&app, &token).await {
        Ok(()) => LinkState::Done,
        Err(failure) if is_spent(&failure) => LinkState::Expired,
        Err(failure) => return Err(failure.into()),
    };
    let page = VerifyPage { frame: around(&app, &visitor), token: token.into_inner(), state };
    show(&page, status(state))
}

async fn reset(visitor: Visitor, app: App, token: Path<String>) -> ApiResult<HttpResponse> {
    let state = state(&app, Purpose::PasswordReset, &token).await?;
    let (frame, errors) = (around(&app, &visitor), Errors::default());
    show(&ResetPage { frame, token: token.into_inner(), state, errors }, status(state))
}

#[derive(Deserialize)]
struct ResetForm {
    password: String,
}

async fn follow_reset(
    request: HttpRequest,
    app: App,
    token: Path<String>,
    form: Form<ResetForm>,
) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let (status, state, errors) = match links::reset_password(&app, &token, form.into_inner().password).await
    {
        Ok(()) => (StatusCode::OK, LinkState::Done, Errors::default()),
        Err(failure) if is_spent(&failure) => (StatusCode::GONE, LinkState::Expired, Errors::default()),
        Err(failure) => {
            let (problem, errors) = faults(&failure)?;
            (problem.status, LinkState::Ready, errors)
        }
    };
    let frame = frame(&app, None, Nav::None);
    show(&ResetPage { frame, token: token.into_inner(), state, errors }, status)
}
