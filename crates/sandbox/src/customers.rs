//! Customers.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::methods;
use crate::state::Tx;

const FIELDS: [&str; 13] = [
    "address",
    "balance",
    "description",
    "email",
    "invoice_settings",
    "metadata",
    "name",
    "payment_method",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
    "validate",
];

/// A customer with nothing but an e-mail address and a name.
pub(crate) fn open(tx: &mut Tx<'_>, email: Option<&str>, name: Option<&str>) -> Result<Document, Fault> {
    let customer = blank(tx, email, name);
    tx.insert(Kind::Customer, &customer, &Value::Null)?;
    events::record(tx, "customer.created", &customer)?;
    Ok(customer)
}

fn blank(tx: &Tx<'_>, email: Option<&str>, name: Option<&str>) -> Document {
    Document::new(json!({
        "id": ids::random("cus", 14),
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": tx.now,
        "currency": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "discount": null,
        "email": email,
        "invoice_prefix": null,
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": false,
        "metadata": {},
        "name": name,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    }))
}

fn fill(tx: &mut Tx<'_>, customer: &mut Document, params: &Scope<'_>) -> Result<(), Fault> {
    params.only(&FIELDS)?;
    for (field, max) in [("name", 256), ("phone", 20), ("description", 350)] {
        if let Some(text) = params.child(field).optional_text(max)? {
            customer.set(field, text);
        }
    }
    let email = params.child("email");
    if email.raw()? == Some("") {
        customer.set("email", Value::Null);
    } else if let Some(text) = email.email()? {
        customer.set("email", text);
    }
    if params.child("address").given() {
        customer.set("address", params.child("address").postal_address()?);
    }
    if params.child("shipping").given() {
        customer.set("shipping", params.child("shipping").shipping()?);
    }
    if let Some(balance) = params.child("balance").integer()? {
        customer.set("balance", balance);
    }
    if params.child("preferred_locales").given() {
        customer.set("preferred_locales", params.child("preferred_locales").texts()?);
    }
    if let Some(exempt) = params.child("tax_exempt").one_of(&["none", "exempt", "reverse"])? {
        customer.set("tax_exempt", exempt);
    }
    customer.set("metadata", params.child("metadata").metadata(customer.get("metadata"))?);
    let chosen = params.child("invoice_settings").child("default_payment_method");
    if let Some(id) = chosen.text()? {
        let method = tx.require(Kind::Method, id, chosen.path())?;
        if method.maybe("customer") != Some(customer.id()) {
            return Err(invalid(format!(
                "The customer does not have a payment method with the ID {id}. The payment method must be attached to \
                 the customer."
            ))
            .code("resource_missing")
            .param(chosen.path())
            .into());
        }
        let mut settings = customer.get("invoice_settings").clone();
        settings["default_payment_method"] = id.into();
        customer.set("invoice_settings", settings);
    }
    Ok(())
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut customer = blank(tx, None, None);
    tx.insert(Kind::Customer, &customer, &Value::Null)?;
    let kept = match params.child("payment_method").text()? {
        Some(method) => Some(methods::resolve(tx, method, "payment_method")?),
        None => None,
    };
    if let Some(method) = kept {
        methods::attach_to(tx, method, customer.id())?;
    }
    fill(tx, &mut customer, params)?;
    tx.update(&customer)?;
    events::record(tx, "customer.created", &customer)?;
    Ok(Reply::ok(customer.into_json()))
}

/// A customer who has not been deleted.
pub(crate) fn require_live(tx: &mut Tx<'_>, id: &str, param: &str) -> Result<Document, Fault> {
    let customer = tx.require(Kind::Customer, id, param)?;
    if customer.flag("deleted") {
        return Err(crate::fault::no_such(Kind::Customer, id, param).into());
    }
    Ok(customer)
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    let before = require_live(tx, id, "id")?;
    let mut customer = before.clone();
    fill(tx, &mut customer, params)?;
    tx.update(&customer)?;
    events::changed(tx, "customer.updated", &before, &customer)?;
    Ok(Reply::ok(customer.into_json()))
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    let customer = require_live(tx, id, "id")?;
    methods::detach_all(tx, id)?;
    events::record(tx, "customer.deleted", &customer)?;
    let gone = Document::new(json!({
        "id": id,
        "object": "customer",
        "deleted": true,
    }));
    tx.update(&gone)?;
    Ok(Reply::ok(gone.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Customer, &[Filter::Field("email"), Filter::Field("test_clock")], &[])
}
