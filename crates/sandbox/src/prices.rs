//! Prices and the products they belong to.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::products;
use crate::state::Tx;

const TAX_BEHAVIOURS: [&str; 3] = ["exclusive", "inclusive", "unspecified"];

/// A one-time price under an id that may be chosen.
pub(crate) fn price(tx: &Tx<'_>, id: String, product: &str, currency: &str, unit_amount: i64) -> Document {
    Document::new(json!({
        "id": id,
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": tx.now,
        "currency": currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": product,
        "recurring": null,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": unit_amount.to_string(),
    }))
}

/// The product that `product` or `product_data` names.
pub(crate) fn product_of(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Document, Fault> {
    let (named, data) = (params.child("product"), params.child("product_data"));
    match (named.text()?, data.given()) {
        (Some(id), false) => tx.require(Kind::Product, id, named.path()),
        (None, true) => {
            data.only(&[
                "name",
                "description",
                "images",
                "metadata",
                "tax_code",
                "unit_label",
                "statement_descriptor",
                "active",
                "id",
            ])?;
            let name = data.child("name");
            let name = name.text_up_to(250)?.ok_or_else(|| Fault::from(name.missing()))?;
            products::open(tx, name, Some(&data))
        }
        (None, false) => Err(named.missing().into()),
        (Some(_), true) => {
            Err(invalid("You may only specify one of these parameters: product, product_data.")
                .param(named.path())
                .into())
        }
    }
}

/// A price's amount: whole, not negative, at most eight digits.
pub(crate) fn unit_amount(params: &Scope<'_>) -> Result<i64, Fault> {
    let scope = params.child("unit_amount");
    let amount = scope.integer()?.ok_or_else(|| Fault::from(scope.missing()))?;
    if !(0..=99_999_999).contains(&amount) {
        return Err(invalid("Invalid non-negative integer of at most eight digits.")
            .code(if amount < 0 { "parameter_invalid_integer" } else { "amount_too_large" })
            .param(scope.path())
            .into());
    }
    Ok(amount)
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[
        "currency",
        "unit_amount",
        "product",
        "product_data",
        "nickname",
        "lookup_key",
        "metadata",
        "active",
        "tax_behavior",
    ])?;
    let currency = params.child("currency").currency()?;
    let amount = unit_amount(params)?;
    let product = product_of(tx, params)?;
    let mut price = price(tx, ids::object("price"), product.id(), &currency, amount);
    for field in ["nickname", "lookup_key"] {
        if let Some(text) = params.child(field).text_up_to(200)? {
            price.set(field, text);
        }
    }
    price.set("metadata", params.child("metadata").metadata(&json!({}))?);
    price.set("active", params.child("active").boolean()?.unwrap_or(true));
    if let Some(behaviour) = params.child("tax_behavior").one_of(&TAX_BEHAVIOURS)? {
        price.set("tax_behavior", behaviour);
    }
    tx.insert(Kind::Price, &price, &Value::Null)?;
    events::record(tx, "price.created", &price)?;
    Ok(Reply::ok(price.into_json()))
}

/// A price under an id that configuration names, made or changed by `POST /sandbox/prices`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configured {
    pub(crate) id: String,
    pub(crate) currency: String,
    pub(crate) unit_amount: i64,
    pub(crate) name: String,
}

pub(crate) fn configure(tx: &mut Tx<'_>, wanted: &Configured) -> Result<Reply, Fault> {
    let tail = wanted.id.strip_prefix("price_").unwrap_or_default();
    if tail.is_empty()
        || tail.len() > 60
        || !tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(invalid("An id is price_ and up to 60 letters, digits and underscores.")
            .param("id")
            .into());
    }
    if wanted.currency.len() != 3 || !wanted.currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(invalid("A currency is three lower-case letters.").param("currency").into());
    }
    if !(0..=99_999_999).contains(&wanted.unit_amount) {
        return Err(invalid("unit_amount is in the smallest unit, 0 to 99999999.")
            .param("unit_amount")
            .into());
    }
    if wanted.name.trim().is_empty() || wanted.name.chars().count() > 250 {
        return Err(invalid("A name has 1 to 250 characters.").param("name").into());
    }
    let known = tx.find(Kind::Price, &wanted.id)?;
    let product = products::open(tx, wanted.name.trim(), None)?;
    let price = price(tx, wanted.id.clone(), product.id(), &wanted.currency, wanted.unit_amount);
    if known.is_some() {
        tx.update(&price)?;
    } else {
        tx.insert(Kind::Price, &price, &Value::Null)?;
    }
    Ok(Reply::ok(price.into_json()))
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["active", "lookup_key", "metadata", "nickname", "tax_behavior"])?;
    let before = tx.require(Kind::Price, id, "id")?;
    let mut price = before.clone();
    for field in ["nickname", "lookup_key"] {
        if let Some(text) = params.child(field).optional_text(200)? {
            price.set(field, text);
        }
    }
    price.set("metadata", params.child("metadata").metadata(price.get("metadata"))?);
    price.set("active", params.child("active").boolean()?.unwrap_or(before.flag("active")));
    if let Some(behaviour) = params.child("tax_behavior").one_of(&TAX_BEHAVIOURS)? {
        price.set("tax_behavior", behaviour);
    }
    tx.update(&price)?;
    events::changed(tx, "price.updated", &before, &price)?;
    Ok(Reply::ok(price.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let filters = [
        Filter::Field("product"),
        Filter::Field("currency"),
        Filter::Field("type"),
        Filter::Flag("active"),
        Filter::AnyOf { param: "lookup_keys", field: "lookup_key" },
    ];
    listing::list(tx, params, Kind::Price, &filters, &[])
}
