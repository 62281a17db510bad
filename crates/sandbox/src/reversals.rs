//! Reversals: money that comes back from a connected account.

use serde_json::{Value, json};

use crate::balance::{self, Entry};
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid, no_such};
use crate::form::Scope;
use crate::ids;
use crate::listing;
use crate::money::display;
use crate::state::{Search, Tx};

fn path(transfer: &str) -> String {
    format!("/v1/transfers/{transfer}/reversals")
}

pub(crate) fn create(tx: &mut Tx<'_>, transfer: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["amount", "description", "metadata", "refund_application_fee"])?;
    let before = tx.require(Kind::Transfer, transfer, "id")?;
    let mut transfer = before.clone();
    let currency = transfer.text("currency").to_owned();
    let left = transfer.integer("amount") - transfer.integer("amount_reversed");
    if left == 0 {
        return Err(invalid(format!("Transfer {} is already fully reversed.", transfer.id())).into());
    }
    let amount = params.child("amount").positive()?.unwrap_or(left);
    if amount > left {
        return Err(invalid(format!(
            "Reversal amount ({}) is greater than unreversed amount on transfer ({})",
            display(amount, &currency),
            display(left, &currency)
        ))
        .code("amount_too_large")
        .param("amount")
        .into());
    }
    let id = ids::object("trr");
    let entry = Entry {
        kind: "transfer_refund",
        category: "transfer_reversal",
        amount,
        fee: 0,
        currency: &currency,
        source: transfer.id(),
        description: params.child("description").text_up_to(1_000)?,
        available_on: tx.now,
    };
    let transaction = balance::enter(tx, &entry)?;
    let reversal = Document::new(json!({
        "id": id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": transaction.id(),
        "created": tx.now,
        "currency": currency,
        "destination_payment_refund": ids::object("pyr"),
        "metadata": params.child("metadata").metadata(&json!({}))?,
        "source_refund": null,
        "transfer": transfer.id(),
    }));
    tx.insert(Kind::Reversal, &reversal, &Value::Null)?;
    let reversed = transfer.integer("amount_reversed") + amount;
    transfer.set("amount_reversed", reversed);
    transfer.set("reversed", reversed == transfer.integer("amount"));
    include(tx, &mut transfer)?;
    events::changed(tx, "transfer.reversed", &before, &transfer)?;
    Ok(Reply::ok(reversal.into_json()))
}

/// Puts the newest reversals into their transfer.
fn include(tx: &mut Tx<'_>, transfer: &mut Document) -> Result<(), Fault> {
    let (newest, more) = tx.search(&Search::newest(Kind::Reversal, "transfer", transfer.id(), 10))?;
    let data = newest.into_iter().map(Document::into_json).collect();
    transfer.set("reversals", listing::whole(data, more, &path(transfer.id())));
    tx.update(transfer)
}

fn require(tx: &mut Tx<'_>, transfer: &str, id: &str) -> Result<Document, Fault> {
    let reversal = tx.require(Kind::Reversal, id, "id")?;
    if reversal.text("transfer") != transfer {
        return Err(no_such(Kind::Reversal, id, "id").into());
    }
    Ok(reversal)
}

pub(crate) fn retrieve(
    tx: &mut Tx<'_>,
    transfer: &str,
    id: &str,
    params: &Scope<'_>,
) -> Result<Reply, Fault> {
    params.only(&[])?;
    Ok(Reply::ok(require(tx, transfer, id)?.into_json()))
}

pub(crate) fn update(tx: &mut Tx<'_>, transfer: &str, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["metadata"])?;
    let mut reversal = require(tx, transfer, id)?;
    reversal.set("metadata", params.child("metadata").metadata(reversal.get("metadata"))?);
    tx.update(&reversal)?;
    let mut transfer = tx.require(Kind::Transfer, transfer, "id")?;
    include(tx, &mut transfer)?;
    Ok(Reply::ok(reversal.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, transfer: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["limit", "starting_after", "ending_before"])?;
    tx.require(Kind::Transfer, transfer, "id")?;
    let fields = vec![("transfer", vec![transfer.to_owned()])];
    listing::page(tx, params, Kind::Reversal, fields, &path(transfer))
}
