//! Routes, and the JSON side of them.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Data, Path, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::api::{self, Call};
use crate::control::{Control, MAX_DELAY_MS};
use crate::fault::{Fault, Reply, invalid};
use crate::form::Params;
use crate::prices::{self, Configured};
use crate::{Sandbox, ids, page};

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
            .route("/static/{file}", web::get().to(static_file))
            .route("/checkout/{session}", web::get().to(page::checkout))
            .route("/checkout/{session}/pay", web::post().to(page::pay))
            // A reload of a declined payment's page, or a way back to it, lands here.
            .route("/checkout/{session}/pay", web::get().to(page::back_to_checkout))
            .route("/checkout/{session}/authenticate", web::get().to(page::authentication))
            .route("/checkout/{session}/authenticate", web::post().to(page::authenticate))
            .route("/payment_intents/{intent}/authenticate", web::get().to(page::intent_authentication))
            .route("/payment_intents/{intent}/authenticate", web::post().to(page::authenticate_intent))
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
    read.map_err(|error| invalid(format!("The request's body can't be read: {error}")).into())
}

fn parse(request: &HttpRequest, read: Body) -> Result<Call, Fault> {
    api::authenticate(request.headers())?;
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
    })
}

async fn call(request: HttpRequest, read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    let key = header(request.headers(), "idempotency-key");
    let answered = match parse(&request, read) {
        Ok(call) => sandbox.run(move |tx| api::answer(tx, &call)).await,
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
    set("request-id", &ids::random("req", 14));
    set("stripe-version", &version);
    if reply.status >= 500 {
        set("stripe-should-retry", "true");
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

async fn set_control(read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    let wanted = body(read).and_then(|body| {
        let control: Control =
            serde_json::from_slice(&body).map_err(|error| Fault::from(invalid(error.to_string())))?;
        if control.delay_ms > MAX_DELAY_MS {
            return Err(invalid(format!("delay_ms is at most {MAX_DELAY_MS}.")).param("delay_ms").into());
        }
        Ok(control)
    });
    let set = match wanted {
        Ok(control) => sandbox.run(move |tx| tx.control_set(&control).map(|()| control)).await,
        Err(fault) => Err(fault),
    };
    match set {
        Ok(control) => HttpResponse::Ok().json(control),
        Err(fault) => json(&fault.reply()),
    }
}

async fn set_price(read: Body, sandbox: Data<Sandbox>) -> HttpResponse {
    let wanted = body(read).and_then(|body| {
        serde_json::from_slice::<Configured>(&body).map_err(|error| Fault::from(invalid(error.to_string())))
    });
    let set = match wanted {
        Ok(wanted) => sandbox.run(move |tx| prices::configure(tx, &wanted)).await,
        Err(fault) => Err(fault),
    };
    match set {
        Ok(reply) => json(&reply),
        Err(fault) => json(&fault.reply()),
    }
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
