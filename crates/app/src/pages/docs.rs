//! `/api/docs`: the OpenAPI description as a page, from the same document, without anything from elsewhere; and
//! `/problems/{code}`, the `type` of a problem, which leads to what the page says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, VARY};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use web::Page;
use web::docs::{Answer, Code, Content, DocsPage, Field, Group, Kind, Operation, Shape};
use web::frame::Nav;

use super::frame::{frame, go};
use crate::http::auth::Visitor;
use crate::http::extract::takes_gzip;
use crate::http::{Access, ApiResult, Problem, Router, openapi};
use crate::state::Pitlane;
use crate::usecases;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get_or_head("/api/docs", Access::Public, open);
    router.get_or_head("/problems/{code}", Access::Public, explain);
}

async fn explain(code: Path<String>) -> ApiResult<HttpResponse> {
    if !openapi::sentences().contains_key(code.as_str()) {
        return Err(Problem::not_found());
    }
    Ok(go(&format!("/api/docs#code-{}", code.as_str())))
}

/// A megabyte, told by few words said often: worth packing harder than pages are, away from the others' thread.
async fn open(request: HttpRequest, visitor: Visitor, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    static READ: OnceLock<Reading> = OnceLock::new();
    let read = READ.get_or_init(|| Reading::of(&openapi::document(app.settings.is_development())));
    let page = DocsPage {
        frame: frame(&app, visitor.0.as_ref(), Nav::None),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rules: read.rules.clone(),
        groups: read.groups.clone(),
        shapes: read.shapes.clone(),
        codes: read.codes.clone(),
    };
    let html = Bytes::from(page.render().map_err(usecases::Error::from)?);
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((VARY, "accept-encoding"));
    response.content_type("text/html; charset=utf-8");
    if !takes_gzip(&request) {
        return Ok(response.body(html));
    }
    let plain = html.clone();
    Ok(match tokio::task::spawn_blocking(move || web::assets::gzip(&plain)).await {
        Ok(packed) => response.insert_header((CONTENT_ENCODING, "gzip")).body(packed),
        Err(_stopping) => response.body(html),
    })
}

/// What the page shows of the document.
struct Reading {
    rules: Vec<String>,
    groups: Vec<Group>,
    shapes: Vec<Shape>,
    codes: Vec<Code>,
}

impl Reading {
    fn of(document: &Value) -> Self {
        let rules = text(&document["info"]["description"]);
        let rules = rules.split_inclusive(". ").map(|rule| rule.trim().to_owned()).collect();
        let schemas = entries(&document["components"]["schemas"]);
        Self {
            rules,
            groups: groups(document),
            shapes: schemas.map(|(name, schema)| shape(document, name, schema)).collect(),
            codes: codes(document),
        }
    }
}

fn groups(document: &Value) -> Vec<Group> {
    let group = |tag: &Value| {
        let name = text(&tag["name"]);
        let mut operations = Vec::new();
        for (path, methods) in entries(&document["paths"]) {
            for (method, one) in entries(methods) {
                if one["tags"][0] == tag["name"] {
                    operations.push(operation(document, method, path, one));
                }
            }
        }
        Group { anchor: name.replace(' ', "-"), name, about: text(&tag["description"]), operations }
    };
    document["tags"].as_array().into_iter().flatten().map(group).collect()
}

fn operation(document: &Value, method: &str, path: &str, one: &Value) -> Operation {
    let parameters = one["parameters"].as_array().into_iter().flatten();
    Operation {
        anchor: text(&one["operationId"]),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&one["summary"]),
        about: text(&one["description"]),
        parameters: parameters.map(|parameter| named(resolved(document, parameter))).collect(),
        body: content(document, &one["requestBody"]),
        answers: entries(&one["responses"]).map(|(status, one)| answer(document, status, one)).collect(),
    }
}

fn named(parameter: &Value) -> Field {
    Field {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        kind: kind(&parameter["schema"]),
        about: about(&parameter["description"], &parameter["schema"]),
    }
}

fn answer(document: &Value, status: &str, response: &Value) -> Answer {
    let problems = &response["content"]["application/problem+json"]["examples"];
    let codes: Vec<String> = entries(problems).map(|(code, _)| code.clone()).collect();
    let headers = entries(&response["headers"]).map(|(name, _)| name.clone());
    Answer {
        status: status.to_owned(),
        about: text(&response["description"]),
        headers: headers.filter(|name| name != "X-Request-Id").collect(),
        // All problems have one shape, which is told once.
        content: if codes.is_empty() { content(document, response) } else { None },
        codes,
    }
}

fn content(document: &Value, from: &Value) -> Option<Content> {
    let (media, content) = entries(&from["content"]).next()?;
    let schema = &content["schema"];
    let kind = if media == "text/html" || media == "*/*" { Kind::default() } else { kind(schema) };
    let example = content.get("example").map(pretty).unwrap_or_default();
    // A page of a list is a shape without a name; its items have one.
    let items = &resolved(document, schema)["properties"]["items"];
    let kind = if kind.shape.is_none() && items.is_object() { self::kind(items) } else { kind };
    Some(Content { media: media.clone(), kind, example })
}

fn shape(document: &Value, name: &str, schema: &Value) -> Shape {
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let field = |(name, one): (&String, &Value)| Field {
        name: name.clone(),
        kind: kind(one),
        place: String::new(),
        required: required.contains(name.as_str()),
        about: about(&one["description"], one),
    };
    Shape {
        name: name.to_owned(),
        about: text(&schema["description"]),
        kind: kind(schema),
        fields: entries(&schema["properties"]).map(field).collect(),
        example: pretty(&openapi::example(schema, document)),
    }
}

fn codes(document: &Value) -> Vec<Code> {
    // Some belong to no operation: a method that there is not, a request that never arrived.
    let mut all: BTreeMap<String, (BTreeSet<String>, String)> = openapi::sentences()
        .into_iter()
        .map(|(code, sentence)| (code, (BTreeSet::new(), text(&Value::String(sentence)))))
        .collect();
    let methods = entries(&document["paths"]).flat_map(|(_, methods)| entries(methods));
    for (status, response) in methods.flat_map(|(_, one)| entries(&one["responses"])) {
        for (code, _) in entries(&response["content"]["application/problem+json"]["examples"]) {
            all.entry(code.clone()).or_default().0.insert(status.clone());
        }
    }
    all.into_iter()
        .map(|(code, (statuses, sentence))| {
            let statuses = statuses.into_iter().collect::<Vec<_>>().join(", ");
            Code { code, statuses, sentence }
        })
        .collect()
}

/// What a schema is, in words.
fn kind(schema: &Value) -> Kind {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return Kind { text: name.to_owned(), shape: Some(name.to_owned()) };
    }
    if let Some(first) = schema["anyOf"].get(0) {
        let Kind { text, shape } = kind(first);
        return Kind { text: format!("{text} or null"), shape };
    }
    if let Some(choices) = schema["enum"].as_array() {
        let text = choices.iter().map(|one| one.as_str().unwrap_or("null")).collect::<Vec<_>>().join(", ");
        return Kind { text: format!("one of {text}"), shape: None };
    }
    let name = |kind: &str| match (kind, schema["format"].as_str()) {
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", Some("uuid")) => "id".to_owned(),
        ("string", _) => "text".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        (other, _) => other.to_owned(),
    };
    if schema["type"] == "array" {
        let Kind { text, shape } = kind(&schema["items"]);
        return Kind { text: format!("list of {text}"), shape };
    }
    let text = match &schema["type"] {
        Value::String(one) => name(one),
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(" or ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    };
    Kind { text, shape: None }
}

/// What is said about a value, with its limits.
fn about(description: &Value, schema: &Value) -> String {
    let mut said = text(description);
    for (keyword, words) in [
        ("minLength", "At least {} characters."),
        ("maxLength", "At most {} characters."),
        ("minimum", "From {}."),
        ("maximum", "To {}."),
        ("maxItems", "At most {} items."),
        ("default", "{} when it is left out."),
    ] {
        if let Some(limit) = schema.get(keyword) {
            let gap = if said.is_empty() { "" } else { " " };
            said = format!("{said}{gap}{}", words.replace("{}", &limit.to_string()));
        }
    }
    said
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    target.unwrap_or(value)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_shape_and_code_of_the_document_is_on_the_page() {
        let document = openapi::document(true);
        let read = Reading::of(&document);
        let operations = entries(&document["paths"]).flat_map(|(_, methods)| entries(methods)).count();
        assert_eq!(read.groups.iter().map(|group| group.operations.len()).sum::<usize>(), operations);
        assert_eq!(read.shapes.len(), entries(&document["components"]["schemas"]).count());
        assert!(read.codes.iter().all(|code| !code.sentence.is_empty()), "{:?}", read.codes);
        let answers = read.groups.iter().flat_map(|group| &group.operations).flat_map(|one| &one.answers);
        let told: BTreeSet<&String> = answers.flat_map(|answer| &answer.codes).collect();
        assert!(told.iter().all(|told| read.codes.iter().any(|code| code.code == ***told)));
    }
}
