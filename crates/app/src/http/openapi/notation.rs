//! The short way in which the descriptions beside this file write JSON Schema, and how it is spelled out.
//!
//! | written | means |
//! |---|---|
//! | `"text"`, `"uuid"`, `"time"`, `"int"`, `"count"`, `"bool"` | a value of that kind; a count is not negative |
//! | `"a\|b"` | one of these texts |
//! | `"[]x"` | a list of `x` |
//! | `"x?"` | `x` or `null` |
//! | `"Session"` | the schema of that name |
//! | `{"of": "x", …}` | `x` with more keywords |
//! | `{"fields": {…}, …}` | an object with exactly these fields; one whose name ends in `?` may be missing, and `"...Session": true` takes over those of that schema |
//! | any other object | JSON Schema as it stands |
//!
//! `example` may stand anywhere; what has none gets one from what it is made of.

use serde_json::{Map, Value, json};

/// Where schemas stand in the document.
const COMPONENTS: &str = "#/components/schemas/";

/// JSON Schema of what is written. `written` holds every schema by its name.
pub(super) fn schema(one: &Value, written: &Map<String, Value>) -> Value {
    match one {
        Value::String(word) => self::word(word),
        Value::Object(keywords) => {
            let mut keywords = keywords.clone();
            let example = keywords.remove("example");
            let mut schema = if let Some(Value::String(of)) = keywords.remove("of") {
                self::word(&of)
            } else if let Some(Value::Object(fields)) = keywords.remove("fields") {
                object(&fields, written)
            } else {
                json!({})
            };
            for (name, value) in keywords {
                schema[name] = value;
            }
            if let Some(example) = example {
                schema["examples"] = json!([example]);
            }
            schema
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => one.clone(),
    }
}

fn word(word: &str) -> Value {
    if let Some(inner) = word.strip_suffix('?') {
        return nullable(self::word(inner));
    }
    if let Some(item) = word.strip_prefix("[]") {
        return json!({ "type": "array", "items": self::word(item) });
    }
    if word.contains('|') {
        return json!({ "type": "string", "enum": word.split('|').collect::<Vec<_>>() });
    }
    match word {
        "text" => json!({ "type": "string" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "int" => json!({ "type": "integer" }),
        "count" => json!({ "type": "integer", "minimum": 0 }),
        "bool" => json!({ "type": "boolean" }),
        name => json!({ "$ref": format!("{COMPONENTS}{name}") }),
    }
}

fn nullable(mut schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str) {
        Some(kind) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        None => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn object(fields: &Map<String, Value>, written: &Map<String, Value>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, field) in fields {
        if let Some(taken) = name.strip_prefix("...") {
            let from = schema(written.get(taken).unwrap_or(&Value::Null), written);
            properties.extend(from["properties"].as_object().cloned().unwrap_or_default());
            required.extend(from["required"].as_array().cloned().unwrap_or_default());
            continue;
        }
        match name.strip_suffix('?') {
            Some(name) => properties.insert(name.to_owned(), schema(field, written)),
            None => {
                required.push(json!(name));
                properties.insert(name.clone(), schema(field, written))
            }
        };
    }
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// A value that this schema describes. `schemas` holds every schema by its name, spelled out.
pub(super) fn example(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let first = |name: &str| schema.get(name).and_then(|list| list.get(0));
    if let Some(given) = first("examples").or_else(|| schema.get("const")).or_else(|| first("enum")) {
        return given.clone();
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let named = name.strip_prefix(COMPONENTS).and_then(|name| schemas.get(name));
        return named.map_or(Value::Null, |named| example(named, schemas));
    }
    if let Some(either) = first("anyOf") {
        return example(either, schemas);
    }
    let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
    match kind.unwrap_or_default() {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(properties.map(|(name, one)| (name.clone(), example(one, schemas))).collect())
        }
        "array" => json!([example(&schema["items"], schemas)]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(false),
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => json!("0198d7a0-0000-7000-8000-0000000044c1"),
            Some("date-time") => json!("2026-01-15T10:00:00Z"),
            _ => json!("text"),
        },
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_spelled_out() {
        let written = json!({ "Car": { "fields": { "year": "int", "vin?": "text?" } } });
        let written = written.as_object().expect("an object");
        for (short, long) in [
            (json!("uuid?"), json!({ "type": ["string", "null"], "format": "uuid" })),
            (json!("[]Car"), json!({ "type": "array", "items": { "$ref": "#/components/schemas/Car" } })),
            (json!("Car?"), json!({ "anyOf": [{ "$ref": "#/components/schemas/Car" }, { "type": "null" }] })),
            (json!("a|b"), json!({ "type": "string", "enum": ["a", "b"] })),
            (
                json!({ "of": "int", "maximum": 9, "example": 3 }),
                json!({ "type": "integer", "maximum": 9, "examples": [3] }),
            ),
            (
                json!({ "fields": { "id": "uuid", "...Car": true } }),
                json!({
                    "type": "object", "additionalProperties": false, "required": ["year", "id"],
                    "properties": {
                        "id": { "type": "string", "format": "uuid" }, "year": { "type": "integer" },
                        "vin": { "type": ["string", "null"] },
                    },
                }),
            ),
            (json!({ "type": "null" }), json!({ "type": "null" })),
        ] {
            assert_eq!(schema(&short, written), long, "{short}");
        }
    }

    #[test]
    fn an_example_is_made_of_the_examples_of_its_parts() {
        let schemas = json!({ "Car": schema(&json!({ "fields": { "year": { "of": "int", "example": 2014 } } }), &Map::new()) });
        let schemas = schemas.as_object().expect("an object");
        let list = schema(&json!("[]Car"), &Map::new());
        assert_eq!(example(&list, schemas), json!([{ "year": 2014 }]));
        assert_eq!(example(&json!({ "type": ["integer", "null"], "minimum": 5 }), schemas), json!(5));
    }
}
