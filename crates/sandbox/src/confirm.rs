//! Taking the money of a payment intent: the one place where a card's behaviour decides.

use serde_json::{Value, json};

use crate::card::{Behaviour, Decline, NEEDS_CARDHOLDER, NOT_AUTHENTICATED, USED_UP};
use crate::charges::{self, Standing};
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Scope;
use crate::methods;
use crate::state::Tx;
use crate::timers;

/// Where the cardholder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// At the page, able to authenticate.
    Present,
    /// Away: an `off_session` payment.
    Absent,
    /// At the page, and has just authenticated.
    Authenticated,
}

/// A payment method that belongs to one customer can't pay for another, and one that is used up for nobody.
pub(crate) fn check_owner(tx: &mut Tx<'_>, intent: &Document, method: &Document) -> Result<(), Fault> {
    match (method.maybe("customer"), intent.maybe("customer")) {
        (None, _) => methods::require_fresh(tx, method),
        (Some(owner), Some(customer)) if owner == customer => Ok(()),
        (Some(_), Some(_)) => Err(invalid(format!(
            "The provided PaymentMethod ({}) belongs to another Customer than this PaymentIntent.",
            method.id()
        ))
        .param("payment_method")
        .into()),
        (Some(_), None) => Err(invalid(
            "The provided PaymentMethod belongs to a Customer. Please include the Customer in the `customer` parameter \
             on the PaymentIntent.",
        )
        .param("payment_method")
        .into()),
    }
}

/// Tries to take an intent's money with a payment method, and records all that follows from it. How it went
/// is the intent's `status`: `succeeded`, `processing`, `requires_action` or `requires_payment_method`.
pub(crate) fn attempt(
    tx: &mut Tx<'_>,
    intent: &mut Document,
    method: &Document,
    presence: Presence,
) -> Result<(), Fault> {
    intent.set("payment_method", method.id());
    intent.set("next_action", Value::Null);
    let (card, agreed) = methods::test_card(tx, method.id())?;
    match (card.behaviour, presence) {
        (Behaviour::Declines(decline), _) => decline_intent(tx, intent, method, decline),
        (Behaviour::AuthenticatesOnce | Behaviour::AuthenticatesAlways, Presence::Present) => ask(tx, intent),
        (Behaviour::AuthenticatesAlways, Presence::Absent) => {
            decline_intent(tx, intent, method, NEEDS_CARDHOLDER)
        }
        (Behaviour::AuthenticatesOnce, Presence::Absent) if !agreed => {
            decline_intent(tx, intent, method, NEEDS_CARDHOLDER)
        }
        (Behaviour::PaysLater | Behaviour::FailsLater, _) => process(tx, intent, method),
        (
            Behaviour::Pays
            | Behaviour::AuthenticatesOnce
            | Behaviour::AuthenticatesAlways
            | Behaviour::RefundsLater
            | Behaviour::RefundFails
            | Behaviour::Disputes(_)
            | Behaviour::PaysAvailable,
            _,
        ) => {
            if presence == Presence::Authenticated && intent.maybe("setup_future_usage").is_some() {
                methods::agree(tx, method.id())?;
            }
            let charge = charges::open(tx, intent, method, Standing::Succeeded)?;
            succeed(tx, intent, &charge)
        }
    }
}

fn ask(tx: &mut Tx<'_>, intent: &mut Document) -> Result<(), Fault> {
    intent.set("status", "requires_action");
    intent.set("last_payment_error", Value::Null);
    tx.update(intent)?;
    events::record(tx, "payment_intent.requires_action", intent)
}

fn process(tx: &mut Tx<'_>, intent: &mut Document, method: &Document) -> Result<(), Fault> {
    let charge = charges::open(tx, intent, method, Standing::Pending)?;
    intent.set("status", "processing");
    intent.set("latest_charge", charge.id());
    intent.set("last_payment_error", Value::Null);
    keep_method(tx, intent)?;
    tx.update(intent)?;
    timers::set(tx, timers::Due::SettleIntent, intent.id())?;
    events::record(tx, "payment_intent.processing", intent)
}

/// Ends a payment that was processing; tells whether it was paid.
pub(crate) fn settle(tx: &mut Tx<'_>, intent: &mut Document) -> Result<bool, Fault> {
    let charge = intent.text("latest_charge").to_owned();
    let mut charge = tx.require(Kind::Charge, &charge, "id")?;
    let method = intent.text("payment_method").to_owned();
    let method = tx.require(Kind::Method, &method, "id")?;
    let (card, _) = methods::test_card(tx, method.id())?;
    if card.behaviour == Behaviour::FailsLater {
        let decline = Decline {
            code: "processing_error",
            decline_code: Some("processing_error"),
            message: "An error occurred while processing your card. Try again in a little bit.",
        };
        charges::resolve(tx, &mut charge, Some(decline))?;
        fail(tx, intent, &method, decline, Some(charge.id()))?;
        return Ok(false);
    }
    charges::resolve(tx, &mut charge, None)?;
    succeed(tx, intent, &charge)?;
    Ok(true)
}

fn succeed(tx: &mut Tx<'_>, intent: &mut Document, charge: &Document) -> Result<(), Fault> {
    let amount = intent.integer("amount");
    intent.set("status", "succeeded");
    intent.set("amount_received", amount);
    intent.set("latest_charge", charge.id());
    intent.set("last_payment_error", Value::Null);
    keep_method(tx, intent)?;
    tx.update(intent)?;
    events::record(tx, "payment_intent.succeeded", intent)
}

/// `setup_future_usage` keeps the card with the customer. One that still belongs to nobody has paid for the only time.
fn keep_method(tx: &mut Tx<'_>, intent: &Document) -> Result<(), Fault> {
    let method = tx.require(Kind::Method, intent.text("payment_method"), "payment_method")?;
    // It may be detached while its payment is processing.
    if method.maybe("customer").is_some() || methods::is_used_up(tx, method.id())? {
        return Ok(());
    }
    match (intent.maybe("setup_future_usage"), intent.maybe("customer")) {
        (Some(_), Some(customer)) => methods::attach_to(tx, method, customer).map(drop),
        _ => methods::use_up(tx, method.id()),
    }
}

fn decline_intent(
    tx: &mut Tx<'_>,
    intent: &mut Document,
    method: &Document,
    decline: Decline,
) -> Result<(), Fault> {
    let charge = charges::open(tx, intent, method, Standing::Failed(decline))?;
    fail(tx, intent, method, decline, Some(charge.id()))
}

fn fail(
    tx: &mut Tx<'_>,
    intent: &mut Document,
    method: &Document,
    decline: Decline,
    charge: Option<&str>,
) -> Result<(), Fault> {
    let mut refusal = Refusal::new(402, "card_error", decline.message)
        .code(decline.code)
        .with("payment_method", method.json().clone());
    if let Some(code) = decline.decline_code {
        refusal = refusal.with("decline_code", code);
    }
    if let Some(charge) = charge {
        refusal = refusal.with("charge", charge);
        intent.set("latest_charge", charge);
    }
    intent.set("last_payment_error", refusal.object());
    intent.set("status", "requires_payment_method");
    intent.set("payment_method", Value::Null);
    intent.set("next_action", Value::Null);
    tx.update(intent)?;
    events::record(tx, "payment_intent.payment_failed", intent)
}

/// The cardholder answered an authentication.
pub(crate) fn authenticated(tx: &mut Tx<'_>, intent: &mut Document, agreed: bool) -> Result<(), Fault> {
    let method = tx.require(Kind::Method, intent.text("payment_method"), "payment_method")?;
    if !agreed {
        return fail(tx, intent, &method, NOT_AUTHENTICATED, None);
    }
    if methods::is_used_up(tx, method.id())? {
        return fail(tx, intent, &method, USED_UP, None);
    }
    attempt(tx, intent, &method, Presence::Authenticated)
}

/// The API's answer to a confirmation: the intent, or 402 with the decline. Either way it is committed.
pub(crate) fn reply(intent: &Document) -> Reply {
    reply_of(intent, "last_payment_error", "payment_intent")
}

/// As [`reply`], for an object that keeps its error in `field` and stands in the error under `name`.
pub(crate) fn reply_of(object: &Document, field: &str, name: &str) -> Reply {
    let declined = object.text("status") == "requires_payment_method";
    match (declined, object.get(field)) {
        (true, Value::Object(error)) => {
            let mut error = error.clone();
            error.insert(name.into(), object.json().clone());
            Reply { status: 402, body: json!({ "error": error }) }
        }
        _ => Reply::ok(object.json().clone()),
    }
}

/// Refuses payment method types other than the card, under either of their names.
pub(crate) fn card_only(params: &Scope<'_>) -> Result<(), Fault> {
    for name in ["allowed_payment_method_types", "payment_method_types"] {
        if let Some(method) = params.child(name).texts()?.into_iter().find(|method| *method != "card") {
            return Err(invalid(format!(
                "The payment method type provided: {method} is invalid. The sandbox knows card only."
            ))
            .param(name)
            .into());
        }
    }
    Ok(())
}

/// Keeps what `allowed_payment_method_types` says, when it is given.
pub(crate) fn keep_allowed(object: &mut Document, params: &Scope<'_>) -> Result<(), Fault> {
    card_only(params)?;
    let allowed = params.child("allowed_payment_method_types");
    if allowed.given() {
        object.set("allowed_payment_method_types", allowed.texts()?);
    }
    Ok(())
}
