//! Refunds.

use serde_json::{Value, json};

use crate::balance::{self, Entry};
use crate::card::Behaviour;
use crate::disputes;
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
    disputes::refuse_refund(tx, &charge)?;
    let left = charge.integer("amount") - charge.integer("amount_refunded");
    if left == 0 {
        return Err(invalid(format!("Charge {} has already been refunded.", charge.id()))
            .code("charge_already_refunded")
            .into());
    }
    let amount = params.child("amount").positive()?.unwrap_or(left);
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
    let before = charge.clone();
    let id = ids::object("re");
    let entry = Entry {
        kind: "refund",
        category: "refund",
        amount: -amount,
        fee: 0,
        currency: &currency,
        source: &id,
        description: charge.maybe("description"),
        available_on: balance::release_of(tx, &charge)?,
    };
    let transaction = balance::enter(tx, &entry)?;
    let mut refund = Document::new(json!({
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": transaction.id(),
        "charge": charge.id(),
        "created": tx.now,
        "currency": currency,
        "customer": charge.get("customer"),
        "customer_account": null,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge.get("payment_intent"),
        "payment_method": charge.get("payment_method"),
        "reason": reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": status,
        "transfer_reversal": null,
    }));
    if status == "pending" {
        refund.set("pending_reason", "processing");
    }
    tx.insert(Kind::Refund, &refund, &Value::Null)?;
    if matches!(card.behaviour, Behaviour::RefundsLater | Behaviour::RefundFails) {
        timers::set(tx, timers::Due::SettleRefund, refund.id())?;
    }
    let refunded = charge.integer("amount_refunded") + amount;
    charge.set("amount_refunded", refunded);
    charge.set("refunded", refunded == charge.integer("amount"));
    tx.update(&charge)?;
    events::record(tx, "refund.created", &refund)?;
    events::changed(tx, "charge.refunded", &before, &charge)?;
    Ok(Reply::ok(refund.into_json()))
}

/// Ends a refund whose card makes it wait or fail.
pub(crate) fn settle(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let before = tx.require(Kind::Refund, id, "id")?;
    let mut refund = before.clone();
    if refund.text("status") == "pending" {
        refund.set("status", "succeeded");
        refund.unset("pending_reason");
        tx.update(&refund)?;
        return events::changed(tx, "refund.updated", &before, &refund);
    }
    let mut charge = tx.require(Kind::Charge, refund.text("charge"), "id")?;
    let refunded = charge.integer("amount_refunded") - refund.integer("amount");
    charge.set("amount_refunded", refunded);
    charge.set("refunded", false);
    tx.update(&charge)?;
    let entry = Entry {
        kind: "refund_failure",
        category: "refund_failure",
        amount: refund.integer("amount"),
        fee: 0,
        currency: refund.text("currency"),
        source: refund.id(),
        description: None,
        available_on: tx.now,
    };
    let transaction = balance::enter(tx, &entry)?;
    refund.set("status", "failed");
    refund.set("failure_balance_transaction", transaction.id());
    refund.set("failure_reason", "expired_or_canceled_card");
    tx.update(&refund)?;
    events::record(tx, "refund.failed", &refund)?;
    events::changed(tx, "refund.updated", &before, &refund)
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["metadata"])?;
    let before = tx.require(Kind::Refund, id, "id")?;
    let mut refund = before.clone();
    refund.set("metadata", params.child("metadata").metadata(refund.get("metadata"))?);
    tx.update(&refund)?;
    events::changed(tx, "refund.updated", &before, &refund)?;
    Ok(Reply::ok(refund.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Refund, &[Filter::Field("charge"), Filter::Field("payment_intent")], &[])
}

/// The refunds of one charge, newest first.
pub(crate) fn of_charge(tx: &mut Tx<'_>, charge: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["limit", "starting_after", "ending_before"])?;
    tx.require(Kind::Charge, charge, "id")?;
    let fields = vec![("charge", vec![charge.to_owned()])];
    listing::page(tx, params, Kind::Refund, fields, &format!("/v1/charges/{charge}/refunds"))
}
