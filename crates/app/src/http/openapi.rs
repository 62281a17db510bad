//! The OpenAPI 3.1 description, made from the list of routes, so that no route can be missing from it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::router::{Access, Listed, Router};
use super::{ApiResult, routes};
use actix_web::HttpResponse;

/// Adds `/api/openapi.json`.
pub fn routes(router: &mut Router) {
    router.get("/api/openapi.json", Access::Public, document_json);
}

async fn document_json() -> ApiResult<HttpResponse> {
    Ok(HttpResponse::Ok().json(document()))
}

/// The description of the REST API: every path under `/api`, its methods, who may call it, and how it refuses.
pub fn document() -> Value {
    let mut paths: BTreeMap<&'static str, Map<String, Value>> = BTreeMap::new();
    for listed in routes::all(false).list() {
        if listed.path.starts_with("/api/") || listed.path == "/healthz" {
            let method = listed.method.as_str().to_ascii_lowercase();
            paths.entry(listed.path).or_default().insert(method, operation(&listed));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pitlane",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Live help from car mechanics: accounts, intake, payment, sessions and their logs.",
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "paths": paths,
        "components": { "securitySchemes": security_schemes(), "schemas": { "Problem": problem_schema() } },
    })
}

fn operation(listed: &Listed) -> Value {
    let mut operation = Map::new();
    let id = format!("{} {}", listed.method.as_str().to_ascii_lowercase(), listed.path);
    operation.insert("operationId".to_owned(), json!(operation_id(&id)));
    operation.insert("summary".to_owned(), json!(who(listed.access)));
    operation.insert("tags".to_owned(), json!([listed.path.split('/').nth(2).unwrap_or("operations")]));
    let parameters: Vec<Value> = placeholders(listed.path).map(|name| parameter(listed.path, name)).collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), json!(parameters));
    }
    if needs_sign_in(listed.access) {
        operation.insert("security".to_owned(), json!([{ "cookie": [] }, { "token": [] }]));
    }
    operation.insert("responses".to_owned(), responses());
    Value::Object(operation)
}

fn operation_id(text: &str) -> String {
    let words = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "api");
    words.collect::<Vec<_>>().join("_")
}

fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
}

fn parameter(path: &str, name: &str) -> Value {
    let mut schema = json!({ "type": "string" });
    // A kept card has the payment provider's own id.
    if !path.starts_with("/api/me/cards/") {
        schema["format"] = json!("uuid");
    }
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

const fn needs_sign_in(access: Access) -> bool {
    match access {
        Access::Public | Access::Signed | Access::Development => false,
        Access::SignedIn
        | Access::Customer
        | Access::Mechanic
        | Access::ApprovedMechanic
        | Access::Workshop
        | Access::Admin => true,
    }
}

const fn who(access: Access) -> &'static str {
    match access {
        Access::Public => "For everybody.",
        Access::Signed => "For callers that sign their requests.",
        Access::Development => "In development only.",
        Access::SignedIn => "For every signed-in person.",
        Access::Customer => "For customers.",
        Access::Mechanic => "For mechanics.",
        Access::ApprovedMechanic => "For approved mechanics.",
        Access::Workshop => "For those who run a workshop.",
        Access::Admin => "For admins.",
    }
}

fn responses() -> Value {
    let problem = json!({
        "description": "Refused; `code` says why.",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    json!({ "2XX": { "description": "Done." }, "4XX": problem, "5XX": problem })
}

fn security_schemes() -> Value {
    json!({
        "cookie": { "type": "apiKey", "in": "cookie", "name": "pitlane_session" },
        "token": { "type": "http", "scheme": "bearer", "description": "An API token." },
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "One sentence for a person." },
            "code": { "type": "string", "pattern": "^[a-z0-9_]+$", "description": "Stable; made to be acted on." },
            "request_id": { "type": "string" },
            "checkout_url": { "type": "string", "description": "Where to finish a payment." },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "message"],
                    "properties": {
                        "field": { "type": "string" },
                        "code": { "type": "string" },
                        "message": { "type": "string" },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let document = document();
        let paths = document["paths"].as_object().expect("paths");
        let mut ids: Vec<&str> = paths
            .values()
            .flat_map(|path| path.as_object().expect("methods").values())
            .filter_map(|operation| operation["operationId"].as_str())
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert!(all > 0 && ids.len() == all, "{ids:?}");
    }
}
