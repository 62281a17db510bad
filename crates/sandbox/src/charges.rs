//! Charges: each try to take the money of a payment intent.

use serde_json::{Value, json};

use crate::card::Decline;
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::Tx;

/// How a new charge stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    Succeeded,
    Pending,
    Failed(Decline),
}

/// Makes a charge for an intent and records its event.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    intent: &Document,
    method: &Document,
    standing: Standing,
) -> Result<Document, Fault> {
    let mut card = method.get("card").clone();
    if let Some(fields) = card.as_object_mut() {
        // These belong to the payment method's card, not to the charge's.
        for field in ["generated_from", "networks", "three_d_secure_usage", "display_brand"] {
            fields.remove(field);
        }
        fields.insert("network".into(), fields.get("brand").cloned().unwrap_or_default());
        fields.insert("three_d_secure".into(), Value::Null);
    }
    let id = ids::object("ch");
    let mut charge = Document::new(json!({
        "id": id,
        "object": "charge",
        "amount": intent.integer("amount"),
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": null,
        "billing_details": method.get("billing_details"),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": false,
        "created": tx.now,
        "currency": intent.text("currency"),
        "customer": intent.get("customer"),
        "description": intent.get("description"),
        "disputed": false,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": false,
        "metadata": intent.get("metadata"),
        "outcome": null,
        "paid": false,
        "payment_intent": intent.id(),
        "payment_method": method.id(),
        "payment_method_details": {"card": card, "type": "card"},
        "receipt_email": intent.get("receipt_email"),
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "shipping": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "pending",
        "transfer_data": null,
        "transfer_group": null,
    }));
    let name = match standing {
        Standing::Succeeded => {
            settle(&mut charge);
            "charge.succeeded"
        }
        Standing::Pending => "charge.pending",
        Standing::Failed(decline) => {
            decline_charge(&mut charge, decline);
            "charge.failed"
        }
    };
    tx.insert(Kind::Charge, &charge, &Value::Null)?;
    events::record(tx, name, &charge)?;
    Ok(charge)
}

fn settle(charge: &mut Document) {
    let amount = charge.integer("amount");
    charge.set("status", "succeeded");
    charge.set("paid", true);
    charge.set("captured", true);
    charge.set("amount_captured", amount);
    charge.set(
        "outcome",
        json!({
            "network_status": "approved_by_network",
            "reason": null,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }),
    );
}

fn decline_charge(charge: &mut Document, decline: Decline) {
    charge.set("status", "failed");
    charge.set("failure_code", decline.code);
    charge.set("failure_message", decline.message);
    charge.set(
        "outcome",
        json!({
            "network_status": "declined_by_network",
            "reason": decline.decline_code,
            "risk_level": "normal",
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        }),
    );
}

/// Ends a pending charge and records its event.
pub(crate) fn resolve(tx: &mut Tx<'_>, charge: &mut Document, decline: Option<Decline>) -> Result<(), Fault> {
    let name = match decline {
        None => {
            settle(charge);
            "charge.succeeded"
        }
        Some(decline) => {
            decline_charge(charge, decline);
            "charge.failed"
        }
    };
    tx.update(charge)?;
    events::record(tx, name, charge)
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(
        tx,
        params,
        Kind::Charge,
        &[Filter::Field("customer"), Filter::Field("payment_intent")],
        &[],
    )
}
