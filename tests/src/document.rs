//! The OpenAPI description, held against what the server answers: every request of [`crate::Client`] is looked up in it,
//! so that an answer with a status, a media type, a header, a field or a code that is not described fails its test.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Validator};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::server::binary;

/// The description that the binary under test prints.
#[derive(Debug)]
pub struct Document {
    /// The document.
    pub json: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    /// The description of the binary under test.
    ///
    /// # Panics
    /// It prints none.
    pub fn of_binary() -> &'static Self {
        static DOCUMENT: OnceLock<Document> = OnceLock::new();
        DOCUMENT.get_or_init(|| {
            let printed =
                Command::new(binary()).arg("openapi").env_clear().output().expect("the binary runs");
            let json = serde_json::from_slice(&printed.stdout).expect("it prints its description");
            Self::new(json)
        })
    }

    /// A description.
    pub fn new(json: Value) -> Self {
        Self { json, validators: Mutex::default() }
    }

    /// What is wrong with an answer; `None` when it is as described. A path that is not described at all is none of the
    /// product's own: the payment sandbox, Stripe's paths, or nothing.
    pub fn fault(&self, method: &str, path: &str, answer: &Answer) -> Option<String> {
        let (template, methods) = self.path(path)?;
        let Some(operation) = methods.get(&method.to_ascii_lowercase()) else {
            return (answer.status != 405)
                .then(|| format!("{method} is not described, and answered {}", answer.status));
        };
        let status = answer.status.to_string();
        let Some(response) = operation["responses"].get(&status) else {
            return Some(format!("{method} {template} does not describe {status}"));
        };
        self.missing_header(response, answer)
            .or_else(|| self.content_fault(&format!("{method} {template} {status}"), response, answer))
    }

    /// The path's template and its methods. One without a placeholder goes before one with.
    fn path(&self, path: &str) -> Option<(&str, &Map<String, Value>)> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let wanted: Vec<&str> = template.split('/').collect();
            let rest = wanted.last() == Some(&"{path}") && parts.len() >= wanted.len();
            (wanted.len() == parts.len() || rest)
                && wanted.iter().zip(&parts).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
        };
        let paths = self.json["paths"].as_object()?;
        let found = paths
            .iter()
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count());
        found.and_then(|(template, methods)| Some((template.as_str(), methods.as_object()?)))
    }

    fn missing_header(&self, response: &Value, answer: &Answer) -> Option<String> {
        let described = response["headers"].as_object()?;
        let missing = described.iter().find(|(name, header)| {
            let required = self.resolved(header)["required"] == true;
            required && !answer.headers.contains_key(name.as_str())
        });
        missing.map(|(name, _)| format!("the header {name} is missing"))
    }

    fn content_fault(&self, name: &str, response: &Value, answer: &Answer) -> Option<String> {
        let media = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|media| media.split(';').next()).unwrap_or_default();
        let described = response["content"].as_object();
        let content = described.and_then(|content| content.get(media).or_else(|| content.get("*/*")));
        let Some(content) = content else {
            let nothing = described.is_none() && answer.text.is_empty();
            return (!nothing).then(|| format!("{name} does not describe {media:?}"));
        };
        if !media.ends_with("json") {
            return None;
        }
        let validator = self.validator(&format!("{name} {media}"), &content["schema"]);
        let faults: Vec<String> = validator
            .iter_errors(&answer.body)
            .take(5)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        (!faults.is_empty()).then(|| format!("{name} is not as described: {}", faults.join("; ")))
    }

    /// What is wrong with an example, under the name of where it stands.
    pub fn example_fault(&self, name: &str, schema: &Value, example: &Value) -> Option<String> {
        let validator = self.validator(name, schema);
        validator
            .iter_errors(example)
            .next()
            .map(|fault| format!("{name}: {}: {fault}", fault.instance_path()))
    }

    fn validator(&self, name: &str, schema: &Value) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(name.to_owned()).or_insert_with(|| {
            let schema = json!({ "allOf": [schema], "components": self.json["components"] });
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Arc::new(options.build(&schema).unwrap_or_else(|error| panic!("{name}: no schema: {error}")))
        });
        Arc::clone(made)
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|name| self.json.pointer(name.trim_start_matches('#')));
        target.unwrap_or(value)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn document() -> Document {
        let schema = json!({ "type": "object", "required": ["id"], "additionalProperties": false, "properties": { "id": { "$ref": "#/components/schemas/Id" } } });
        let answer = json!({
            "headers": { "X-Request-Id": { "required": true } },
            "content": { "application/json": { "schema": schema } },
        });
        Document::new(json!({
            "paths": {
                "/api/things/{id}": { "get": { "responses": { "200": answer, "204": {} } } },
                "/api/things/mine": { "get": { "responses": { "204": {} } } },
            },
            "components": { "schemas": { "Id": { "type": "string", "format": "uuid" } } },
        }))
    }

    fn answer(status: u16, media: &str, body: &Value) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media.parse().expect("a header"));
        headers.insert("x-request-id", HeaderValue::from_static("1"));
        Answer { status, body: body.clone(), text: body.to_string(), headers, asked: String::new() }
    }

    #[test]
    fn whatever_is_not_described_is_a_fault() {
        let good = json!({ "id": "0198d7a0-0000-7000-8000-000000000001" });
        let fault = |method: &str, path: &str, answer: &Answer| document().fault(method, path, answer);
        let told =
            |status, media: &str, body: &Value| fault("GET", "/api/things/7", &answer(status, media, body));
        assert_eq!(told(200, "application/json; charset=utf-8", &good), None);
        for (status, media, body, says) in [
            (201, "application/json", good.clone(), "does not describe 201"),
            (200, "text/html", good.clone(), "text/html"),
            (200, "application/json", json!({}), "id"),
            (200, "application/json", json!({ "id": "no id" }), "uuid"),
            (200, "application/json", json!({ "id": good["id"], "more": 1 }), "more"),
            (204, "application/json", good.clone(), "application/json"),
        ] {
            let found = told(status, media, &body).unwrap_or_else(|| panic!("{status} {media} {body}"));
            assert!(found.contains(says), "{found}");
        }
        let mut bare = answer(200, "application/json", &good);
        bare.headers.remove("x-request-id");
        assert!(fault("GET", "/api/things/7", &bare).is_some_and(|found| found.contains("X-Request-Id")));
        assert!(fault("PUT", "/api/things/7", &answer(200, "application/json", &good)).is_some());
        assert!(
            fault("GET", "/api/things/mine", &answer(200, "application/json", &good)).is_some(),
            "the literal path goes first"
        );
        assert_eq!(fault("GET", "/v1/charges", &answer(200, "application/json", &good)), None);
    }
}
