//! Events: what happened, as the API lists it and as webhooks tell it.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::Tx;

/// Records that something happened to `object` and queues its webhook, inside the transaction that made it
/// happen.
pub(crate) fn record(tx: &mut Tx<'_>, name: &str, object: &Document) -> Result<(), Fault> {
    let event = Document::new(json!({
        "id": ids::object("evt"),
        "object": "event",
        "api_version": tx.settings.api_version,
        "created": tx.now,
        "data": {"object": object.json()},
        "livemode": false,
        "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null},
        "type": name,
    }));
    tx.insert(Kind::Event, &event, &Value::Null)?;
    tx.delivery_insert(event.id())
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(
        tx,
        params,
        Kind::Event,
        &[Filter::Field("type"), Filter::AnyOf { param: "types", field: "type" }],
        &["delivery_success"],
    )
}
