//! Request bodies: read with a limit, refused with a code that says what is wrong where.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::{PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AcceptEncoding, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, Encoding, HeaderName,
};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError};
use futures_util::StreamExt;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};

use super::objects::Objects;
use super::problem::{FieldError, Problem};
use super::{arrival, middleware};
use crate::state::Pitlane;

/// A JSON body. Unknown fields are refused when the type says `deny_unknown_fields`, as every request type does.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// For an endpoint that takes no body: none, or `{}`, passes.
#[derive(Debug)]
pub struct NoBody;

/// For an endpoint whose body may be left out: none is like `{}`.
#[derive(Debug)]
pub struct Optional<T>(pub T);

/// Whether the answer may be sent as `Content-Encoding: gzip`.
#[must_use]
pub fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.get_header::<AcceptEncoding>();
    let both = [Encoding::identity(), Encoding::gzip()];
    accepted.and_then(|accepted| accepted.negotiate(both.iter())) == Some(Encoding::gzip())
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            require_json(&request)?;
            parse(&collect(&request, payload).await?).map(Self)
        })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for Optional<T> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload).await?;
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Self(T::default()));
            }
            require_json(&request)?;
            parse(&bytes).map(Self)
        })
    }
}

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        #[derive(Default, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        let read = Optional::<Empty>::from_request(request, payload);
        Box::pin(async move { read.await.map(|_| Self) })
    }
}

fn header(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

pub(super) fn require_json(request: &HttpRequest) -> Result<(), Problem> {
    let json = header(request, CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
    if !json {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send JSON, with Content-Type: application/json.",
        ));
    }
    let packed = request.headers().contains_key(CONTENT_ENCODING)
        && header(request, CONTENT_ENCODING)
            .is_none_or(|value| !value.trim().eq_ignore_ascii_case("identity"));
    if packed {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send the JSON as it is, without a Content-Encoding.",
        ));
    }
    Ok(())
}

/// How long the body is, as the request says.
pub(super) fn declared(request: &HttpRequest) -> Option<u64> {
    header(request, CONTENT_LENGTH)?.trim().parse().ok()
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("The request body may hold at most {limit} bytes."),
    )
}

fn broken(error: &PayloadError) -> Problem {
    if arrival::is_late(error) {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The request took too long to arrive.")
    } else {
        Problem::new(StatusCode::BAD_REQUEST, "body_broken", "The request body broke off.")
    }
}

/// The problem of a form that can't be read.
pub fn bad_form(error: &UrlencodedError) -> Problem {
    if let UrlencodedError::Overflow { limit, .. } = error {
        return too_large(*limit);
    }
    if let UrlencodedError::Payload(error) = error {
        return broken(error);
    }
    middleware::by_status(error.status_code())
}

/// How many times the limit a body may say to be, and is read and forgotten.
const DRAINED_FACTOR: u64 = 8;

/// The whole body, up to `server.max_body_bytes`. One that says that it is far longer, or that becomes longer without having
/// said so, is not read to its end: the connection is closed behind the answer.
///
/// # Errors
/// 413 for a longer body, 408 for one that takes too long, 400 for one that breaks off.
pub async fn collect(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, Problem> {
    let limit =
        request.app_data::<Data<Pitlane>>().map_or(65_536, |pitlane| pitlane.settings.server.max_body_bytes);
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if let Some(length) = declared(request).filter(|length| *length > most) {
        // A little too long is read to its end, so that a slow sender hears of it.
        if length <= most.saturating_mul(DRAINED_FACTOR) {
            while let Some(chunk) = payload.next().await {
                chunk.map_err(|error| broken(&error))?;
            }
        }
        return Err(too_large(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads JSON, telling malformed text (400) from values that don't fit (422).
///
/// # Errors
/// `malformed_json`, `unknown_field` or `invalid`, with the path of the field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut reader)).map_err(|error| refused(&error))?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        format!("The body is not valid JSON at line {}, column {}.", error.line(), error.column()),
    )
}

fn refused(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        return malformed(inner);
    }
    // serde_json ends its messages with a position, which says nothing beside the path.
    let text = inner.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let path = error.path().to_string();
    let named = |prefix: &str| {
        message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(str::to_owned)
    };
    if let Some(field) = named("unknown field `") {
        let errors = vec![FieldError::new(join(&path, &field), "unknown_field", message)];
        return Problem { code: "unknown_field", ..Problem::invalid(errors) };
    }
    if let Some(field) = named("missing field `") {
        return Problem::invalid(vec![FieldError::new(
            join(&path, &field),
            "missing",
            "This field is required.",
        )]);
    }
    Problem::invalid(vec![FieldError::new(path, "wrong_type", plain(&message))])
}

/// The problem of a query that can't be read.
pub fn bad_query(error: &QueryPayloadError) -> Problem {
    let text = error.to_string();
    let message = text.split_once("error: ").map_or(text.as_str(), |(_, rest)| rest);
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .into_iter()
        .find_map(|prefix| message.strip_prefix(prefix)?.split('`').next());
    let field = match named {
        Some(field) if message.starts_with("missing") => {
            FieldError::new(field, "missing", "This field is required.")
        }
        Some(field) if message.starts_with("duplicate") => {
            FieldError::new(field, "invalid", "This field may stand there once.")
        }
        Some(field) => FieldError::new(field, "unknown_field", message),
        None => FieldError::new("query", "wrong_type", plain(message)),
    };
    Problem::invalid(vec![field])
}

/// What a parser says of a value, in words for people who don't know the parser.
pub fn plain(message: &str) -> String {
    let number = ["u8", "u16", "u32", "u64", "usize", "i64", "i32"];
    let expected = message.rsplit_once("expected ").map_or("", |(_, what)| what);
    if message.starts_with("UUID parsing failed") || expected == "a formatted UUID string" {
        "Write an id such as 0198d7a0-0000-7000-8000-0000000044c1.".to_owned()
    } else if message.contains("invalid digit")
        || message.contains("parse integer")
        || number.contains(&expected)
    {
        "Write a whole number that is not too large.".to_owned()
    } else {
        message.to_owned()
    }
}

// The path of an unknown field already ends with it; that of a missing one ends with its parent.
fn join(path: &str, field: &str) -> String {
    if path == "." {
        field.to_owned()
    } else if path == field || path.ends_with(&format!(".{field}")) {
        path.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// For a field of a change: tells `null`, which removes a value, from a field that is not there.
///
/// # Errors
/// The deserializer's.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only parsed")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only parsed")]
        year: u16,
    }

    #[test]
    fn what_a_query_lacks_is_told_in_plain_words() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Asked {
            #[expect(dead_code, reason = "only parsed")]
            limit: u32,
            #[expect(dead_code, reason = "only parsed")]
            cursor: Option<uuid::Uuid>,
        }
        for (query, field, code, part) in [
            ("limit=x", "query", "wrong_type", "whole number"),
            ("limit=-1", "query", "wrong_type", "whole number"),
            ("limit=1&cursor=x", "query", "wrong_type", "an id such as"),
            ("limit=1&limit=2", "limit", "invalid", "once"),
            ("cursor=0198d7a0-0000-7000-8000-0000000044c1", "limit", "missing", "required"),
            ("limit=1&colour=red", "colour", "unknown_field", "colour"),
        ] {
            let error = actix_web::web::Query::<Asked>::from_query(query).expect_err(query);
            let problem = bad_query(&error);
            let found = &problem.errors[0];
            assert_eq!((found.field.as_str(), found.code.as_str()), (field, code), "{query}: {problem:?}");
            assert!(found.message.contains(part), "{query}: {problem:?}");
        }
    }

    #[test]
    fn each_kind_of_bad_body_has_its_status_its_code_and_its_field() {
        let cases = [
            ("{", 400, "malformed_json", None),
            ("{\"inner\":{\"year\":1}} x", 400, "malformed_json", None),
            ("{}", 422, "invalid", Some("inner")),
            ("{\"inner\":{}}", 422, "invalid", Some("inner.year")),
            ("{\"inner\":{\"year\":\"x\"}}", 422, "invalid", Some("inner.year")),
            ("{\"inner\":{\"year\":1,\"b\":2}}", 422, "unknown_field", Some("inner.b")),
            ("{\"inner\":{\"year\":1},\"c\":2}", 422, "unknown_field", Some("c")),
            ("[]", 422, "invalid", Some(".")),
            (" [[1]]", 422, "invalid", Some(".")),
            ("[[1]", 400, "malformed_json", None),
            ("{\"inner\":[1]}", 422, "invalid", Some("inner")),
            ("{\"inner\":[1", 400, "malformed_json", None),
            ("{\"inner\":5}", 422, "invalid", Some("inner")),
            ("{\"inner\":{\"year\":1},\"inner\":{\"year\":1}}", 422, "invalid", Some(".")),
        ];
        for (body, status, code, field) in cases {
            let problem = parse::<Outer>(body.as_bytes()).expect_err(body);
            assert_eq!((problem.status.as_u16(), problem.code), (status, code), "{body}");
            assert_eq!(problem.errors.first().map(|error| error.field.as_str()), field, "{body}");
        }
    }
}
