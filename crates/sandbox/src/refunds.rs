//! Refunds.

use serde_json::{Value, json};

use crate::card::Behaviour;
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::methods;
use crate::money::display;
use crate::state::Tx;
use crate::timers;

const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

/// The charge that a refund's parameters name, if it took money.
fn charge_of(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Document, Fault> {
    let (charge, intent) = (params.child("charge").text()?, params.child("payment_intent").text()?);
    let charge = match (charge, intent) {
        (None, None) => {
            return Err(invalid(
                "One of the following params should be provided for this request: payment_intent or charge.",
            )
            .code("parameter_missing")
            .param("payment_intent")
            .into());
        }
        (Some(charge), None) => tx.require(Kind::Charge, charge, "charge")?,
        (charge, Some(intent)) => {
            let intent = tx.require(Kind::Intent, intent, "payment_intent")?;
            if intent.text("status") != "succeeded" {
                return Err(invalid(format!(
                    "This PaymentIntent ({}) does not have a successful charge to refund.",
                    intent.id()
                ))
                .param("payment_intent")
                .into());
            }
            if charge.is_some_and(|charge| charge != intent.text("latest_charge")) {
                return Err(invalid("The charge does not belong to the PaymentIntent.")
                    .param("charge")
                    .into());
            }
            tx.require(Kind::Charge, intent.text("latest_charge"), "payment_intent")?
        }
    };
    if !charge.flag("paid") {
        return Err(invalid(format!("Charge {} did not succeed and can't be refunded.", charge.id()))
            .param("charge")
            .into());
    }
    Ok(charge)
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["amount", "charge", "instructions_email", "metadata", "payment_intent", "reason"])?;
    let mut charge = charge_of(tx, params)?;
    let currency = charge.text("currency").to_owned();
    let left = charge.integer("amount") - charge.integer("amount_refunded");
    if left == 0 {
        return Err(invalid(format!("Charge {} has already been refunded.", charge.id()))
            .code("charge_already_refunded")
            .into());
    }
    let amount = params.child("amount").integer()?.unwrap_or(left);
    if amount < 1 {
        return Err(invalid("This value must be greater than or equal to 1.")
            .code("parameter_invalid_integer")
            .param("amount")
            .into());
    }
    if amount > left {
        let what = if charge.integer("amount_refunded") == 0 {
            "charge amount"
        } else {
            "unrefunded amount on charge"
        };
        let message = format!(
            "Refund amount ({}) is greater than {what} ({})",
            display(amount, &currency),
            display(left, &currency)
        );
        return Err(invalid(message).code("amount_too_large").param("amount").into());
    }
    let reason = params.child("reason").one_of(&REASONS)?;
    let metadata = params.child("metadata").metadata(&json!({}))?;
    let (card, _) = methods::test_card(tx, charge.text("payment_method"))?;
    let status = if card.behaviour == Behaviour::RefundsLater { "pending" } else { "succeeded" };
    let refund = Document::new(json!({
        "id": ids::object("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": null,
        "charge": charge.id(),
        "created": tx.now,
        "currency": currency,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge.get("payment_intent"),
        "reason": reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": status,
        "transfer_reversal": null,
    }));
    tx.insert(Kind::Refund, &refund, &Value::Null)?;
    if matches!(card.behaviour, Behaviour::RefundsLater | Behaviour::RefundFails) {
        timers::set(tx, timers::Due::SettleRefund, refund.id())?;
    }
    let refunded = charge.integer("amount_refunded") + amount;
    charge.set("amount_refunded", refunded);
    charge.set("refunded", refunded == charge.integer("amount"));
    tx.update(&charge)?;
    events::record(tx, "refund.created", &refund)?;
    events::record(tx, "charge.refunded", &charge)?;
    Ok(Reply::ok(refund.into_json()))
}

/// Ends a refund whose card makes it wait or fail.
pub(crate) fn settle(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let mut refund = tx.require(Kind::Refund, id, "id")?;
    if refund.text("status") == "pending" {
        refund.set("status", "succeeded");
        tx.update(&refund)?;
        return events::record(tx, "refund.updated", &refund);
    }
    let mut charge = tx.require(Kind::Charge, refund.text("charge"), "id")?;
    let refunded = charge.integer("amount_refunded") - refund.integer("amount");
    charge.set("amount_refunded", refunded);
    charge.set("refunded", false);
    tx.update(&charge)?;
    refund.set("status", "failed");
    refund.set("failure_reason", "expired_or_canceled_card");
    tx.update(&refund)?;
    events::record(tx, "refund.failed", &refund)?;
    events::record(tx, "refund.updated", &refund)
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["metadata"])?;
    let mut refund = tx.require(Kind::Refund, id, "id")?;
    refund.set("metadata", params.child("metadata").metadata(refund.get("metadata"))?);
    tx.update(&refund)?;
    events::record(tx, "refund.updated", &refund)?;
    Ok(Reply::ok(refund.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Refund, &[Filter::Field("charge"), Filter::Field("payment_intent")], &[])
}
