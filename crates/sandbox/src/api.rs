//! `/v1/*`: who may call, what is answered twice the same, and which resource answers.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use sha2::{Digest, Sha256};

use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Params;
use crate::queue::Kept;
use crate::state::{Origin, Tx};
use crate::{expand, resources};

/// A request to the API.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path without `/v1/`.
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) idempotency_key: Option<String>,
    /// What `Request-Id` says, and the events that the call causes.
    pub(crate) request: String,
}

/// An answer, and whether it is the one given before under the same key.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) replayed: bool,
}

/// Lets in any test key, as a bearer token or as the user name of basic authentication.
///
/// # Errors
/// 401 without a key, with a live one, and with anything else.
pub(crate) fn authenticate(headers: &HeaderMap) -> Result<(), Fault> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(token.trim()).unwrap_or_default();
            let text = String::from_utf8(decoded).unwrap_or_default();
            text.split_once(':').map_or(text.clone(), |(user, _)| user.to_owned())
        }
        _ => String::new(),
    };
    let refuse = |message: String| Err(Refusal::new(401, "invalid_request_error", message).into());
    if key.is_empty() {
        return refuse(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
                .into(),
        );
    }
    let tail = key.strip_prefix("sk_test_").or_else(|| key.strip_prefix("rk_test_")).unwrap_or_default();
    if tail.is_empty() {
        let shown: String = key.chars().take(8).collect();
        return refuse(format!(
            "Invalid API Key provided: {shown}***. The sandbox takes keys that begin with sk_test_."
        ));
    }
    Ok(())
}

/// Answers a call inside its transaction.
pub(crate) fn answer(tx: &mut Tx<'_>, call: &Call) -> Result<Answer, Fault> {
    tx.origin = Origin { request: Some(call.request.clone()), idempotency_key: call.idempotency_key.clone() };
    let key = call.idempotency_key.as_deref().filter(|_| call.method == Method::POST);
    let Some(key) = key else { return Ok(Answer { reply: respond(tx, call)?, replayed: false }) };
    if key.is_empty() || key.chars().count() > 255 {
        return Err(invalid("Idempotency keys have 1 to 255 characters.").into());
    }
    let endpoint = format!("{} /v1/{}", call.method, call.path);
    let fingerprint = hex::encode(Sha256::digest(call.params.canonical().as_bytes()));
    if let Some(kept) = tx.kept(key)? {
        let refuse = |message: String| Err(Refusal::new(400, "idempotency_error", message).into());
        if kept.endpoint != endpoint {
            return refuse(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for \
                 ('{}' vs '{endpoint}'). Try using a key other than '{key}' if you meant to execute a different request.",
                kept.endpoint
            ));
        }
        if kept.fingerprint != fingerprint {
            return refuse(format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{key}' if you meant to execute a different request."
            ));
        }
        let body = serde_json::from_str(&kept.body).map_err(|error| Fault::Internal(error.to_string()))?;
        let status = u16::try_from(kept.status).unwrap_or(500);
        return Ok(Answer { reply: Reply { status, body }, replayed: true });
    }
    let reply = respond(tx, call)?;
    // A refused request is rolled back and leaves its key free, as Stripe's validation does; a declined
    // payment was carried out and its answer is kept.
    let status = i64::from(reply.status);
    tx.keep(key, &Kept { endpoint, fingerprint, status, body: reply.body.to_string() })?;
    Ok(Answer { reply, replayed: false })
}

fn respond(tx: &mut Tx<'_>, call: &Call) -> Result<Reply, Fault> {
    let params = call.params.root();
    let mut reply = resources::answer(tx, call, &params)?;
    if reply.status == 200 {
        for path in params.child("expand").texts()? {
            expand::expand(tx, &mut reply.body, path)?;
        }
    }
    Ok(reply)
}
