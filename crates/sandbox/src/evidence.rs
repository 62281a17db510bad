//! What a platform tells the bank about a disputed payment.

use serde_json::{Map, Value, json};

use crate::disputes::Outcome;
use crate::fault::{Fault, invalid};
use crate::form::Scope;

/// Stripe's fields, texts and ids of files.
const FIELDS: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];
const LONGEST: usize = 20_000;
/// Characters of all texts together.
const LONGEST_IN_ALL: usize = 150_000;

/// No evidence yet.
pub(crate) fn blank() -> Value {
    let mut fields: Map<String, Value> =
        FIELDS.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    fields.insert("enhanced_evidence".to_owned(), json!({}));
    Value::Object(fields)
}

/// `kept` with the given fields laid over it; an empty text unsets its field.
pub(crate) fn lay_over(kept: &Value, given: &Scope<'_>) -> Result<Value, Fault> {
    given.only(&FIELDS)?;
    let mut merged = kept.clone();
    let mut length = 0;
    for field in FIELDS {
        if let Some(value) = given.child(field).optional_text(LONGEST)? {
            merged[field] = value;
        }
        length += merged.get(field).and_then(Value::as_str).map_or(0, |text| text.chars().count());
    }
    if length > LONGEST_IN_ALL {
        let message = format!("All evidence together can have up to {LONGEST_IN_ALL} characters.");
        return Err(invalid(message).param(given.path()).into());
    }
    Ok(merged)
}

/// Whether there is any.
pub(crate) fn is_given(evidence: &Value) -> bool {
    FIELDS.iter().any(|field| evidence.get(*field).is_some_and(Value::is_string))
}

/// How evidence ends a dispute at once (<https://docs.stripe.com/testing#evidence>); other texts leave it to the bank.
pub(crate) fn outcome(evidence: &Value) -> Option<Outcome> {
    match evidence.get("uncategorized_text").and_then(Value::as_str) {
        Some("winning_evidence") => Some(Outcome::Won),
        Some("losing_evidence") => Some(Outcome::Lost),
        Some("escalate_inquiry_evidence") => Some(Outcome::Escalated),
        Some(_) | None => None,
    }
}
