//! Errors as people see them.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::Problem;

/// A page for a problem, or the way to the sign-in page when that is what's missing.
pub fn respond(request: &HttpRequest, problem: &Problem, request_id: &str, development: bool) -> HttpResponse {
    let _ = development;
    if problem.status == StatusCode::UNAUTHORIZED {
        let back = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let target = format!("/start?redirect={}", utf8_percent_encode(back, NON_ALPHANUMERIC));
        return HttpResponse::SeeOther().insert_header((LOCATION, target)).finish();
    }
    HttpResponse::build(problem.status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(format!("{} ({request_id})", problem.detail))
}
