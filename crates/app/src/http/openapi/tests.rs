use std::collections::BTreeSet;

use super::*;

const CODES: [&str; 2] =
    [include_str!("../error/snapshots/errors.snap"), include_str!("../error/snapshots/handlers.snap")];

fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    document["paths"].as_object().expect("paths").iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods
            .iter()
            .map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    })
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let routes: BTreeSet<String> = routes::all(true)
        .list()
        .iter()
        .map(|listed| format!("{} {}", listed.method, plain(listed.path)))
        .collect();
    let written: BTreeSet<String> =
        descriptions().into_iter().flat_map(|one| one.operations.into_keys()).collect();
    let missing: Vec<_> = routes.difference(&written).collect();
    let gone: Vec<_> = written.difference(&routes).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "describe in src/http/openapi/*.json: {missing:?}; no such route any more: {gone:?}"
    );
}

#[test]
fn every_operation_has_an_id_of_its_own() {
    let document = document(true);
    let mut ids: Vec<&str> =
        operations(&document).filter_map(|(_, one)| one["operationId"].as_str()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert!(all > 0 && ids.len() == all, "{ids:?}");
}

#[test]
fn every_name_that_is_used_exists_and_every_schema_is_used() {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(name)) = map.get("$ref") {
                    found.insert(name.clone());
                }
                map.values().for_each(|one| collect(one, found));
            }
            Value::Array(list) => list.iter().for_each(|one| collect(one, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document(true);
    let mut used = BTreeSet::new();
    collect(&document, &mut used);
    for name in &used {
        assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name} is not there");
    }
    let taken = DESCRIPTIONS.concat();
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        let here = used.contains(&format!("#/components/schemas/{name}"))
            || taken.contains(&format!("\"...{name}\""));
        assert!(here, "nothing uses the schema {name}");
    }
}

#[test]
fn every_code_has_a_sentence_and_every_documented_code_exists() {
    let known: BTreeSet<&str> = CODES
        .iter()
        .flat_map(|list| list.lines())
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip_while(|word| word.parse::<u16>().is_err());
            words.next().and(words.next())
        })
        .collect();
    assert!(known.len() > 30, "{known:?}");
    let sentences: Map<String, Value> = serde_json::from_str(PROBLEMS).expect("JSON");
    for code in &known {
        assert!(sentences.contains_key(*code), "openapi/problems.json has no sentence for {code}");
    }
    let document = document(true);
    for (name, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let examples = &response["content"]["application/problem+json"]["examples"];
            for code in examples.as_object().into_iter().flat_map(Map::keys) {
                assert!(known.contains(code.as_str()), "{name} {status}: there is no code {code}");
            }
        }
    }
}

#[test]
fn what_takes_no_api_token_is_described_so() {
    let document = document(true);
    let mut without = 0;
    for (name, operation) in operations(&document).filter(|(name, _)| name.contains(" /api/")) {
        let refusals = &operation["responses"]["403"]["content"]["application/problem+json"]["examples"];
        // The name and the telephone can be changed with a token, the password and the address can't.
        let refuses = refusals["token_not_allowed"].is_object() && name != "PATCH /api/me";
        assert_eq!(operation["security"] == json!([{ "cookie": [] }]), refuses, "{name}");
        without += usize::from(refuses);
    }
    assert!(without >= 8, "{without}");
}

#[test]
fn every_part_has_operations_in_production_and_in_development() {
    for development in [false, true] {
        let document = document(development);
        let used: BTreeSet<&str> =
            operations(&document).filter_map(|(_, one)| one["tags"][0].as_str()).collect();
        let tags: BTreeSet<&str> = document["tags"]
            .as_array()
            .expect("tags")
            .iter()
            .filter_map(|tag| tag["name"].as_str())
            .collect();
        assert_eq!(used, tags, "development: {development}");
        assert_eq!(document["paths"]["/sandbox/control"].is_object(), development);
    }
}
