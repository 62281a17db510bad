//! Twilio, which carries text messages. What it does for video is in [`crate::video::twilio`], and goes through the same
//! two steps: a form that is posted, and a refusal that has a number.
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | [`Messages`]: the one place that hands text messages to Twilio |
//! | [`wire`] | what is sent and what is answered, as pure functions |

pub mod client;
pub mod wire;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};

use crate::https;

pub use client::{Messages, Settings};

/// A form for Twilio's API, posted under a name with its secret: an API key's, or the account's with its auth token.
///
/// # Errors
/// What keeps it from being a request.
pub(crate) fn post(
    url: &str,
    name: &str,
    secret: &str,
    form: String,
) -> Result<Request<Full<Bytes>>, String> {
    let basic = STANDARD.encode(format!("{name}:{secret}"));
    Request::post(url)
        .header(AUTHORIZATION, format!("Basic {basic}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(USER_AGENT, https::AGENT)
        .body(Full::new(Bytes::from(form)))
        .map_err(|error| error.to_string())
}
