//! Payment intents: creating, reading, changing and cancelling; `confirm` takes the money.

use serde_json::{Value, json};

use crate::confirm::{self, Presence};
use crate::customers;
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::methods;
use crate::state::Tx;

/// What a new intent is to collect.
pub(crate) struct Order<'a> {
    pub(crate) amount: i64,
    pub(crate) currency: &'a str,
    pub(crate) customer: Option<&'a str>,
}

/// A new intent without a payment method, not yet stored.
pub(crate) fn blank(tx: &Tx<'_>, order: &Order<'_>) -> Document {
    let id = ids::object("pi");
    let secret = ids::random(&format!("{id}_secret"), 25);
    Document::new(json!({
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": null,
        "amount": order.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic_async",
        "client_secret": secret,
        "confirmation_method": "automatic",
        "created": tx.now,
        "currency": order.currency,
        "customer": order.customer,
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "managed_payments": null,
        "metadata": {},
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_record": null,
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "requires_payment_method",
        "transfer_data": null,
        "transfer_group": null,
    }))
}

/// Stores a new intent and records its event.
pub(crate) fn insert(tx: &mut Tx<'_>, intent: &Document) -> Result<(), Fault> {
    tx.insert(Kind::Intent, intent, &json!({}))?;
    events::record(tx, "payment_intent.created", intent)
}

/// The parameters of Stripe's that may stand in `payment_intent_data` as well.
pub(crate) const SHARED: [&str; 9] = [
    "capture_method",
    "description",
    "metadata",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];

/// Lays the shared parameters over an intent.
pub(crate) fn fill(intent: &mut Document, params: &Scope<'_>) -> Result<(), Fault> {
    for (field, max) in [
        ("description", 1_000),
        ("statement_descriptor", 22),
        ("statement_descriptor_suffix", 22),
        ("transfer_group", 500),
    ] {
        if let Some(text) = params.child(field).optional_text(max)? {
            intent.set(field, text);
        }
    }
    if let Some(email) = params.child("receipt_email").email()? {
        intent.set("receipt_email", email);
    }
    if let Some(usage) = params.child("setup_future_usage").one_of(&["on_session", "off_session"])? {
        intent.set("setup_future_usage", usage);
    }
    let capture = params.child("capture_method");
    match capture.one_of(&["automatic", "automatic_async", "manual"])? {
        Some("manual") => {
            return Err(invalid("The sandbox captures by itself; capture_method can't be manual.")
                .param(capture.path())
                .into());
        }
        Some(method) => intent.set("capture_method", method),
        None => {}
    }
    if params.child("shipping").given() {
        intent.set("shipping", params.child("shipping").shipping()?);
    }
    let metadata = params.child("metadata").metadata(intent.get("metadata"))?;
    intent.set("metadata", metadata);
    Ok(())
}

fn amount(params: &Scope<'_>, currency: &str) -> Result<Option<i64>, Fault> {
    let scope = params.child("amount");
    let Some(amount) = scope.positive()? else { return Ok(None) };
    if amount < 50 {
        let least = crate::money::display(50, currency);
        return Err(invalid(format!("Amount must be at least {least}"))
            .code("amount_too_small")
            .param(scope.path())
            .into());
    }
    if amount > 99_999_999 {
        return Err(invalid("Amount must be no more than 99999999 in the currency's smallest unit.")
            .code("amount_too_large")
            .param(scope.path())
            .into());
    }
    Ok(Some(amount))
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = SHARED.to_vec();
    allowed.extend([
        "allowed_payment_method_types",
        "amount",
        "automatic_payment_methods",
        "confirm",
        "confirmation_method",
        "currency",
        "customer",
        "error_on_requires_action",
        "off_session",
        "payment_method",
        "payment_method_options",
        "payment_method_types",
        "return_url",
        "use_stripe_sdk",
    ]);
    params.only(&allowed)?;
    let currency = params.child("currency").currency()?;
    let amount = amount(params, &currency)?.ok_or_else(|| Fault::from(params.child("amount").missing()))?;
    let customer = match params.child("customer").text()? {
        Some(id) => Some(customers::require_live(tx, id, "customer")?.id().to_owned()),
        None => None,
    };
    let order = Order { amount, currency: &currency, customer: customer.as_deref() };
    let mut intent = blank(tx, &order);
    fill(&mut intent, params)?;
    confirm::keep_allowed(&mut intent, params)?;
    if params.child("automatic_payment_methods").child("enabled").boolean()? == Some(true) {
        intent.set("automatic_payment_methods", json!({"allow_redirects": "always", "enabled": true}));
    }
    let confirm = params.child("confirm").boolean()?.unwrap_or(false);
    if !confirm && params.child("off_session").given() {
        return Err(invalid("You cannot provide off_session when confirm is not true.")
            .param("off_session")
            .into());
    }
    insert(tx, &intent)?;
    if confirm {
        return confirm_now(tx, intent, params);
    }
    if let Some(method) = params.child("payment_method").text()? {
        let method = methods::resolve(tx, method, "payment_method")?;
        confirm::check_owner(tx, &intent, &method)?;
        intent.set("payment_method", method.id());
        intent.set("status", "requires_confirmation");
        tx.update(&intent)?;
    }
    Ok(Reply::ok(intent.into_json()))
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = SHARED.to_vec();
    allowed.extend(["amount", "customer", "payment_method"]);
    params.only(&allowed)?;
    let mut intent = tx.require(Kind::Intent, id, "id")?;
    let currency = intent.text("currency").to_owned();
    if let Some(amount) = amount(params, &currency)? {
        if !open_to_change(&intent) {
            return Err(unexpected(&intent, "This PaymentIntent's amount could not be updated").into());
        }
        intent.set("amount", amount);
    }
    if let Some(customer) = params.child("customer").text()? {
        customers::require_live(tx, customer, "customer")?;
        intent.set("customer", customer);
    }
    if let Some(method) = params.child("payment_method").text()? {
        if !open_to_change(&intent) {
            return Err(
                unexpected(&intent, "This PaymentIntent's payment method could not be updated").into()
            );
        }
        let method = methods::resolve(tx, method, "payment_method")?;
        confirm::check_owner(tx, &intent, &method)?;
        intent.set("payment_method", method.id());
        intent.set("status", "requires_confirmation");
    }
    fill(&mut intent, params)?;
    tx.update(&intent)?;
    Ok(Reply::ok(intent.into_json()))
}

/// Whether an intent still waits for someone.
pub(crate) fn open_to_change(intent: &Document) -> bool {
    matches!(intent.text("status"), "requires_payment_method" | "requires_confirmation" | "requires_action")
}

/// Stripe's refusal for an intent whose status doesn't allow what was asked.
pub(crate) fn unexpected(intent: &Document, what: &str) -> Refusal {
    invalid(format!("{what} because it has a status of {}.", intent.text("status")))
        .code("payment_intent_unexpected_state")
        .with("payment_intent", intent.json().clone())
}

pub(crate) fn confirm(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[
        "error_on_requires_action",
        "off_session",
        "payment_method",
        "payment_method_options",
        "payment_method_types",
        "receipt_email",
        "return_url",
        "setup_future_usage",
        "use_stripe_sdk",
    ])?;
    let mut intent = tx.require(Kind::Intent, id, "id")?;
    if !open_to_change(&intent) {
        return Err(unexpected(&intent, "You cannot confirm this PaymentIntent").into());
    }
    if let Some(usage) = params.child("setup_future_usage").one_of(&["on_session", "off_session"])? {
        intent.set("setup_future_usage", usage);
    }
    confirm_now(tx, intent, params)
}

fn confirm_now(tx: &mut Tx<'_>, mut intent: Document, params: &Scope<'_>) -> Result<Reply, Fault> {
    let off_session = match params.child("off_session").text()? {
        None | Some("false") => false,
        // Older clients say why instead of `true`.
        Some("true" | "one_off" | "recurring") => true,
        Some(_) => return Err(invalid("Invalid off_session.").param("off_session").into()),
    };
    let method = match (params.child("payment_method").text()?, intent.maybe("payment_method")) {
        (Some(id), _) => methods::resolve(tx, id, "payment_method")?,
        (None, Some(id)) => {
            let id = id.to_owned();
            tx.require(Kind::Method, &id, "payment_method")?
        }
        (None, None) => {
            return Err(invalid(
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update \
                 the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with \
                 a payment method.",
            )
            .code("payment_intent_unexpected_state")
            .with("payment_intent", intent.json().clone())
            .into());
        }
    };
    confirm::check_owner(tx, &intent, &method)?;
    let return_url = params.child("return_url").address()?;
    let refuse_action = params.child("error_on_requires_action").boolean()?.unwrap_or(false);
    let presence = if off_session || refuse_action { Presence::Absent } else { Presence::Present };
    confirm::attempt(tx, &mut intent, &method, presence)?;
    if intent.text("status") == "requires_action" {
        let address = format!(
            "{}/sandbox/payment_intents/{}/authenticate",
            tx.settings.public_url.trim_end_matches('/'),
            intent.id()
        );
        intent.set(
            "next_action",
            json!({"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": address}}),
        );
        tx.update(&intent)?;
    }
    Ok(confirm::reply(&intent))
}

/// What is confirmed is captured by itself, so there is never anything to capture.
pub(crate) fn capture(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    let intent = tx.require(Kind::Intent, id, "id")?;
    Err(unexpected(&intent, "This PaymentIntent could not be captured").into())
}

const REASONS: [&str; 4] = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];

pub(crate) fn cancel(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["cancellation_reason"])?;
    let reason = params.child("cancellation_reason").one_of(&REASONS)?;
    let mut intent = tx.require(Kind::Intent, id, "id")?;
    if !open_to_change(&intent) {
        return Err(unexpected(&intent, "You cannot cancel this PaymentIntent").into());
    }
    abandon(tx, &mut intent, reason)?;
    Ok(Reply::ok(intent.into_json()))
}

/// Cancels an intent that is still open and records its event.
pub(crate) fn abandon(tx: &mut Tx<'_>, intent: &mut Document, reason: Option<&str>) -> Result<(), Fault> {
    intent.set("status", "canceled");
    intent.set("canceled_at", tx.now);
    intent.set("cancellation_reason", reason);
    intent.set("next_action", Value::Null);
    tx.update(intent)?;
    events::record(tx, "payment_intent.canceled", intent)
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Intent, &[Filter::Of("customer", Kind::Customer)], &[])
}
