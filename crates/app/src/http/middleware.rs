//! What happens around every request: an id, a line in the log, security headers, and errors in the shape their
//! reader expects (problem details for programs, a page for people).

use std::borrow::Cow;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use kernel::Request;
use uuid::Uuid;

use super::arrival::Arrival;
use super::problem::Problem;
use super::router::Taken;
use super::{address, trace};
use crate::pages;
use crate::state::Pitlane;

/// The id of a request, in its extensions, in the log and in every error.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

// Browsers apply `form-action` to where a form's answer redirects: the intake's form leads to Stripe's payment page.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; connect-src 'self'; form-action 'self' https://checkout.stripe.com; \
         base-uri 'none'; frame-ancestors 'none'; \
         frame-src 'self'; manifest-src 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    ("permissions-policy", "camera=(), microphone=(), display-capture=(), geolocation=(), payment=()"),
];

/// Wraps every request.
///
/// # Errors
/// None of its own: every error becomes an answer here.
pub async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = std::time::Instant::now();
    let id = RequestId(Uuid::new_v4().simple().to_string());
    request.extensions_mut().insert(id.clone());
    if let Some(plain) = without_nul(request.uri()).filter(|_| !is_for_program(request.path())) {
        request.head_mut().uri = plain;
    }
    let arrival = Arrival::watch(&mut request);
    // Nothing may hold the request itself while it is routed.
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let limited = match request.app_data::<Data<Pitlane>>() {
        Some(pitlane) => pitlane.limits.of_address(request.request(), pitlane),
        None => Ok(()),
    };
    let traced = traced(&request, &id);
    let response = match limited {
        Ok(()) => trace::of(Some(traced), next.call(request)).await?.map_into_boxed_body(),
        Err(problem) => ServiceResponse::from_err(problem, request.into_parts().0),
    };
    let route = route(response.request());
    let mut response = presentable(response, &id).await;
    let (status, took) = (response.status(), started.elapsed());
    let secure = is_secure(response.request());
    let kind = Kind::of(&path, response.status());
    decorate(response.headers_mut(), &id, kind, secure);
    if let Some(pitlane) = response.request().app_data::<Data<Pitlane>>() {
        pitlane.metrics.answered(known(&method), &route, status.as_u16(), took);
    }
    let path = told_path(path, route);
    tracing::info!(
        request_id = id.0, %method, path, status = status.as_u16(),
        millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "request"
    );
    Ok(match arrival {
        Some(arrival) => arrival.answered(response),
        None => response,
    })
}

/// The pattern of the request's path; empty where there is nothing.
fn route(request: &HttpRequest) -> Cow<'static, str> {
    match request.extensions().get() {
        Some(Taken(path)) => Cow::Borrowed(*path),
        None => Cow::Owned(request.match_pattern().unwrap_or_default()),
    }
}

/// The request as what is done for it is told of it.
fn traced(request: &ServiceRequest, id: &RequestId) -> Request {
    let pitlane = request.app_data::<Data<Pitlane>>();
    let address = pitlane.map(|pitlane| address::of(request.request(), pitlane));
    let address = address.filter(|address| !address.is_empty()).map(Into::into);
    Request { id: id.0.as_str().into(), address }
}

/// Where a secret follows in a path. It may be one although no route fits: the request was limited before it was routed, or
/// a mail program added something to the link.
pub const SECRET_PREFIXES: [&str; 5] =
    ["/auth/magic/", "/auth/reset/", "/auth/verify/", "/unsubscribe/", "/workshop/join/"];

/// The path as it is logged. One that holds a secret is told by its pattern alone.
fn told_path(path: String, route: Cow<'_, str>) -> String {
    if route.contains("{token}") {
        return route.into_owned();
    }
    // Doubled slashes fit no route either.
    let plain = format!("/{}", path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"));
    match SECRET_PREFIXES.iter().find(|prefix| plain.to_ascii_lowercase().starts_with(**prefix)) {
        Some(prefix) => format!("{prefix}{{token}}"),
        None => path,
    }
}

/// The address of a page without NUL characters in its query, when it has some. No text that anybody means holds one, and
/// not every database takes it even to compare. A program is told, where the text is read.
fn without_nul(uri: &Uri) -> Option<Uri> {
    let (path, query) = (uri.path(), uri.query()?);
    if !query.contains("%00") {
        return None;
    }
    // What is left may make one anew.
    let mut plain = query.to_owned();
    while plain.contains("%00") {
        plain = plain.replace("%00", "");
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = format!("{path}?{plain}").parse().ok();
    Uri::from_parts(parts).ok()
}

// A method is whatever a client writes; a label must not be.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

// Browsers believe it only over TLS, and a developer's own machine has none.
fn is_secure(request: &HttpRequest) -> bool {
    let pitlane = request.app_data::<Data<Pitlane>>();
    pitlane.is_some_and(|pitlane| pitlane.settings.server.public_url.starts_with("https://"))
}

/// What an answer is for, which decides what browsers are told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Program,
    Page,
    /// A style sheet, a script, a font, a picture of ours: part of a page, under the page's own policy.
    Part,
}

impl Kind {
    fn of(path: &str, status: StatusCode) -> Self {
        // One that is not there is answered with a page.
        let part =
            path.starts_with("/static/") && (status.is_success() || status == StatusCode::NOT_MODIFIED);
        match (is_for_program(path), part) {
            (true, _) => Self::Program,
            (false, true) => Self::Part,
            (false, false) => Self::Page,
        }
    }
}

/// What parts of pages are told; the rest would be a kilobyte for each of thirty files.
const OF_PARTS: [&str; 2] = ["x-content-type-options", "cross-origin-resource-policy"];

fn decorate(headers: &mut HeaderMap, id: &RequestId, kind: Kind, secure: bool) {
    // Answers are of one person at one moment, unless they say otherwise.
    if kind == Kind::Program && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if secure {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    for (name, value) in HEADERS.into_iter().filter(|(name, _)| kind != Kind::Part || OF_PARTS.contains(name))
    {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
}

async fn presentable(response: ServiceResponse, id: &RequestId) -> ServiceResponse {
    let status = response.status();
    let finished =
        response.headers().contains_key(header::CONTENT_TYPE) && response.response().error().is_none();
    // A sandbox or an asset that answers with an error of its own has already said what it means.
    if status.is_success() || status.is_redirection() || status.is_informational() || finished {
        return response;
    }
    let problem = match response.response().error() {
        Some(error) => error.as_error::<Problem>().cloned().unwrap_or_else(|| unexpected(status, error)),
        None => by_status(status),
    };
    let request = response.request().clone();
    let answer = told(&request, &problem, &id.0).await;
    response.into_response(answer)
}

/// A problem in the shape that its reader expects.
pub(super) async fn told(request: &HttpRequest, problem: &Problem, id: &str) -> HttpResponse {
    if is_for_program(request.path()) {
        problem.response(id)
    } else {
        pages::errors::respond(request, problem, id).await
    }
}

pub(super) fn is_for_program(path: &str) -> bool {
    ["/api/", "/v1/", "/ws", "/healthz", "/readyz", "/metrics", "/dev/clock"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

fn unexpected(status: StatusCode, error: &Error) -> Problem {
    if status.is_server_error() {
        tracing::error!(%error, "a request failed");
    }
    by_status(status)
}

pub(super) fn by_status(status: StatusCode) -> Problem {
    match status.as_u16() {
        404 => Problem::not_found(),
        401 => Problem::not_signed_in(),
        405 => Problem::new(status, "method_not_allowed", "This address exists, but not for this method."),
        408 => Problem::new(status, "timeout", "The request took too long to arrive."),
        413 => Problem::new(status, "body_too_large", "The request body is too large."),
        415 => Problem::new(status, "unsupported_media_type", "This kind of content is not accepted here."),
        400..500 => Problem::new(status, "bad_request", "The request can't be read."),
        _ => Problem::internal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_path_is_never_told() {
        for (path, route, told) in [
            ("/auth/magic/abc", "/auth/magic/{token}", "/auth/magic/{token}"),
            ("/auth/magic/abc", "", "/auth/magic/{token}"),
            ("/auth/reset/abc/", "", "/auth/reset/{token}"),
            ("//auth//verify/abc", "", "/auth/verify/{token}"),
            ("/Unsubscribe/abc", "", "/unsubscribe/{token}"),
            ("/auth/magic/", "", "/auth/magic/"),
            ("/chat/1", "/chat/{id}", "/chat/1"),
            ("/nothing", "", "/nothing"),
        ] {
            assert_eq!(told_path(path.to_owned(), route.into()), told, "{path}");
        }
        let secret: std::collections::BTreeSet<_> = crate::http::routes::all(true)
            .list()
            .iter()
            .filter_map(|listed| listed.path.split_once("{token}").map(|(prefix, _)| prefix))
            .collect();
        assert_eq!(secret, SECRET_PREFIXES.into(), "every route with a secret has its prefix");
    }

    #[test]
    fn a_nul_in_a_query_is_left_out() {
        let plain = |uri: &str| without_nul(&uri.parse().expect("an address")).map(|uri| uri.to_string());
        assert_eq!(plain("/admin?q=a%00b&r=%00"), Some("/admin?q=ab&r=".to_owned()));
        assert_eq!(plain("/admin?q=%0%000"), Some("/admin?q=".to_owned()));
        assert_eq!((plain("/admin?q=a%20b"), plain("/admin")), (None, None));
    }
}
