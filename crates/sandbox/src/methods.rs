//! Payment methods: cards, alone or kept with a customer.

use serde_json::{Value, json};

use crate::card::{self, Behaviour, Entered, TestCard, USED_UP};
use crate::customers;
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::{Search, Tx};

/// The values of `allow_redisplay`.
pub(crate) const REDISPLAY: [&str; 3] = ["always", "limited", "unspecified"];

/// Makes a payment method of a checked card.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    entered: &Entered,
    email: Option<&str>,
    name: Option<&str>,
) -> Result<Document, Fault> {
    let method = Document::new(json!({
        "id": ids::object("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": {
                "city": null,
                "country": null,
                "line1": null,
                "line2": null,
                "postal_code": null,
                "state": null,
            },
            "email": email,
            "name": name,
            "phone": null,
            "tax_id": null,
        },
        "card": entered.json(),
        "created": tx.now,
        "customer": null,
        "customer_account": null,
        "livemode": false,
        "metadata": {},
        "type": "card",
    }));
    tx.insert(Kind::Method, &method, &json!({"number": entered.card.number}))?;
    Ok(method)
}

/// The payment method of this id, or a new one for the name of a ready-made one such as `pm_card_visa`.
pub(crate) fn resolve(tx: &mut Tx<'_>, id: &str, param: &str) -> Result<Document, Fault> {
    match card::by_alias(id) {
        Some(card) => {
            let entered = ready_made(tx, card);
            open(tx, &entered, None, None)
        }
        None => tx.require(Kind::Method, id, param),
    }
}

fn ready_made(tx: &Tx<'_>, card: TestCard) -> Entered {
    let (year, _) = crate::timers::year_and_month(tx.now);
    Entered { card, month: 12, year: year + 4 }
}

/// The test card behind a payment method, and whether its holder agreed to later charges.
pub(crate) fn test_card(tx: &mut Tx<'_>, id: &str) -> Result<(TestCard, bool), Fault> {
    let hidden = tx.hidden(id)?;
    let number = hidden.get("number").and_then(Value::as_str).unwrap_or_default();
    let card = card::by_number(number).ok_or_else(|| Fault::Internal(format!("{id} has no test card")))?;
    Ok((card, hidden.get("agreed").and_then(Value::as_bool).unwrap_or_default()))
}

/// Notes that the cardholder authenticated and agreed to later charges.
pub(crate) fn agree(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    note(tx, id, "agreed")
}

fn note(tx: &mut Tx<'_>, id: &str, what: &str) -> Result<(), Fault> {
    let mut hidden = tx.hidden(id)?;
    if let Some(fields) = hidden.as_object_mut() {
        fields.insert(what.into(), true.into());
    }
    tx.hide(id, &hidden)
}

/// Notes that a payment method is used up: it was detached, or it paid while it belonged to nobody. Stripe never takes
/// such a one again (<https://docs.stripe.com/api/payment_methods/detach>).
pub(crate) fn use_up(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    note(tx, id, "used_up")
}

/// Whether a payment method is used up.
pub(crate) fn is_used_up(tx: &mut Tx<'_>, id: &str) -> Result<bool, Fault> {
    Ok(tx.hidden(id)?.get("used_up").and_then(Value::as_bool).unwrap_or_default())
}

/// Refuses a payment method that is used up.
pub(crate) fn require_fresh(tx: &mut Tx<'_>, method: &Document) -> Result<(), Fault> {
    if is_used_up(tx, method.id())? {
        return Err(invalid(USED_UP.message).code(USED_UP.code).into());
    }
    Ok(())
}

/// Keeps a payment method with a customer; doing so again changes nothing.
pub(crate) fn attach_to(tx: &mut Tx<'_>, mut method: Document, customer: &str) -> Result<Document, Fault> {
    match method.maybe("customer") {
        Some(owner) if owner == customer => Ok(method),
        Some(_) => Err(invalid("The payment method you provided has already been attached to a customer.")
            .code("payment_method_unexpected_state")
            .into()),
        None => {
            require_fresh(tx, &method)?;
            method.set("customer", customer);
            tx.update(&method)?;
            events::record(tx, "payment_method.attached", &method)?;
            Ok(method)
        }
    }
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["type", "card", "billing_details", "metadata", "allow_redisplay"])?;
    let kind = params.child("type");
    if kind.required()? != "card" {
        return Err(invalid("The sandbox knows payment methods of the type card only.").param("type").into());
    }
    let card = params.child("card");
    card.only(&["number", "exp_month", "exp_year", "cvc", "token"])?;
    let entered = match card.child("token").text()? {
        Some(token) => {
            let Some(card) = card::by_token(token) else {
                return Err(invalid(format!("No such token: '{token}'"))
                    .code("resource_missing")
                    .param("card[token]")
                    .into());
            };
            ready_made(tx, card)
        }
        None => typed(tx, &card)?,
    };
    let billing = params.child("billing_details");
    let (email, name) = (billing.child("email").email()?, billing.child("name").text()?);
    let mut method = open(tx, &entered, email, name)?;
    let mut details = method.get("billing_details").clone();
    if billing.child("address").given() {
        details["address"] = billing.child("address").postal_address()?;
    }
    details["phone"] = billing.child("phone").optional_text(20)?.unwrap_or_default();
    method.set("billing_details", details);
    if let Some(choice) = params.child("allow_redisplay").one_of(&REDISPLAY)? {
        method.set("allow_redisplay", choice);
    }
    method.set("metadata", params.child("metadata").metadata(&json!({}))?);
    tx.update(&method)?;
    Ok(Reply::ok(method.into_json()))
}

fn typed(tx: &Tx<'_>, card: &Scope<'_>) -> Result<Entered, Fault> {
    let number = card.child("number").required()?;
    let month = card.child("exp_month").required()?;
    let year = card.child("exp_year").required()?;
    let cvc = card.child("cvc").text()?;
    let (current_year, current_month) = crate::timers::year_and_month(tx.now);
    let digits = if number.starts_with('3') { "1234" } else { "123" };
    card::check(number, &format!("{month:0>2}/{year}"), cvc.unwrap_or(digits), current_year, current_month)
        .map_err(|mistakes| {
            let fields = [(mistakes.number, "number"), (mistakes.expiry, "exp_year"), (mistakes.cvc, "cvc")];
            let (mistake, param) = fields
                .into_iter()
                .find_map(|(mistake, field)| mistake.map(|mistake| (mistake, field)))
                .unwrap_or((
                    card::Mistake { code: "processing_error", message: "Your card was not accepted." },
                    "number",
                ));
            Refusal::new(402, "card_error", mistake.message).code(mistake.code).param(param).into()
        })
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["metadata", "allow_redisplay"])?;
    let before = tx.require(Kind::Method, id, "id")?;
    let mut method = before.clone();
    method.set("metadata", params.child("metadata").metadata(method.get("metadata"))?);
    if let Some(choice) = params.child("allow_redisplay").one_of(&REDISPLAY)? {
        method.set("allow_redisplay", choice);
    }
    tx.update(&method)?;
    events::changed(tx, "payment_method.updated", &before, &method)?;
    Ok(Reply::ok(method.into_json()))
}

pub(crate) fn attach(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["customer"])?;
    let customer = customers::require_live(tx, params.child("customer").required()?, "customer")?;
    let method = resolve(tx, id, "id")?;
    let (card, _) = test_card(tx, method.id())?;
    // Stripe checks a card when it is attached; this one fails only when it is charged.
    if let Behaviour::Declines(decline) = card.behaviour
        && card.alias != "pm_card_chargeCustomerFail"
    {
        let refusal = Refusal::new(402, "card_error", decline.message).code(decline.code);
        return Err(match decline.decline_code {
            Some(code) => refusal.with("decline_code", code).into(),
            None => refusal.into(),
        });
    }
    Ok(Reply::ok(attach_to(tx, method, customer.id())?.into_json()))
}

fn take_off(tx: &mut Tx<'_>, mut method: Document) -> Result<Document, Fault> {
    method.set("customer", Value::Null);
    tx.update(&method)?;
    use_up(tx, method.id())?;
    events::record(tx, "payment_method.detached", &method)?;
    Ok(method)
}

pub(crate) fn detach(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[])?;
    let method = tx.require(Kind::Method, id, "id")?;
    if method.maybe("customer").is_none() {
        return Err(invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        )
        .code("payment_method_unexpected_state")
        .into());
    }
    Ok(Reply::ok(take_off(tx, method)?.into_json()))
}

/// Takes all payment methods off a customer.
pub(crate) fn detach_all(tx: &mut Tx<'_>, customer: &str) -> Result<(), Fault> {
    while let Some(method) = tx.find_by(Kind::Method, "customer", customer)? {
        take_off(tx, method)?;
    }
    Ok(())
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    // Like Stripe's: without a customer there is nothing to list.
    params.child("customer").required()?;
    listing::list(
        tx,
        params,
        Kind::Method,
        &[Filter::Of("customer", Kind::Customer), Filter::Field("type"), Filter::Field("allow_redisplay")],
        &[],
    )
}

/// The payment methods kept with a customer, newest first.
pub(crate) fn of_customer(tx: &mut Tx<'_>, customer: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["type", "limit", "starting_after", "ending_before", "allow_redisplay"])?;
    customers::require_live(tx, customer, "id")?;
    let mut fields = vec![("customer", vec![customer.to_owned()])];
    for field in ["type", "allow_redisplay"] {
        if let Some(value) = params.child(field).text()? {
            fields.push((field, vec![value.to_owned()]));
        }
    }
    listing::page(tx, params, Kind::Method, fields, &format!("/v1/customers/{customer}/payment_methods"))
}

pub(crate) fn one_of_customer(
    tx: &mut Tx<'_>,
    customer: &str,
    id: &str,
    params: &Scope<'_>,
) -> Result<Reply, Fault> {
    params.only(&[])?;
    let mut search = Search::newest(Kind::Method, "customer", customer, 1);
    search.fields.push(("id", vec![id.to_owned()]));
    let (found, _) = tx.search(&search)?;
    match found.into_iter().next() {
        Some(method) => Ok(Reply::ok(method.into_json())),
        None => Err(crate::fault::no_such(Kind::Method, id, "id").into()),
    }
}
