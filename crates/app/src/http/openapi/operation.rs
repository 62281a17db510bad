//! One operation: what is written about it, and what follows from how its route is registered.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::notation::{example, schema};
use crate::http::auth::is_own_account;
use crate::http::middleware::is_for_program;
use crate::http::router::{Access, Listed};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const HTML: &str = "text/html";
/// Codes whose answers say after how many seconds to try again.
const PATIENT: [&str; 4] =
    ["too_many_requests", "unavailable", "payment_provider_unavailable", "video_unavailable"];

/// What is written about an operation. Who may call it, and the refusals that every such route has, are added.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    summary: String,
    text: Option<String>,
    tag: Option<String>,
    /// Whether it takes an `Idempotency-Key`.
    #[serde(default)]
    keyed: bool,
    /// Whether it takes no API token.
    #[serde(default)]
    by_cookie: bool,
    /// Whether `server.metrics_token` opens it to who would be told that it does not exist.
    #[serde(default)]
    by_metrics_token: bool,
    /// Whether flood control leaves it alone.
    #[serde(default)]
    unlimited: bool,
    /// Placeholders of the path that are not what their name says everywhere else.
    #[serde(default)]
    path: Map<String, Value>,
    /// Parameters of the query, optional where the name ends in `?`.
    #[serde(default)]
    query: Map<String, Value>,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Body>,
    answers: BTreeMap<String, Answer>,
    /// `409 session_closed`: refusals that only this operation has.
    #[serde(default)]
    refusals: Vec<String>,
    /// Statuses under which a page tells of a problem.
    #[serde(default)]
    pages: Vec<String>,
}

/// A request's body: the name of a schema as JSON, with a `?` where it may be left out; `none` where nothing or `{}`
/// passes; or a form.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Body {
    Json(String),
    Other(Form),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    media: String,
    is: String,
    /// Read as bytes, whatever they are.
    #[serde(default)]
    raw: bool,
    /// Read field by field: what is not known or missing is told in the page.
    #[serde(default)]
    loose: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    says: String,
    /// A schema, as JSON.
    is: Option<Value>,
    /// The schema of a list's items.
    list: Option<String>,
    /// The media type of what is not JSON.
    media: Option<String>,
    /// A second media type.
    also: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
}

/// What operations are described with.
pub(super) struct Words {
    /// Every schema by its name, as it is written.
    pub(super) written: Map<String, Value>,
    /// Every schema by its name, spelled out.
    pub(super) schemas: Map<String, Value>,
    /// The sentence of each code.
    pub(super) problems: Map<String, Value>,
}

/// The operation of a route under a tag.
pub(super) fn operation(listed: &Listed, written: &Written, tag: &str, words: &Words) -> Value {
    let one = Operation { listed, written, words, pages: !is_for_program(listed.path) };
    let mut operation = json!({
        "operationId": id(listed),
        "summary": written.summary,
        "description": one.description(),
        "tags": [written.tag.as_deref().unwrap_or(tag)],
        "responses": one.responses(),
        "security": security(listed.access, written),
    });
    let parameters = one.parameters();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(body) = one.body() {
        operation["requestBody"] = body;
    }
    operation
}

/// With what a caller may prove who they are; `{}` is with nothing.
fn security(access: Access, written: &Written) -> Value {
    match (needs_sign_in(access), written.by_cookie) {
        (true, true) => json!([{ "cookie": [] }]),
        (true, false) => json!([{ "cookie": [] }, { "token": [] }]),
        (false, _) if written.by_metrics_token => json!([{}, { "metrics_token": [] }]),
        (false, _) => json!([]),
    }
}

struct Operation<'a> {
    listed: &'a Listed,
    written: &'a Written,
    words: &'a Words,
    /// Whether problems are told as pages.
    pages: bool,
}

impl Operation<'_> {
    fn description(&self) -> String {
        let who = who(self.listed.access);
        self.written.text.as_ref().map_or_else(|| who.to_owned(), |text| format!("{text} {who}"))
    }

    fn schema(&self, written: &Value) -> Value {
        schema(written, &self.words.written)
    }

    fn parameters(&self) -> Vec<Value> {
        let mut all: Vec<Value> =
            placeholders(self.listed.path).iter().map(|name| self.placeholder(name)).collect();
        for (name, kind) in &self.written.query {
            all.push(match (name.as_str(), kind.as_str()) {
                ("limit", Some("limit")) => json!({ "$ref": "#/components/parameters/limit" }),
                ("cursor", Some("cursor")) => json!({ "$ref": "#/components/parameters/cursor" }),
                _ => self.parameter(name.trim_end_matches('?'), "query", !name.ends_with('?'), kind),
            });
        }
        for (name, kind) in &self.written.headers {
            all.push(self.parameter(name, "header", false, kind));
        }
        if self.written.keyed {
            all.push(json!({ "$ref": "#/components/parameters/idempotency_key" }));
        }
        all
    }

    fn placeholder(&self, name: &str) -> Value {
        if let Some(kind) = self.written.path.get(name) {
            return self.parameter(name, "path", true, kind);
        }
        let kind = match name {
            "id" => json!("uuid"),
            "path" => json!({ "of": "text", "minLength": 1, "example": "css/tokens.css" }),
            _ => {
                json!({ "of": "text", "minLength": 1, "maxLength": 200, "example": "8m4pXk1mYy0sQ2vJ6rT9bA" })
            }
        };
        self.parameter(name, "path", true, &kind)
    }

    fn parameter(&self, name: &str, place: &str, required: bool, kind: &Value) -> Value {
        let mut schema = self.schema(kind);
        let description = schema.as_object_mut().and_then(|keywords| keywords.remove("description"));
        let mut parameter = json!({ "name": name, "in": place, "required": required, "schema": schema });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    }

    fn body(&self) -> Option<Value> {
        let (media, name, required) = match self.written.body.as_ref()? {
            Body::Json(none) if none == "none" => (JSON, "Nothing", false),
            Body::Json(name) => (JSON, name.trim_end_matches('?'), !name.ends_with('?')),
            Body::Other(form) => (form.media.as_str(), form.is.as_str(), !form.raw && !form.loose),
        };
        let schema = self.schema(&json!(name));
        let content = json!({ "schema": schema, "example": example(&schema, &self.words.schemas) });
        Some(json!({ "required": required, "content": { media: content } }))
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        for (status, answer) in &self.written.answers {
            responses.insert(status.clone(), self.answer(answer));
        }
        for (status, codes) in self.refusals() {
            responses.insert(status.to_string(), self.refusal(status, &codes));
        }
        for status in self.problem_pages() {
            let page = responses.entry(status.clone()).or_insert_with(|| page(&status));
            if status != "303" {
                page["content"][HTML] = json!({ "schema": { "type": "string" } });
            }
        }
        Value::Object(responses)
    }

    fn answer(&self, answer: &Answer) -> Value {
        let mut response = json!({ "description": answer.says, "headers": headers(&answer.headers) });
        let schema = match (&answer.is, &answer.list) {
            (Some(kind), _) => Some(self.schema(kind)),
            (None, Some(item)) => {
                let page = json!({ "fields": { "items": format!("[]{item}"), "next_cursor": { "of": "text?", "description": "Where the next page begins; `null` on the last.", "example": null } } });
                Some(self.schema(&page))
            }
            (None, None) => None,
        };
        if let Some(schema) = schema {
            let example = example(&schema, &self.words.schemas);
            response["content"][JSON] = json!({ "schema": schema, "example": example });
        }
        for media in answer.media.iter().chain(&answer.also) {
            response["content"][media] = json!({ "schema": { "type": "string" } });
        }
        if self.written.keyed {
            response["headers"]["Idempotency-Replayed"] =
                json!({ "$ref": "#/components/headers/Idempotency-Replayed" });
        }
        response
    }

    fn refusal(&self, status: u16, codes: &BTreeSet<&str>) -> Value {
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let title = title.unwrap_or("Refused");
        let examples: Map<String, Value> = codes
            .iter()
            .map(|code| ((*code).to_owned(), json!({ "value": self.problem(status, title, code) })))
            .collect();
        let waits = codes.iter().all(|code| PATIENT.contains(code));
        let mut headers = headers(&[]);
        if waits || codes.contains("idempotency_in_progress") {
            headers["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" });
        }
        json!({
            "description": format!("{title}: {}.", codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")),
            "headers": headers,
            "content": { PROBLEM: {
                "schema": { "allOf": [
                    { "$ref": "#/components/schemas/Problem" },
                    { "properties": { "status": { "const": status }, "code": { "enum": codes } } },
                ] },
                "examples": examples,
            } },
        })
    }

    fn problem(&self, status: u16, title: &str, code: &str) -> Value {
        let detail = self.words.problems.get(code).cloned().unwrap_or_default();
        let mut problem = json!({
            "type": format!("/problems/{code}"), "title": title, "status": status, "detail": detail, "code": code,
            "request_id": "5d0c7c0c5f0b4b0d8f6f0c9a1e2d3b4a",
        });
        match code {
            "invalid" => {
                problem["errors"] = json!([{ "field": "name", "code": "required", "message": detail }])
            }
            "unknown_field" => {
                problem["errors"] = json!([{ "field": "nmae", "code": "unknown_field", "message": detail }]);
            }
            _ => {}
        }
        problem
    }

    /// Every code by its status, for a program.
    fn refusals(&self) -> BTreeMap<u16, BTreeSet<&str>> {
        let mut all: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
        if self.pages {
            return all;
        }
        let mut add = |status: u16, code| {
            all.entry(status).or_default().insert(code);
        };
        for (status, code) in self.written.refusals.iter().filter_map(|line| line.split_once(' ')) {
            if let Ok(status) = status.parse() {
                add(status, code);
            }
        }
        let changes = ![Method::GET, Method::HEAD].contains(&self.listed.method);
        for (status, code) in of_access(self.listed.access) {
            add(*status, code);
        }
        if matches!(self.listed.access, Access::SignedIn | Access::Staff | Access::Admin)
            && !is_own_account(self.listed.path)
        {
            add(403, "second_factor_setup_required");
        }
        if needs_sign_in(self.listed.access) && changes {
            add(403, "cross_origin");
        }
        if self.listed.path.contains("{id}") {
            add(404, "not_found");
        }
        if !self.written.query.is_empty() {
            add(422, "invalid");
        }
        if let Some(Body::Json(_)) = &self.written.body {
            for (status, code) in OF_JSON {
                add(*status, code);
            }
        }
        if let Some(Body::Other(form)) = &self.written.body
            && form.raw
        {
            add(408, "timeout");
        }
        if self.written.keyed {
            for (status, code) in OF_KEYS {
                add(*status, code);
            }
        }
        if !self.written.unlimited {
            add(429, "too_many_requests");
            add(503, "unavailable");
        }
        if self.listed.access != Access::Public || changes {
            add(500, "internal");
        }
        all
    }

    /// Every status under which a page tells of a problem.
    fn problem_pages(&self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.written.pages.iter().cloned().collect();
        if !self.pages {
            return all;
        }
        let mut add = |statuses: &[&str]| all.extend(statuses.iter().map(|status| (*status).to_owned()));
        add(&["500", "503"]);
        if !self.written.unlimited {
            add(&["401", "429"]);
        }
        if needs_sign_in(self.listed.access) {
            add(&["303", "403"]);
        }
        if self.listed.path.contains("{id}") {
            add(&["404"]);
        }
        match &self.written.body {
            Some(Body::Other(form)) if form.loose => add(&["400", "408", "413"]),
            Some(_) => add(&["400", "408", "413", "415"]),
            None => {}
        }
        all
    }
}

const OF_JSON: &[(u16, &str)] = &[
    (400, "malformed_json"),
    (400, "body_broken"),
    (408, "timeout"),
    (413, "body_too_large"),
    (415, "unsupported_media_type"),
    (422, "invalid"),
    (422, "unknown_field"),
];
const OF_KEYS: &[(u16, &str)] = &[
    (400, "bad_request"),
    (409, "idempotency_in_progress"),
    (422, "idempotency_mismatch"),
    (422, "invalid"),
];

const fn of_access(access: Access) -> &'static [(u16, &'static str)] {
    match access {
        Access::Public | Access::Signed | Access::Development => &[],
        Access::SignedIn => &[(401, "not_signed_in")],
        Access::Customer | Access::Mechanic | Access::Workshop | Access::Staff | Access::Admin => {
            &[(401, "not_signed_in"), (403, "wrong_role")]
        }
        Access::ApprovedMechanic => &[(401, "not_signed_in"), (403, "wrong_role"), (403, "not_approved")],
    }
}

fn headers(named: &[String]) -> Value {
    let all = named.iter().map(String::as_str).chain(["X-Request-Id"]);
    let references =
        all.map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })));
    Value::Object(references.collect())
}

fn page(status: &str) -> Value {
    let said = match status {
        "303" => "To the sign-in page, and back afterwards.",
        "401" => "A page: the API token, or the password, is not good.",
        "403" => "A page: your account can't open this.",
        "404" => "A page: there is nothing here, or it is not yours.",
        "410" => "A page: this link has run out.",
        "429" => "A page: too many requests.",
        "500" | "503" => "A page: something broke on our side.",
        _ => "A page that says what is wrong.",
    };
    let mut named = Vec::new();
    match status {
        "303" => named.push("Location".to_owned()),
        "429" | "503" => named.push("Retry-After".to_owned()),
        _ => {}
    }
    json!({ "description": said, "headers": headers(&named) })
}

/// The path as OpenAPI writes it: a placeholder has no pattern.
pub(super) fn plain(path: &str) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|rest| rest.split_once(':')) {
        Some((name, _)) => format!("{{{name}}}"),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn placeholders(path: &str) -> Vec<String> {
    let name = |part: &str| part.strip_prefix('{')?.strip_suffix('}').map(str::to_owned);
    plain(path).split('/').filter_map(name).collect()
}

fn id(listed: &Listed) -> String {
    let path = plain(listed.path);
    let words = path.split(|char: char| !char.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty() && *word != "api").collect();
    // The REST API's ids stay as they were; a page of the same path gets another.
    let kind = if is_for_program(listed.path) { None } else { Some("page") };
    let method = listed.method.as_str().to_ascii_lowercase();
    std::iter::once(method.as_str()).chain(kind).chain(words).collect::<Vec<_>>().join("_")
}

pub(super) const fn needs_sign_in(access: Access) -> bool {
    match access {
        Access::Public | Access::Signed | Access::Development => false,
        Access::SignedIn
        | Access::Customer
        | Access::Mechanic
        | Access::ApprovedMechanic
        | Access::Workshop
        | Access::Staff
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
        Access::Staff => "For support and admins.",
        Access::Admin => "For admins.",
    }
}
