//! Errors as people see them.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use web::Page;
use web::error_page::{ErrorKind, ErrorPage};
use web::frame::{Frame, Nav};

use super::frame::frame;
use crate::http::Problem;
use crate::http::auth::Visitor;
use crate::state::Pitlane;

/// Everything but what RFC 3986 leaves alone, as browsers' `encodeURIComponent` writes a path.
const REDIRECT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a customer is told who wants to work.
const ANOTHER_ACCOUNT: &str = "Working as a mechanic needs an account of its own, with another e-mail address: sign \
                               out, then choose “Work as a mechanic” at the foot of the page.";

/// A page for a problem, or the way to the sign-in page when that is what's missing.
pub async fn respond(request: &HttpRequest, problem: &Problem, request_id: &str) -> HttpResponse {
    // A token that is not good stays so after signing in, and the sign-in page would refuse it again.
    if problem.status == StatusCode::UNAUTHORIZED && !request.headers().contains_key(AUTHORIZATION) {
        let back = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let target = format!("/start?redirect={}", utf8_percent_encode(back, REDIRECT));
        return HttpResponse::SeeOther().insert_header((LOCATION, target)).finish();
    }
    if problem.code == "second_factor_setup_required" {
        return HttpResponse::SeeOther().insert_header((LOCATION, "/account/second-factor")).finish();
    }
    let page = ErrorPage {
        // Who asks too often costs no look into the database.
        frame: if problem.status == StatusCode::TOO_MANY_REQUESTS {
            Frame::default()
        } else {
            surrounding(request).await
        },
        kind: kind(problem.status),
        detail: detail(request, problem),
        request_id: request_id.to_owned(),
        retry_after_seconds: problem.retry_after_seconds.and_then(|seconds| i64::try_from(seconds).ok()),
        redirect: None,
    };
    let mut response = HttpResponse::build(problem.status);
    if let Some(seconds) = problem.retry_after_seconds {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    response.insert_header((CACHE_CONTROL, "no-store"));
    match page.render() {
        Ok(html) => response.insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html),
        Err(error) => {
            tracing::error!(%error, "the error page could not be written");
            response.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body(problem.detail.clone())
        }
    }
}

// An error page must come out even when nobody can be looked up.
async fn surrounding(request: &HttpRequest) -> Frame {
    let Some(pitlane) = request.app_data::<Data<Pitlane>>() else { return Frame::default() };
    let visitor = Visitor::extract(request).await.ok().and_then(|Visitor(principal)| principal);
    frame(pitlane, visitor.as_ref(), Nav::default())
}

/// One more sentence that helps.
fn detail(request: &HttpRequest, problem: &Problem) -> Option<String> {
    if problem.code == "wrong_role" && request.path() == "/mechanic/apply" {
        return Some(ANOTHER_ACCOUNT.to_owned());
    }
    (problem.status.is_client_error() && !problem.errors.is_empty()).then(|| problem.detail.clone())
}

fn kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::SignedOut,
        403 => ErrorKind::WrongRole,
        404 | 405 => ErrorKind::NotFound,
        410 => ErrorKind::Gone,
        429 => ErrorKind::TooManyRequests,
        503 => ErrorKind::Unavailable,
        400..500 => ErrorKind::BadRequest,
        _ => ErrorKind::Internal,
    }
}
