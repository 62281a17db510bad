//! Charges: each try to take the money of a payment intent.

use serde_json::{Value, json};

use crate::balance::{self, Entry};
use crate::card::{Behaviour, Decline};
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::methods;
use crate::state::Tx;
use crate::timers;

/// How a new charge stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    Succeeded,
    Pending,
    Failed(Decline),
}

/// The card as it was charged.
fn card_details(method: &Document, amount: i64) -> Value {
    let mut card = method.get("card").clone();
    if let Some(fields) = card.as_object_mut() {
        // These belong to the payment method's card, not to the charge's.
        for field in ["display_brand", "generated_from", "networks", "three_d_secure_usage"] {
            fields.remove(field);
        }
        fields.insert("amount_authorized".into(), amount.into());
        fields.insert("authorization_code".into(), "123456".into());
        fields.insert("network".into(), fields.get("brand").cloned().unwrap_or_default());
        for state in ["extended_authorization", "incremental_authorization", "multicapture"] {
            let status = if state == "extended_authorization" { "disabled" } else { "unavailable" };
            fields.insert(state.into(), json!({"status": status}));
        }
        let overcapture = json!({"maximum_amount_capturable": amount, "status": "unavailable"});
        fields.insert("overcapture".into(), overcapture);
        for unknown in [
            "electronic_commerce_indicator",
            "installments",
            "mandate",
            "network_token",
            "network_transaction_id",
            "three_d_secure",
            "transaction_link_id",
        ] {
            fields.insert(unknown.into(), Value::Null);
        }
    }
    card
}

/// Makes a charge for an intent and records its event.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    intent: &Document,
    method: &Document,
    standing: Standing,
) -> Result<Document, Fault> {
    let card = card_details(method, intent.integer("amount"));
    let id = ids::object("ch");
    let mut charge = Document::new(json!({
        "id": id,
        "object": "charge",
        "amount": intent.integer("amount"),
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": null,
        "billing_details": method.get("billing_details"),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": false,
        "created": tx.now,
        "currency": intent.text("currency"),
        "customer": intent.get("customer"),
        "description": intent.get("description"),
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": false,
        "metadata": intent.get("metadata"),
        "on_behalf_of": null,
        "outcome": null,
        "paid": false,
        "payment_intent": intent.id(),
        "payment_method": method.id(),
        "payment_method_details": {"card": card, "type": "card"},
        "receipt_email": intent.get("receipt_email"),
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "review": null,
        "shipping": intent.get("shipping"),
        "source": null,
        "source_transfer": null,
        "statement_descriptor": intent.get("statement_descriptor"),
        "statement_descriptor_suffix": intent.get("statement_descriptor_suffix"),
        "status": "pending",
        "transfer_data": null,
        "transfer_group": intent.get("transfer_group"),
    }));
    let name = match standing {
        Standing::Succeeded => {
            settle(tx, &mut charge)?;
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

fn settle(tx: &mut Tx<'_>, charge: &mut Document) -> Result<(), Fault> {
    let amount = charge.integer("amount");
    let (card, _) = methods::test_card(tx, charge.text("payment_method"))?;
    let at_once = matches!(card.behaviour, Behaviour::PaysAvailable | Behaviour::PaysLater);
    let entry = Entry {
        kind: "charge",
        category: "charge",
        amount,
        fee: balance::fee(amount),
        currency: charge.text("currency"),
        source: charge.id(),
        description: charge.maybe("description"),
        available_on: if at_once { tx.now } else { balance::available_on(tx.now) },
    };
    let transaction = balance::enter(tx, &entry)?;
    charge.set("balance_transaction", transaction.id());
    if matches!(card.behaviour, Behaviour::Disputes(_)) {
        timers::set(tx, timers::Due::OpenDispute, charge.id())?;
    }
    charge.set("status", "succeeded");
    charge.set("paid", true);
    charge.set("captured", true);
    charge.set("amount_captured", amount);
    charge.set(
        "outcome",
        json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "approved_by_network",
            "reason": null,
            "risk_level": "normal",
            "risk_score": 10,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }),
    );
    Ok(())
}

fn decline_charge(charge: &mut Document, decline: Decline) {
    charge.set("status", "failed");
    charge.set("failure_code", decline.code);
    charge.set("failure_message", decline.message);
    charge.set(
        "outcome",
        json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "declined_by_network",
            "reason": decline.decline_code,
            "risk_level": "normal",
            "risk_score": 10,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        }),
    );
}

/// Ends a pending charge and records its event.
pub(crate) fn resolve(tx: &mut Tx<'_>, charge: &mut Document, decline: Option<Decline>) -> Result<(), Fault> {
    let name = match decline {
        None => {
            settle(tx, charge)?;
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

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[
        "customer",
        "description",
        "fraud_details",
        "metadata",
        "receipt_email",
        "shipping",
        "transfer_group",
    ])?;
    let before = tx.require(Kind::Charge, id, "id")?;
    let mut charge = before.clone();
    if let Some(customer) = params.child("customer").text()? {
        crate::customers::require_live(tx, customer, "customer")?;
        if charge.maybe("customer").is_some_and(|owner| owner != customer) {
            return Err(invalid("The customer of this charge can't be changed.").param("customer").into());
        }
        charge.set("customer", customer);
    }
    for field in ["description", "transfer_group"] {
        if let Some(text) = params.child(field).optional_text(1_000)? {
            charge.set(field, text);
        }
    }
    if let Some(email) = params.child("receipt_email").email()? {
        charge.set("receipt_email", email);
    }
    let report = params.child("fraud_details").child("user_report");
    if let Some(report) = report.one_of(&["fraudulent", "safe"])? {
        charge.set("fraud_details", json!({"user_report": report}));
    }
    if params.child("shipping").given() {
        charge.set("shipping", params.child("shipping").shipping()?);
    }
    charge.set("metadata", params.child("metadata").metadata(charge.get("metadata"))?);
    tx.update(&charge)?;
    events::changed(tx, "charge.updated", &before, &charge)?;
    Ok(Reply::ok(charge.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(
        tx,
        params,
        Kind::Charge,
        &[
            Filter::Of("customer", Kind::Customer),
            Filter::Field("payment_intent"),
            Filter::Field("transfer_group"),
        ],
        &[],
    )
}
