//! `expand[]`: ids replaced by the objects they name (<https://docs.stripe.com/api/expanding_objects>).

use serde_json::Value;

use crate::document::Kind;
use crate::fault::{Fault, invalid};
use crate::line_items;
use crate::listing;
use crate::state::{Search, Tx};

const MAX_DEPTH: usize = 4;

/// The fields of an object that Stripe's reference calls expandable.
fn expandable(object: &str) -> &'static [&'static str] {
    match object {
        "balance_transaction" => &["source"],
        "charge" => &[
            "application",
            "application_fee",
            "balance_transaction",
            "customer",
            "failure_balance_transaction",
            "on_behalf_of",
            "payment_intent",
            "refunds",
            "review",
            "source_transfer",
            "transfer",
        ],
        "checkout.session" => &[
            "customer",
            "invoice",
            "line_items",
            "payment_intent",
            "payment_link",
            "setup_intent",
            "subscription",
        ],
        "customer" => {
            &["cash_balance", "default_source", "sources", "subscriptions", "tax_ids", "test_clock"]
        }
        "dispute" => &["charge", "payment_intent"],
        "payment_intent" => &[
            "application",
            "customer",
            "latest_charge",
            "on_behalf_of",
            "payment_method",
            "payment_record",
            "review",
            "source",
        ],
        "payment_method" => &["customer"],
        "price" => &["currency_options", "product", "tiers"],
        "product" => &["default_price", "tax_code"],
        "refund" => &[
            "balance_transaction",
            "charge",
            "customer",
            "failure_balance_transaction",
            "payment_intent",
            "payment_method",
            "source_transfer_reversal",
            "transfer_reversal",
        ],
        "setup_attempt" => &["application", "customer", "on_behalf_of", "payment_method", "setup_intent"],
        "setup_intent" => &[
            "application",
            "customer",
            "latest_attempt",
            "mandate",
            "on_behalf_of",
            "payment_method",
            "single_use_mandate",
        ],
        "transfer" => {
            &["balance_transaction", "destination", "destination_payment", "reversals", "source_transaction"]
        }
        "transfer_reversal" => {
            &["balance_transaction", "destination_payment_refund", "source_refund", "transfer"]
        }
        // Groups inside an object, such as a customer's `invoice_settings`.
        "" => &["default_payment_method", "destination", "payment_method"],
        _ => &[],
    }
}

/// Expands `path` (such as `data.payment_intent.latest_charge`) in an answer.
pub(crate) fn expand(tx: &mut Tx<'_>, body: &mut Value, path: &str) -> Result<(), Fault> {
    let segments: Vec<_> = path.split('.').collect();
    if segments.len() > MAX_DEPTH + usize::from(is_list(body)) {
        return Err(invalid("You cannot expand more than 4 levels of a property.").param("expand").into());
    }
    if is_list(body) && segments.first() != Some(&"data") {
        return Err(invalid(format!(
            "This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."
        ))
        .param("expand")
        .into());
    }
    follow(tx, body, &segments, path)
}

fn is_list(value: &Value) -> bool {
    value.get("object").and_then(Value::as_str) == Some("list")
}

fn follow(tx: &mut Tx<'_>, value: &mut Value, segments: &[&str], path: &str) -> Result<(), Fault> {
    let Some((first, rest)) = segments.split_first() else { return Ok(()) };
    // A deleted object has none of the fields of a living one.
    if value.is_null() || value.get("deleted").is_some() {
        return Ok(());
    }
    if *first == "data" && is_list(value) {
        if let Some(items) = value.get_mut("data").and_then(Value::as_array_mut) {
            for item in items {
                follow(tx, item, rest, path)?;
            }
        }
        return Ok(());
    }
    let object = value.get("object").and_then(Value::as_str).unwrap_or_default();
    let passed = !rest.is_empty() && value.get(*first).is_some_and(Value::is_object);
    if !passed && !expandable(object).contains(first) {
        return Err(invalid(format!("This property cannot be expanded ({path}).")).param("expand").into());
    }
    include(tx, value, first)?;
    let Some(field) = value.get_mut(*first) else { return Ok(()) };
    if let Some(id) = field.as_str()
        && let Some(object) = tx.find_any(id)?
    {
        *field = object;
    }
    follow(tx, field, rest, path)
}

/// Puts in the lists that an object has only when they are asked for.
fn include(tx: &mut Tx<'_>, value: &mut Value, field: &str) -> Result<(), Fault> {
    let text = |name| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = text("id");
    let included = match (text("object").as_str(), field) {
        ("checkout.session", "line_items") => line_items::list(tx, &id)?,
        ("charge", "refunds") => refunds(tx, &id)?,
        ("customer", "sources" | "subscriptions" | "tax_ids") => {
            listing::whole(Vec::new(), false, &format!("/v1/customers/{id}/{field}"))
        }
        _ => return Ok(()),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert(field.to_owned(), included);
    }
    Ok(())
}

fn refunds(tx: &mut Tx<'_>, charge: &str) -> Result<Value, Fault> {
    let (refunds, more) = tx.search(&Search::newest(Kind::Refund, "charge", charge, 10))?;
    let data = refunds.into_iter().map(crate::document::Document::into_json).collect();
    Ok(listing::whole(data, more, &format!("/v1/charges/{charge}/refunds")))
}
