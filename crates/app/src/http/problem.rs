//! RFC 9457 problem details: the only shape of an error.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;

use crate::usecases;

/// What a handler answers.
pub type ApiResult<T> = Result<T, Problem>;

/// Something wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path of the field in the body, with dots: `vehicle.vin`.
    pub field: String,
    /// A stable code a client can act on.
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
}

impl FieldError {
    /// A field, a code and a sentence.
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

/// An error as a client sees it. Never holds a cause, a path or SQL.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable snake_case code.
    pub code: &'static str,
    /// One sentence for a person.
    pub detail: String,
    /// What is wrong with which field.
    pub errors: Vec<FieldError>,
    /// After how many seconds it makes sense to try again.
    pub retry_after_seconds: Option<u64>,
    /// Where to finish a payment, in answers that say that one is needed.
    pub checkout_url: Option<String>,
}

impl Problem {
    /// A problem with nothing but a status, a code and a sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
            checkout_url: None,
        }
    }

    /// 422 `invalid` with what is wrong with which field.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.message.clone(),
            _ => "Some fields need another value.".to_owned(),
        };
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    /// 404, for what doesn't exist and for what isn't this person's business alike.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here, or it is not yours.")
    }

    /// 401.
    pub fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", "Sign in first.")
    }

    /// 403 for a signed-in person in a role that may not do this.
    pub fn wrong_role() -> Self {
        Self::new(StatusCode::FORBIDDEN, "wrong_role", "Your account can't do this.")
    }

    /// 500; the cause is in the log beside the request id.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something broke on our side. It is recorded; please try again.",
        )
    }

    /// 503, when the storage or an outside service can't be used now.
    pub fn unavailable() -> Self {
        Self {
            retry_after_seconds: Some(5),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Pitlane can't do this right now. Nothing was lost; please try again in a moment.",
            )
        }
    }

    /// 429 with the seconds to wait.
    pub fn too_many(retry_after_seconds: u64) -> Self {
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                format!("Too many tries. Wait {retry_after_seconds} seconds."),
            )
        }
    }

    /// The answer, with the id under which the log knows this request.
    pub fn response(&self, request_id: &str) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.body(self.json(request_id))
    }

    fn json(&self, request_id: &str) -> String {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(rename = "type")]
            kind: String,
            title: &'a str,
            status: u16,
            detail: &'a str,
            code: &'a str,
            request_id: &'a str,
            #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
            errors: &'a [FieldError],
            #[serde(skip_serializing_if = "Option::is_none")]
            checkout_url: Option<&'a str>,
        }
        let wire = Wire {
            kind: format!("/problems/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id,
            errors: &self.errors,
            checkout_url: self.checkout_url.as_deref(),
        };
        serde_json::to_string(&wire).expect("strings and numbers serialise")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    // The middleware replaces this with the same problem under its request id, or with a page.
    fn error_response(&self) -> HttpResponse {
        self.response("")
    }
}

impl From<usecases::Error> for Problem {
    fn from(error: usecases::Error) -> Self {
        super::error::problem(&error)
    }
}
