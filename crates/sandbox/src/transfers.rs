//! Transfers: money that the platform passes on to a connected account.

use serde_json::{Value, json};

use crate::balance::{self, Entry};
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid, no_such};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::money::display;
use crate::onboarding;
use crate::state::{Search, Tx};

/// The account that gets the money, if it can be sent any.
fn destination(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Document, Fault> {
    let id = params.child("destination").required()?;
    let Some(account) = tx.find(Kind::Account, id)?.filter(|account| !account.flag("deleted")) else {
        return Err(invalid(format!("No such destination: '{id}'"))
            .code("resource_missing")
            .param("destination")
            .into());
    };
    if !onboarding::receives(&account) {
        return Err(invalid(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, \
             crypto_transfers, legacy_payments",
        )
        .code("insufficient_capabilities_for_transfer")
        .into());
    }
    Ok(account)
}

/// The charge whose money is passed on, with enough of it left.
fn source(
    tx: &mut Tx<'_>,
    params: &Scope<'_>,
    amount: i64,
    currency: &str,
) -> Result<Option<Document>, Fault> {
    let scope = params.child("source_transaction");
    let Some(id) = scope.text()? else { return Ok(None) };
    let charge = tx.require(Kind::Charge, id, scope.path())?;
    if !charge.flag("paid") || charge.text("currency") != currency {
        return Err(invalid(
            "The source_transaction must be a successful charge in the transfer's currency.",
        )
        .param(scope.path())
        .into());
    }
    let (earlier, _) =
        tx.search(&Search::newest(Kind::Transfer, "source_transaction", id, i64::from(u16::MAX)))?;
    let passed_on: i64 =
        earlier.iter().map(|transfer| transfer.integer("amount") - transfer.integer("amount_reversed")).sum();
    let left = charge.integer("amount") - passed_on;
    if amount > left {
        return Err(invalid(format!(
            "The transfer's amount ({}) is greater than what is left of the source transaction ({}).",
            display(amount, currency),
            display(left, currency)
        ))
        .code("balance_insufficient")
        .into());
    }
    Ok(Some(charge))
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[
        "amount",
        "currency",
        "description",
        "destination",
        "metadata",
        "source_transaction",
        "source_type",
        "transfer_group",
    ])?;
    let currency = params.child("currency").currency()?;
    let account = destination(tx, params)?;
    let charge = match params.child("amount").positive()? {
        Some(amount) => source(tx, params, amount, &currency)?,
        None if params.child("source_transaction").given() => source(tx, params, 1, &currency)?,
        None => return Err(params.child("amount").missing().into()),
    };
    let whole = charge.as_ref().map(|charge| charge.integer("amount")).unwrap_or_default();
    let amount = params.child("amount").positive()?.unwrap_or(whole);
    // Money of a named charge may still be pending; any other must be there already.
    if charge.is_none() && amount > balance::available(tx, &currency)? {
        return Err(invalid(
            "You have insufficient available funds in your Stripe account. Try adding funds directly to your available \
             balance by creating Charges using the 4000003720000278 test card.",
        )
        .code("balance_insufficient")
        .into());
    }
    let id = ids::object("tr");
    let description = params.child("description").text_up_to(1_000)?;
    let available_on = match &charge {
        Some(charge) => balance::release_of(tx, charge)?,
        None => tx.now,
    };
    let entry = Entry {
        kind: "transfer",
        category: "transfer",
        amount: -amount,
        fee: 0,
        currency: &currency,
        source: &id,
        description,
        available_on,
    };
    let transaction = balance::enter(tx, &entry)?;
    let group = match (params.child("transfer_group").text_up_to(500)?, &charge) {
        (Some(group), _) => Some(group.to_owned()),
        (None, Some(charge)) => Some(
            charge.maybe("transfer_group").map_or_else(|| format!("group_{}", charge.id()), str::to_owned),
        ),
        (None, None) => None,
    };
    let kinds = ["bank_account", "card", "fpx"];
    let transfer = Document::new(json!({
        "id": id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": transaction.id(),
        "created": tx.now,
        "currency": currency,
        "description": description,
        "destination": account.id(),
        "destination_payment": ids::object("py"),
        "livemode": false,
        "metadata": params.child("metadata").metadata(&json!({}))?,
        "reversals": listing::whole(Vec::new(), false, &format!("/v1/transfers/{id}/reversals")),
        "reversed": false,
        "source_transaction": charge.as_ref().map(|charge| charge.id().to_owned()),
        "source_type": params.child("source_type").one_of(&kinds)?.unwrap_or("card"),
        "transfer_group": group,
    }));
    tx.insert(Kind::Transfer, &transfer, &Value::Null)?;
    events::record(tx, "transfer.created", &transfer)?;
    Ok(Reply::ok(transfer.into_json()))
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["description", "metadata"])?;
    let before = tx.require(Kind::Transfer, id, "id")?;
    let mut transfer = before.clone();
    if let Some(text) = params.child("description").optional_text(1_000)? {
        transfer.set("description", text);
    }
    transfer.set("metadata", params.child("metadata").metadata(transfer.get("metadata"))?);
    tx.update(&transfer)?;
    events::changed(tx, "transfer.updated", &before, &transfer)?;
    Ok(Reply::ok(transfer.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    if let Some(id) = params.child("destination").text()?
        && tx.find(Kind::Account, id)?.is_none()
    {
        return Err(no_such(Kind::Account, id, "destination").into());
    }
    listing::list(
        tx,
        params,
        Kind::Transfer,
        &[Filter::Field("destination"), Filter::Field("transfer_group")],
        &[],
    )
}
