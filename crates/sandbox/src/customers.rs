//! Customers.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::methods;
use crate::state::Tx;

const FIELDS: [&str; 12] = [
    "address",
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
        let scope = params.child(field);
        if scope.raw()? == Some("") {
            customer.set(field, Value::Null);
        } else if let Some(text) = scope.text_up_to(max)? {
            customer.set(field, text);
        }
    }
    let email = params.child("email");
    if email.raw()? == Some("") {
        customer.set("email", Value::Null);
    } else if let Some(text) = email.email()? {
        customer.set("email", text);
    }
    for field in ["address", "shipping"] {
        if params.child(field).given() {
            customer.set(field, params.child(field).json());
        }
    }
    if let Some(exempt) = params.child("tax_exempt").one_of(&["none", "exempt", "reverse"])? {
        customer.set("tax_exempt", exempt);
    }
    customer.set("metadata", params.child("metadata").metadata(customer.get("metadata"))?);
    let chosen = params.child("invoice_settings").child("default_payment_method");
    if let Some(id) = chosen.text()? {
        tx.require(Kind::Method, id, chosen.path())?;
        let mut settings = customer.get("invoice_settings").clone();
        settings["default_payment_method"] = id.into();
        customer.set("invoice_settings", settings);
    }
    Ok(())
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut customer = blank(tx, None, None);
    fill(tx, &mut customer, params)?;
    tx.insert(Kind::Customer, &customer, &Value::Null)?;
    events::record(tx, "customer.created", &customer)?;
    if let Some(method) = params.child("payment_method").text()? {
        let method = methods::resolve(tx, method, "payment_method")?;
        methods::attach_to(tx, method, customer.id())?;
    }
    Ok(Reply::ok(customer.into_json()))
}

/// The customer, who may have been deleted.
pub(crate) fn retrieve(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    Ok(Reply::ok(tx.require(Kind::Customer, id, "id")?.into_json()))
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
    let mut customer = require_live(tx, id, "id")?;
    fill(tx, &mut customer, params)?;
    tx.update(&customer)?;
    events::record(tx, "customer.updated", &customer)?;
    Ok(Reply::ok(customer.into_json()))
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    let customer = require_live(tx, id, "id")?;
    methods::detach_all(tx, id)?;
    events::record(tx, "customer.deleted", &customer)?;
    let gone = Document::new(json!({
        "id": id,
        "object": "customer",
        "created": customer.integer("created"),
        "deleted": true,
    }));
    tx.update(&gone)?;
    Ok(Reply::ok(json!({"id": id, "object": "customer", "deleted": true})))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut reply = listing::list(tx, params, Kind::Customer, &[Filter::Field("email")], &["test_clock"])?;
    if let Some(data) = reply.body.get_mut("data").and_then(Value::as_array_mut) {
        data.retain(|customer| customer.get("deleted").is_none());
    }
    Ok(reply)
}
