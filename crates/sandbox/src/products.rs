//! Products: what prices are for.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid, no_such};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::Tx;

/// Parameters that are kept as they are.
const TEXTS: [(&str, usize); 4] =
    [("description", 40_000), ("statement_descriptor", 22), ("unit_label", 12), ("url", 2_048)];

/// A new product, not yet stored.
fn blank(tx: &Tx<'_>, name: &str) -> Document {
    Document::new(json!({
        "id": ids::random("prod", 14),
        "object": "product",
        "active": true,
        "created": tx.now,
        "default_price": null,
        "description": null,
        "images": [],
        "livemode": false,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": null,
        "tax_code": null,
        "tax_details": null,
        "type": "service",
        "unit_label": null,
        "updated": tx.now,
        "url": null,
    }))
}

fn fill(product: &mut Document, params: &Scope<'_>) -> Result<(), Fault> {
    for (field, max) in TEXTS {
        if let Some(text) = params.child(field).optional_text(max)? {
            product.set(field, text);
        }
    }
    for field in ["active", "shippable"] {
        if let Some(flag) = params.child(field).boolean()? {
            product.set(field, flag);
        }
    }
    let images = params.child("images");
    if images.given() {
        if images.items()?.len() > 8 {
            return Err(invalid("A product has at most 8 images.").param("images").into());
        }
        product.set("images", images.texts()?);
    }
    product.set("metadata", params.child("metadata").metadata(product.get("metadata"))?);
    Ok(())
}

/// A product with this name, for a price that comes with it.
pub(crate) fn open(tx: &mut Tx<'_>, name: &str, params: Option<&Scope<'_>>) -> Result<Document, Fault> {
    let mut product = blank(tx, name);
    if let Some(params) = params {
        fill(&mut product, params)?;
    }
    tx.insert(Kind::Product, &product, &Value::Null)?;
    Ok(product)
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[
        "active",
        "description",
        "id",
        "images",
        "metadata",
        "name",
        "shippable",
        "statement_descriptor",
        "unit_label",
        "url",
    ])?;
    let name = params.child("name");
    let name = name.text_up_to(250)?.ok_or_else(|| Fault::from(name.missing()))?;
    let mut product = blank(tx, name);
    fill(&mut product, params)?;
    if let Some(id) = params.child("id").text_up_to(60)? {
        if tx.find_any(id)?.is_some() {
            return Err(invalid(format!("Product already exists: {id}"))
                .code("resource_already_exists")
                .param("id")
                .into());
        }
        product.set("id", id);
    }
    tx.insert(Kind::Product, &product, &Value::Null)?;
    events::record(tx, "product.created", &product)?;
    Ok(Reply::ok(product.into_json()))
}

fn require_live(tx: &mut Tx<'_>, id: &str) -> Result<Document, Fault> {
    let product = tx.require(Kind::Product, id, "id")?;
    if product.flag("deleted") {
        return Err(no_such(Kind::Product, id, "id").into());
    }
    Ok(product)
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[
        "active",
        "default_price",
        "description",
        "images",
        "metadata",
        "name",
        "shippable",
        "statement_descriptor",
        "unit_label",
        "url",
    ])?;
    let before = require_live(tx, id)?;
    let mut product = before.clone();
    if let Some(name) = params.child("name").text_up_to(250)? {
        product.set("name", name);
    }
    if let Some(price) = params.child("default_price").text()? {
        let price = tx.require(Kind::Price, price, "default_price")?;
        if price.text("product") != id {
            return Err(invalid("The price belongs to another product.").param("default_price").into());
        }
        product.set("default_price", price.id());
    }
    fill(&mut product, params)?;
    if product.json() != before.json() {
        product.set("updated", tx.now);
    }
    tx.update(&product)?;
    events::changed(tx, "product.updated", &before, &product)?;
    Ok(Reply::ok(product.into_json()))
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    let product = require_live(tx, id)?;
    if tx.find_by(Kind::Price, "product", id)?.is_some() {
        return Err(invalid(
            "This product cannot be deleted because it has one or more user-created prices. Archive it instead.",
        )
        .into());
    }
    events::record(tx, "product.deleted", &product)?;
    let gone = Document::new(json!({"id": id, "object": "product", "deleted": true}));
    tx.update(&gone)?;
    Ok(Reply::ok(gone.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let filters = [
        Filter::Flag("active"),
        Filter::Flag("shippable"),
        Filter::Field("url"),
        Filter::Field("type"),
        Filter::AnyOf { param: "ids", field: "id" },
    ];
    listing::list(tx, params, Kind::Product, &filters, &[])
}
