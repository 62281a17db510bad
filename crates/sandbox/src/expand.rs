//! `expand[]`: ids replaced by the objects they name (<https://docs.stripe.com/api/expanding_objects>).

use serde_json::Value;

use crate::document::Kind;
use crate::fault::{Fault, invalid};
use crate::line_items;
use crate::listing;
use crate::state::{Cursor, Search, Tx};

const MAX_DEPTH: usize = 4;
const EXPANDABLE: [&str; 11] = [
    "customer",
    "payment_intent",
    "payment_method",
    "latest_charge",
    "charge",
    "product",
    "default_source",
    "setup_intent",
    "invoice",
    "balance_transaction",
    "review",
];

/// Expands `path` (such as `data.payment_intent.latest_charge`) in an answer.
pub(crate) fn expand(tx: &mut Tx<'_>, body: &mut Value, path: &str) -> Result<(), Fault> {
    let segments: Vec<_> = path.split('.').collect();
    if segments.len() > MAX_DEPTH + 1 {
        return Err(invalid("You cannot expand more than 4 levels deep.").param("expand").into());
    }
    follow(tx, body, &segments, path)
}

fn follow(tx: &mut Tx<'_>, value: &mut Value, segments: &[&str], path: &str) -> Result<(), Fault> {
    let Some((first, rest)) = segments.split_first() else { return Ok(()) };
    if value.is_null() {
        return Ok(());
    }
    if *first == "data" && value.get("object").and_then(Value::as_str) == Some("list") {
        if let Some(items) = value.get_mut("data").and_then(Value::as_array_mut) {
            for item in items {
                follow(tx, item, rest, path)?;
            }
        }
        return Ok(());
    }
    let object = value.get("object").and_then(Value::as_str).unwrap_or_default();
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let included = match (object, *first) {
        ("checkout.session", "line_items") => Some(line_items::list(tx, &id)?),
        ("charge", "refunds") => Some(refunds(tx, &id)?),
        _ => None,
    };
    if let (Some(included), Some(fields)) = (included, value.as_object_mut()) {
        fields.insert((*first).to_owned(), included);
    } else if !EXPANDABLE.contains(first) && !value.get(*first).is_some_and(Value::is_object) {
        return Err(invalid(format!(
            "This property cannot be expanded ({path}). You may want to try expanding a different property."
        ))
        .param("expand")
        .into());
    }
    let Some(field) = value.get_mut(*first) else { return Ok(()) };
    if let Some(id) = field.as_str()
        && let Some(object) = tx.find_any(id)?
    {
        *field = object;
    }
    follow(tx, field, rest, path)
}

fn refunds(tx: &mut Tx<'_>, charge: &str) -> Result<Value, Fault> {
    let (refunds, more) = tx.search(&Search {
        kind: Kind::Refund,
        fields: vec![("charge", vec![charge.to_owned()])],
        created: Vec::new(),
        cursor: Cursor::Newest,
        limit: 10,
    })?;
    let data = refunds.into_iter().map(crate::document::Document::into_json).collect();
    Ok(listing::whole(data, more, &format!("/v1/charges/{charge}/refunds")))
}
