//! `/v1/*`: who may call, what is answered twice the same, and which resource answers.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::document::Kind;
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::{Params, Scope};
use crate::queue::Kept;
use crate::state::Tx;
use crate::{charges, checkout, customers, events, expand, intents, line_items, methods, prices, refunds};

/// A request to the API.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path without `/v1/`.
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) idempotency_key: Option<String>,
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
    let mut reply = dispatch(tx, call, &params)?;
    if reply.status == 200 {
        for path in params.child("expand").texts()? {
            expand::expand(tx, &mut reply.body, path)?;
        }
    }
    Ok(reply)
}

fn dispatch(tx: &mut Tx<'_>, call: &Call, params: &Scope<'_>) -> Result<Reply, Fault> {
    let segments: Vec<&str> = call.path.split('/').collect();
    let answered = match call.method {
        Method::GET => read(tx, &segments, params)?,
        Method::POST => write(tx, &segments, params)?,
        Method::DELETE => match *segments.as_slice() {
            ["customers", id] => Some(customers::delete(tx, id)?),
            _ => None,
        },
        _ => None,
    };
    answered.ok_or_else(|| {
        let message = format!(
            "Unrecognized request URL ({}: /v1/{}). The sandbox knows a part of Stripe's API only.",
            call.method, call.path
        );
        Refusal::new(404, "invalid_request_error", message).into()
    })
}

fn read(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let kind = match *segments {
        ["account"] => return Ok(Some(account())),
        ["customers"] => return customers::list(tx, params).map(Some),
        ["customers", id] => {
            params.only(&[])?;
            return customers::retrieve(tx, id).map(Some);
        }
        ["customers", id, "payment_methods"] => return methods::of_customer(tx, id, params).map(Some),
        ["customers", id, "payment_methods", method] => {
            return methods::one_of_customer(tx, id, method).map(Some);
        }
        ["checkout", "sessions"] => return checkout::list(tx, params).map(Some),
        ["checkout", "sessions", id, "line_items"] => return line_items::collection(tx, id).map(Some),
        ["payment_intents"] => return intents::list(tx, params).map(Some),
        ["payment_methods"] => return methods::list(tx, params).map(Some),
        ["charges"] => return charges::list(tx, params).map(Some),
        ["refunds"] => return refunds::list(tx, params).map(Some),
        ["prices"] => return prices::list(tx, params).map(Some),
        ["events"] => return events::list(tx, params).map(Some),
        ["checkout", "sessions", _] => Kind::Session,
        ["payment_intents", _] => Kind::Intent,
        ["payment_methods", _] => Kind::Method,
        ["charges", _] => Kind::Charge,
        ["refunds", _] => Kind::Refund,
        ["prices", _] => Kind::Price,
        ["products", _] => Kind::Product,
        ["events", _] => Kind::Event,
        _ => return Ok(None),
    };
    params.only(&["client_secret"])?;
    let id = segments.last().copied().unwrap_or_default();
    Ok(Some(Reply::ok(tx.require(kind, id, "id")?.into_json())))
}

fn write(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let reply = match *segments {
        ["customers"] => customers::create(tx, params)?,
        ["customers", id] => customers::update(tx, id, params)?,
        ["checkout", "sessions"] => checkout::create(tx, params)?,
        ["checkout", "sessions", id] => checkout::update(tx, id, params)?,
        ["checkout", "sessions", id, "expire"] => {
            params.only(&[])?;
            checkout::expire(tx, id)?
        }
        ["payment_intents"] => intents::create(tx, params)?,
        ["payment_intents", id] => intents::update(tx, id, params)?,
        ["payment_intents", id, "confirm"] => intents::confirm(tx, id, params)?,
        ["payment_intents", id, "cancel"] => intents::cancel(tx, id, params)?,
        ["payment_methods"] => methods::create(tx, params)?,
        ["payment_methods", id] => methods::update(tx, id, params)?,
        ["payment_methods", id, "attach"] => methods::attach(tx, id, params)?,
        ["payment_methods", id, "detach"] => {
            params.only(&[])?;
            methods::detach(tx, id)?
        }
        ["refunds"] => refunds::create(tx, params)?,
        ["refunds", id] => refunds::update(tx, id, params)?,
        ["prices"] => prices::create(tx, params)?,
        _ => return Ok(None),
    };
    Ok(Some(reply))
}

/// The account, so that a configured key can be checked without changing anything.
fn account() -> Reply {
    Reply::ok(json!({
        "id": "acct_sandbox",
        "object": "account",
        "charges_enabled": true,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": true,
        "payouts_enabled": true,
        "type": "standard",
    }))
}
