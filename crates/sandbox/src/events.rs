//! Events: what happened, as the API lists it and as webhooks tell it.

use serde_json::{Map, Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::Tx;

/// Records that something happened to `object` and queues its webhook, inside the transaction that made it
/// happen.
pub(crate) fn record(tx: &mut Tx<'_>, name: &str, object: &Document) -> Result<(), Fault> {
    write(tx, name, json!({"object": object.json()}))
}

/// Records a change and what the changed fields were before; nothing, when nothing changed.
pub(crate) fn changed(tx: &mut Tx<'_>, name: &str, before: &Document, after: &Document) -> Result<(), Fault> {
    let previous = difference(before.json(), after.json());
    if previous.as_object().is_none_or(Map::is_empty) {
        return Ok(());
    }
    write(tx, name, json!({"object": after.json(), "previous_attributes": previous}))
}

fn write(tx: &mut Tx<'_>, name: &str, data: Value) -> Result<(), Fault> {
    let pending = tx.endpoints_for(name)?;
    let request = json!({"id": tx.origin.request, "idempotency_key": tx.origin.idempotency_key});
    let account = data.get("object").filter(|object| object.get("object") == Some(&"account".into()));
    let account = account.and_then(|account| account.get("id")).cloned();
    let mut event = Document::new(json!({
        "id": ids::object("evt"),
        "object": "event",
        "api_version": tx.settings.api_version,
        "created": tx.now,
        "data": data,
        "livemode": false,
        "pending_webhooks": pending.len() + 1,
        "request": request,
        "type": name,
    }));
    if let Some(account) = account {
        event.set("account", account);
    }
    tx.insert(Kind::Event, &event, &Value::Null)?;
    tx.delivery_insert(event.id(), &pending)
}

/// The fields of `before` that `after` has otherwise, in groups only what changed inside them; a field that is
/// new was null.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return before.clone() };
    let mut previous = Map::new();
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (old, new) = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        if old != new {
            previous.insert(name.clone(), difference(old, new));
        }
    }
    Value::Object(previous)
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(
        tx,
        params,
        Kind::Event,
        &[
            Filter::Field("type"),
            Filter::AnyOf { param: "types", field: "type" },
            Filter::Condition {
                param: "delivery_success",
                holds: "not exists (select 1 from delivery where event = document.id and state <> 'delivered')",
            },
        ],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference;

    #[test]
    fn only_what_changed_is_told_as_it_was() {
        for (before, after, wanted) in [
            (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), json!({"b": 2})),
            (
                json!({"metadata": {"x": "1", "y": "2"}}),
                json!({"metadata": {"x": "1", "z": "3"}}),
                json!({"metadata": {"y": "2", "z": null}}),
            ),
            (json!({"a": {"b": 1}}), json!({"a": null}), json!({"a": {"b": 1}})),
            (json!({"a": [1, 2]}), json!({"a": [1]}), json!({"a": [1, 2]})),
            (json!({"a": 1}), json!({"a": 1}), json!({})),
        ] {
            assert_eq!(difference(&before, &after), wanted);
        }
    }
}
