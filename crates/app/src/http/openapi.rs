//! The OpenAPI 3.1 description, made from the list of routes and what is written about each in `openapi/*.json`, in the
//! notation of `notation.rs`. A route without a description, and a description without a route, fail a test; that the
//! server answers as it is described is what the black-box tests' client looks at in every answer.

mod notation;
mod operation;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::operation::{Words, Written, operation, plain};
use super::router::{Access, Listed, Router};
use super::{ApiResult, routes};
use crate::state::Pitlane;

/// What is written, in the order in which it is shown.
const DESCRIPTIONS: &[&str] = &[
    include_str!("openapi/accounts.json"),
    include_str!("openapi/plans.json"),
    include_str!("openapi/intake.json"),
    include_str!("openapi/checkout.json"),
    include_str!("openapi/sessions.json"),
    include_str!("openapi/upgrades.json"),
    include_str!("openapi/video.json"),
    include_str!("openapi/summaries.json"),
    include_str!("openapi/requests.json"),
    include_str!("openapi/crm.json"),
    include_str!("openapi/export.json"),
    include_str!("openapi/applications.json"),
    include_str!("openapi/workshops.json"),
    include_str!("openapi/people.json"),
    include_str!("openapi/admin.json"),
    include_str!("openapi/health.json"),
    include_str!("openapi/pages.json"),
    include_str!("openapi/dev.json"),
    include_str!("openapi/values.json"),
];
/// The sandbox's own addresses: its routes are registered in a crate of their own, and its errors have Stripe's shape.
const SANDBOX: &str = include_str!("openapi/sandbox.json");
const PROBLEMS: &str = include_str!("openapi/problems.json");

const ABOUT: &str = "JSON, `snake_case`, UUID ids, RFC 3339 times in UTC, money in whole minor units (`_cents`) beside a \
`currency`. Sign in by the cookie `pitlane_session` or with an API token as a bearer; a cookie request that changes \
something must come from Pitlane's own pages. Lists take `limit` and `cursor`. What spends or creates takes an \
`Idempotency-Key`: the same key and body give the same answer for 24 hours. Unknown fields are refused. Every error is \
RFC 9457 problem details with a stable `code`. Limits answer 413, 415, 422 or 429, the last with `Retry-After`.";

/// One file of descriptions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    tag: Option<Tag>,
    schemas: Map<String, Value>,
    operations: BTreeMap<String, Written>,
}

#[derive(Debug, Clone, Deserialize, serde::Serialize)]
struct Tag {
    name: String,
    description: String,
}

/// Operations as they stand in the document.
#[derive(Deserialize)]
struct Sandbox {
    schemas: Map<String, Value>,
    paths: BTreeMap<String, Map<String, Value>>,
}

/// Adds `/api/openapi.json`.
pub fn routes(router: &mut Router) {
    router.get_or_head("/api/openapi.json", Access::Public, document_json);
}

async fn document_json(app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document(app.settings.is_development()).to_string());
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(text.as_str()))
}

fn descriptions() -> Vec<Description> {
    let read = |text: &&str| serde_json::from_str(text).expect("the descriptions are part of the program");
    DESCRIPTIONS.iter().map(read).collect()
}

/// The description of every route: who may call it, what it takes, and everything it can answer. `development` adds
/// the routes that exist only there.
pub fn document(development: bool) -> Value {
    let descriptions = descriptions();
    let words = words(&descriptions);
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let plainest = Written::default();
    for listed in routes::all(development).list() {
        let (written, tag) = described(&descriptions, &listed).unwrap_or((&plainest, "others"));
        let method = listed.method.as_str().to_ascii_lowercase();
        let described = operation(&listed, written, tag, &words);
        paths.entry(plain(listed.path)).or_default().insert(method, described);
    }
    let mut schemas = words.schemas.clone();
    if development {
        let sandbox: Sandbox =
            serde_json::from_str(SANDBOX).expect("the descriptions are part of the program");
        paths.extend(sandbox.paths);
        schemas.extend(sandbox.schemas);
    }
    let shown = |tag: &Tag| development || tag.name != "Development";
    let tags: Vec<&Tag> =
        descriptions.iter().filter_map(|one| one.tag.as_ref()).filter(|tag| shown(tag)).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pitlane",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Live help from car mechanics: accounts, intake, payment, sessions and their logs.",
            "description": ABOUT,
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "cookie": { "type": "apiKey", "in": "cookie", "name": "pitlane_session" },
                "token": { "type": "http", "scheme": "bearer", "description": "An API token." },
                "metrics_token": { "type": "http", "scheme": "bearer", "description": "`server.metrics_token`." },
            },
            "parameters": parameters(),
            "headers": headers(),
            "schemas": schemas,
        },
    })
}

/// The sentence of every code, for a person.
pub fn sentences() -> BTreeMap<String, String> {
    serde_json::from_str(PROBLEMS).expect("the sentences are part of the program")
}

/// A value that a schema of this document describes.
pub fn example(schema: &Value, document: &Value) -> Value {
    let none = Map::new();
    notation::example(schema, document["components"]["schemas"].as_object().unwrap_or(&none))
}

fn described<'a>(all: &'a [Description], listed: &Listed) -> Option<(&'a Written, &'a str)> {
    let name = format!("{} {}", listed.method, plain(listed.path));
    all.iter().find_map(|one| {
        let tag = one.tag.as_ref().map_or("", |tag| tag.name.as_str());
        one.operations.get(&name).map(|written| (written, tag))
    })
}

fn words(descriptions: &[Description]) -> Words {
    let written: Map<String, Value> = descriptions.iter().flat_map(|one| one.schemas.clone()).collect();
    let spelled = |(name, one): (&String, &Value)| (name.clone(), notation::schema(one, &written));
    let schemas: Map<String, Value> = written.iter().map(spelled).collect();
    let problems = serde_json::from_str(PROBLEMS).expect("the sentences are part of the program");
    Words { written, schemas, problems }
}

fn parameters() -> Value {
    json!({
        "limit": {
            "name": "limit", "in": "query", "required": false,
            "description": "How many items; more than 500 is taken as 500, 0 as 1.",
            "schema": { "type": "integer", "minimum": 0, "default": super::list::LIMIT_DEFAULT },
        },
        "cursor": {
            "name": "cursor", "in": "query", "required": false,
            "description": "The `next_cursor` of the page before.",
            "schema": { "type": "string" },
        },
        "idempotency_key": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key and request give the same answer for 24 hours; with another request it is refused. A key belongs to one person and one path.",
            "schema": { "type": "string", "minLength": 1, "maxLength": accounts::idempotency::KEY_MAX_CHARS, "pattern": "^[!-~]+$" },
            "example": "order-4711",
        },
    })
}

fn headers() -> Value {
    json!({
        "X-Request-Id": { "description": "Under which the server's log knows the request.", "required": true, "schema": { "type": "string" } },
        "Retry-After": { "description": "After how many seconds it makes sense to try again.", "schema": { "type": "integer", "minimum": 0 } },
        "Location": { "description": "Where it goes on.", "required": true, "schema": { "type": "string" } },
        "Set-Cookie": { "description": "`pitlane_session`, `HttpOnly` and `SameSite=Lax`.", "schema": { "type": "string" } },
        "Content-Disposition": { "description": "A name to save it under.", "required": true, "schema": { "type": "string" } },
        "Idempotency-Replayed": { "description": "`true` when this answer was given before under the same key.", "schema": { "type": "string", "const": "true" } },
    })
}

#[cfg(test)]
mod tests;
