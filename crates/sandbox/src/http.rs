//! Routes, and the JSON side of them.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Data, Path, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;

use crate::api::{self, Call};
use crate::control::{Control, MAX_DELAY_MS};
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Params;
use crate::outage::{self, Outage};
use crate::prices::{self, Configured};
use crate::state::Tx;
use crate::{Sandbox, disputes, ids, onboarding, page};

const MAX_BODY: usize = 1024 * 1024;

type Body = Result<Bytes, actix_web::Error>;

pub(crate) fn register(config: &mut ServiceConfig, sandbox: &Sandbox) {
    let shared = || (Data::new(sandbox.clone()), PayloadConfig::new(MAX_BODY));
    let (data, limits) = shared();
    config.service(web::scope("/v1").app_data(data).app_data(limits).default_service(web::to(call)));
    let (data, limits) = shared();
    config.service(
        web::scope("/sandbox")
            .app_data(data)
            .app_data(limits)
            .route("", web::get().to(page::overview))
            .route("/control", web::get().to(control))
            .route("/control", web::post().to(set_control))
            .route("/prices", web::post().to(set_price))
            .route("/outage", web::post().to(set_outage))
            .route("/disputes", web::post().to(open_dispute))
            .route("/disputes/{dispute}/decide", web::post().to(decide_dispute))
            .route("/accounts/{account}/onboarding/{link}", web::get().to(onboarding::form))
            .route("/accounts/{account}/onboarding/{link}", web::post().to(onboarding::answer))
            .route("/static/{file}", web::get().to(static_file))
            .route("/checkout/{session}", web::get().to(page::checkout))
            .route("/checkout/{session}/pay", web::post().to(page::pay))
            // A reload of a declined payment's page, or a way back to it, lands here.
            .route("/checkout/{session}/pay", web::get().to(page::back_to_checkout))
            .route("/checkout/{session}/authenticate", web::get().to(page::authentication))
            .route("/checkout/{session}/authenticate", web::post().to(page::authenticate))
            .route("/payment_intents/{intent}/authenticate", web::get().to(page::intent_authentication))
            .route("/payment_intents/{intent}/authenticate", web::post().to(page::authenticate_intent))
            .route("/setup_intents/{intent}/authenticate", web::get().to(page::setup_authentication))
            .route("/setup_intents/{intent}/authenticate", web::post().to(page::authenticate_setup))
            .default_service(web::to(page::nothing_here)),
    );
}

fn json(reply: &Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-cache, no-store"))
        .body(format!("{}\n", reply.body))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn body(read: Body) -> Result<Bytes, Fault> {
    read.map_err(|error| {
        if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = format!("Request body is too large: at most {MAX_BODY} bytes are read.");
            return Refusal::new(413, "invalid_request_error", message).into();
        }
        invalid(format!("The request's body can't be read: {error}")).into()
    })
}

fn parse(request: &HttpRequest, read: Body, id: &str) -> Result<Call, Fault> {
    api::authenticate(request.headers())?;
    if request.headers().contains_key("stripe-account") {
        return Err(invalid(
            "The sandbox knows connected accounts from the platform's side only; leave out Stripe-Account.",
        )
        .into());
    }
    let body = body(read)?;
    let text =
        std::str::from_utf8(&body).map_err(|_| Fault::from(invalid("The request's body is not UTF-8.")))?;
    let content = header(request.headers(), "content-type").unwrap_or_default();
    if !text.is_empty() && content.starts_with("application/json") {
        let message = format!(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded, not {content})."
        );
        return Err(invalid(message).into());
    }
    // Clients put parameters of a reading request into the query; some put others' there too.
    let both = [request.query_string(), text].join("&");
    Ok(Call {
        method: request.method().clone(),
        path: request.path().strip_prefix("/v1").unwrap_or_default().trim_matches('/').to_owned(),
        params: Params::decode(&both)?,
        idempotency_key: header(request.headers(), "idempotency-key"),
        request: id.to_owned(),
    })
}

async fn call(request: HttpRequest, read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    let key = header(request.headers(), "idempotency-key");
    let id = ids::random("req", 14);
    let answered = match parse(&request, read, &id) {
        // In a transaction of its own: the refusal undoes the call and must not undo its being counted.
        Ok(call) => match sandbox.run(outage::take).await {
            Ok(None) => sandbox.run(move |tx| api::answer(tx, &call)).await,
            Ok(Some(refusal)) => Err(refusal.into()),
            Err(fault) => Err(fault),
        },
        Err(fault) => Err(fault),
    };
    let (reply, replayed) = match answered {
        Ok(answer) => (answer.reply, answer.replayed),
        Err(fault) => (fault.reply(), false),
    };
    let mut response = json(&reply);
    let version =
        header(request.headers(), "stripe-version").unwrap_or_else(|| sandbox.settings().api_version.clone());
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = actix_web::http::header::HeaderValue::from_str(value) {
            response.headers_mut().insert(actix_web::http::header::HeaderName::from_static(name), value);
        }
    };
    set("request-id", &id);
    set("stripe-version", &version);
    match reply.status {
        401 => set("www-authenticate", "Basic realm=\"Stripe\""),
        409 | 429 | 500.. => set("stripe-should-retry", "true"),
        _ => {}
    }
    if let Some(key) = key {
        set("idempotency-key", &key);
    }
    if replayed {
        set("idempotent-replayed", "true");
    }
    response
}

async fn control(sandbox: Data<Sandbox>) -> HttpResponse {
    match sandbox.run(|tx| tx.control()).await {
        Ok(control) => HttpResponse::Ok().json(control),
        Err(fault) => json(&fault.reply()),
    }
}

/// Reads the JSON body of a control and carries it out.
async fn command<T, F>(read: Body, sandbox: &Sandbox, work: F) -> HttpResponse
where
    T: DeserializeOwned + Send + 'static,
    F: FnOnce(&mut Tx<'_>, T) -> Result<Reply, Fault> + Send + 'static,
{
    let wanted = body(read).and_then(|body| {
        serde_json::from_slice::<T>(&body).map_err(|error| Fault::from(invalid(error.to_string())))
    });
    let done = match wanted {
        Ok(wanted) => sandbox.run(move |tx| work(tx, wanted)).await,
        Err(fault) => Err(fault),
    };
    json(&done.unwrap_or_else(|fault| fault.reply()))
}

async fn set_control(read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    command(read, &sandbox, |tx, control: Control| {
        if control.delay_ms > MAX_DELAY_MS {
            return Err(invalid(format!("delay_ms is at most {MAX_DELAY_MS}.")).param("delay_ms").into());
        }
        tx.control_set(&control)?;
        serde_json::to_value(control).map(Reply::ok).map_err(|error| Fault::Internal(error.to_string()))
    })
    .await
}

async fn set_price(read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    command(read, &sandbox, |tx, wanted: Configured| prices::configure(tx, &wanted)).await
}

async fn set_outage(read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    command(read, &sandbox, |tx, wanted: Outage| outage::set(tx, &wanted)).await
}

async fn open_dispute(read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    command(read, &sandbox, |tx, wanted: disputes::Wanted| disputes::open_on_demand(tx, &wanted)).await
}

async fn decide_dispute(id: Path<String>, read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    command(read, &sandbox, move |tx, verdict: disputes::Verdict| disputes::decide(tx, &id, &verdict)).await
}

async fn static_file(file: Path<String>) -> HttpResponse {
    let (kind, content) = match file.as_str() {
        "sandbox.css" => ("text/css; charset=utf-8", include_str!("../static/sandbox.css")),
        "favicon.svg" => ("image/svg+xml", include_str!("../static/favicon.svg")),
        _ => return page::nothing_here().await,
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(content)
}
