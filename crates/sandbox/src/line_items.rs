//! What a checkout session sells.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing;
use crate::prices;
use crate::state::Tx;

const MAX_ITEMS: usize = 100;

/// The items of a new session, one currency, and their sum in its smallest unit.
pub(crate) struct Basket {
    pub(crate) items: Vec<Value>,
    pub(crate) currency: String,
    pub(crate) total: i64,
}

/// Reads `line_items`, each with `price` or `price_data` and a quantity.
pub(crate) fn basket(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Basket, Fault> {
    let scopes = params.items()?;
    if scopes.is_empty() {
        return Err(params.missing().into());
    }
    if scopes.len() > MAX_ITEMS {
        return Err(invalid("A session takes at most 100 line items.").param(params.path()).into());
    }
    let mut basket = Basket { items: Vec::new(), currency: String::new(), total: 0 };
    for scope in scopes {
        scope.only(&[
            "price",
            "price_data",
            "quantity",
            "adjustable_quantity",
            "dynamic_tax_rates",
            "tax_rates",
            "metadata",
        ])?;
        let price = price_of(tx, &scope)?;
        let quantity = quantity(&scope.child("quantity"))?;
        if basket.currency.is_empty() {
            basket.currency = price.text("currency").to_owned();
        } else if basket.currency != price.text("currency") {
            return Err(invalid("All line items must have the same currency.").param(scope.path()).into());
        }
        let amount = price.integer("unit_amount").checked_mul(quantity);
        let total = amount.and_then(|amount| basket.total.checked_add(amount));
        let (Some(amount), Some(total)) = (amount, total) else {
            return Err(too_large(params.path()));
        };
        basket.total = total;
        let product = tx.require(Kind::Product, price.text("product"), "product")?;
        basket.items.push(json!({
            "id": ids::object("li"),
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": price.text("currency"),
            "description": product.text("name"),
            "metadata": {},
            "price": price.json(),
            "quantity": quantity,
            // Not Stripe's: what the payment page says below the name.
            "product_description": product.get("description"),
        }));
    }
    if basket.total > 99_999_999 {
        return Err(too_large(params.path()));
    }
    if (1..50).contains(&basket.total) {
        return Err(invalid(format!(
            "The Checkout Session's total amount must convert to at least 50 cents, not {}.",
            crate::money::display(basket.total, &basket.currency)
        ))
        .code("amount_too_small")
        .into());
    }
    Ok(basket)
}

fn too_large(param: &str) -> Fault {
    invalid("The total amount must be no more than 99999999 in the currency's smallest unit.")
        .code("amount_too_large")
        .param(param)
        .into()
}

fn quantity(scope: &Scope<'_>) -> Result<i64, Fault> {
    let quantity = scope.integer()?.ok_or_else(|| Fault::from(scope.missing()))?;
    if !(1..=999_999).contains(&quantity) {
        return Err(invalid(format!("Invalid quantity: {quantity}"))
            .code("parameter_invalid_integer")
            .param(scope.path())
            .into());
    }
    Ok(quantity)
}

fn price_of(tx: &mut Tx<'_>, item: &Scope<'_>) -> Result<Document, Fault> {
    let (named, data) = (item.child("price"), item.child("price_data"));
    match (named.text()?, data.given()) {
        (Some(id), false) => {
            let price = tx.require(Kind::Price, id, named.path())?;
            if !price.flag("active") {
                return Err(invalid(format!("The price specified is inactive: {id}"))
                    .param(named.path())
                    .into());
            }
            Ok(price)
        }
        (None, true) => {
            data.only(&["currency", "unit_amount", "product", "product_data", "tax_behavior"])?;
            let currency = data.child("currency").currency()?;
            let amount = prices::unit_amount(&data)?;
            let product = prices::product_of(tx, &data)?;
            let mut price = prices::price(tx, ids::object("price"), product.id(), &currency, amount);
            // As Stripe's: a price made on the fly can't be used again.
            price.set("active", false);
            tx.insert(Kind::Price, &price, &Value::Null)?;
            Ok(price)
        }
        (None, false) => Err(named.missing().into()),
        (Some(_), true) => Err(invalid("You may only specify one of these parameters: price, price_data.")
            .param(item.path())
            .into()),
    }
}

/// The items kept beside a session.
pub(crate) fn kept(tx: &mut Tx<'_>, session: &str) -> Result<Vec<Value>, Fault> {
    Ok(tx.hidden(session)?.get("line_items").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// The items as the API shows them.
fn shown(tx: &mut Tx<'_>, session: &str) -> Result<Vec<Value>, Fault> {
    let mut items = kept(tx, session)?;
    for item in &mut items {
        if let Some(fields) = item.as_object_mut() {
            fields.remove("product_description");
        }
    }
    Ok(items)
}

fn address(session: &str) -> String {
    format!("/v1/checkout/sessions/{session}/line_items")
}

/// The list object that `expand[]=line_items` answers.
pub(crate) fn list(tx: &mut Tx<'_>, session: &str) -> Result<Value, Fault> {
    Ok(listing::whole(shown(tx, session)?, false, &address(session)))
}

/// A page of a session's items.
pub(crate) fn collection(tx: &mut Tx<'_>, session: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    tx.require(Kind::Session, session, "id")?;
    listing::slice(params, shown(tx, session)?, &address(session))
}
