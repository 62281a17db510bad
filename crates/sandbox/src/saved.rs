//! Cards that are kept with a customer and offered again on the payment page.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::Fault;
use crate::form::Scope;
use crate::methods::REDISPLAY;
use crate::state::{Search, Tx};
use crate::timers;

const SWITCH: [&str; 2] = ["disabled", "enabled"];
/// The most cards that a page offers.
const OFFERED_MAX: usize = 5;
/// The most of a customer's cards that are looked at.
const READ_MAX: i64 = 100;

/// `saved_payment_method_options` of a new session; null for one without a customer that says nothing about it.
///
/// # Errors
/// A parameter that is unknown or has another value than Stripe knows.
pub(crate) fn options(params: &Scope<'_>, customer: Option<&str>) -> Result<Value, Fault> {
    let given = params.child("saved_payment_method_options");
    given.only(&["allow_redisplay_filters", "payment_method_remove", "payment_method_save"])?;
    if !given.given() && customer.is_none() {
        return Ok(Value::Null);
    }
    let mut filters = Vec::new();
    for item in given.child("allow_redisplay_filters").items()? {
        filters.extend(item.one_of(&REDISPLAY)?);
    }
    if filters.is_empty() {
        filters.push("always");
    }
    Ok(json!({
        "allow_redisplay_filters": filters,
        "payment_method_remove": given.child("payment_method_remove").one_of(&SWITCH)?.unwrap_or("disabled"),
        "payment_method_save": given.child("payment_method_save").one_of(&SWITCH)?,
    }))
}

/// The cards that the page of this session offers, the one kept last first.
///
/// # Errors
/// The storage's.
pub(crate) fn offered(tx: &mut Tx<'_>, session: &Document) -> Result<Vec<Document>, Fault> {
    let options = session.get("saved_payment_method_options");
    let filters = options.get("allow_redisplay_filters").and_then(Value::as_array);
    // Keeping a card, and confirming what is free, take none that is kept already.
    let pays = session.text("mode") == "payment" && session.integer("amount_total") > 0;
    let (Some(customer), Some(filters), true) = (session.maybe("customer"), filters, pays) else {
        return Ok(Vec::new());
    };
    let filters = filters.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut search = Search::newest(Kind::Method, "customer", customer, READ_MAX);
    search.fields.push(("allow_redisplay", filters));
    let (year, month) = timers::year_and_month(tx.now);
    let (mut found, _) = tx.search(&search)?;
    found.retain(|method| {
        let number = |field| method.get("card").get(field).and_then(Value::as_i64).unwrap_or_default();
        (number("exp_year"), number("exp_month")) >= (year, month)
    });
    found.truncate(OFFERED_MAX);
    Ok(found)
}

/// The offered card of this id; `None` when it is not offered, or not any more.
///
/// # Errors
/// The storage's.
pub(crate) fn chosen(tx: &mut Tx<'_>, session: &Document, id: &str) -> Result<Option<Document>, Fault> {
    Ok(offered(tx, session)?.into_iter().find(|method| method.id() == id))
}
