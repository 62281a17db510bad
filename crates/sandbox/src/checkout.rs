//! Checkout sessions: what the hosted payment page sells.

use serde_json::{Value, json};

use crate::confirm;
use crate::customers;
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::intents;
use crate::line_items::{self, Basket};
use crate::listing::{self, Filter};
use crate::saved;
use crate::setups;
use crate::state::Tx;
use crate::timers::Due;

const SHORTEST: i64 = 30 * 60;
const LONGEST: i64 = 24 * 60 * 60;
/// A caller computes `expires_at` before the request arrives.
const UNDER_WAY: i64 = 60;

/// Parameters that change nothing on the sandbox's page.
const IGNORED: [&str; 25] = [
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "customer_update",
    "excluded_payment_method_types",
    "integration_identifier",
    "invoice_creation",
    "locale",
    "managed_payments",
    "name_collection",
    "origin_context",
    "payment_method_collection",
    "payment_method_options",
    "permissions",
    "phone_number_collection",
    "redirect_on_completion",
    "submit_type",
    "tax_id_collection",
    "wallet_options",
];

const READ: [&str; 17] = [
    "allowed_payment_method_types",
    "cancel_url",
    "client_reference_id",
    "currency",
    "customer",
    "customer_creation",
    "customer_email",
    "expires_at",
    "line_items",
    "metadata",
    "mode",
    "payment_intent_data",
    "payment_method_types",
    "saved_payment_method_options",
    "setup_intent_data",
    "success_url",
    "ui_mode",
];

/// What the page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Payment,
    Setup,
}

fn mode(params: &Scope<'_>) -> Result<Mode, Fault> {
    let mode = params.child("mode");
    let mode = match mode.required()? {
        "payment" => Mode::Payment,
        "setup" => Mode::Setup,
        _ => {
            return Err(invalid("The sandbox knows the modes payment and setup only.").param("mode").into());
        }
    };
    if let Some(ui) = params.child("ui_mode").text()?
        && !matches!(ui, "hosted" | "hosted_page")
    {
        return Err(invalid("The sandbox has a hosted page only.").param("ui_mode").into());
    }
    confirm::card_only(params)?;
    let foreign = match mode {
        Mode::Payment => "setup_intent_data",
        Mode::Setup => "payment_intent_data",
    };
    if params.child(foreign).given() {
        let own = if mode == Mode::Payment { "setup" } else { "payment" };
        return Err(invalid(format!("You can only use {foreign} in {own} mode.")).param(foreign).into());
    }
    if mode == Mode::Setup && params.child("line_items").given() {
        return Err(invalid("You can not pass `line_items` in `setup` mode.").param("line_items").into());
    }
    Ok(mode)
}

fn expires_at(params: &Scope<'_>, now: i64) -> Result<i64, Fault> {
    let Some(at) = params.child("expires_at").integer()? else { return Ok(now + LONGEST) };
    let refuse = |message: &str| Err(invalid(message).param("expires_at").into());
    if at < now + SHORTEST - UNDER_WAY {
        return refuse(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        );
    }
    if at > now + LONGEST + UNDER_WAY {
        return refuse(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        );
    }
    Ok(at)
}

fn check_customer(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<(Option<String>, Option<String>), Fault> {
    let email = params.child("customer_email").email()?.map(str::to_owned);
    match params.child("customer").text()? {
        Some(_) if email.is_some() => {
            Err(invalid("You may only specify one of these parameters: customer, customer_email.").into())
        }
        Some(id) => Ok((Some(customers::require_live(tx, id, "customer")?.id().to_owned()), None)),
        None => Ok((None, email)),
    }
}

/// What a session sells and how its payment is to look, checked now, so that a mistake is the creator's and not the
/// payer's; nothing, when it only keeps a card.
fn sale(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<(Basket, Value), Fault> {
    let data = params.child("payment_intent_data");
    data.only(&intents::SHARED)?;
    let mut trial = Document::new(json!({"metadata": {}}));
    intents::fill(&mut trial, &data)?;
    let basket = line_items::basket(tx, &params.child("line_items"))?;
    if params.child("currency").given() && params.child("currency").currency()? != basket.currency {
        return Err(invalid("The currency differs from that of the line items.").param("currency").into());
    }
    Ok((basket, trial.into_json()))
}

/// The setup intent of a page that only keeps a card.
fn setup(tx: &mut Tx<'_>, params: &Scope<'_>, customer: Option<&str>) -> Result<String, Fault> {
    let data = params.child("setup_intent_data");
    data.only(&["description", "metadata"])?;
    let mut setup = setups::blank(tx, customer);
    setup.set("description", data.child("description").optional_text(1_000)?.unwrap_or_default());
    setup.set("metadata", data.child("metadata").metadata(&json!({}))?);
    setups::insert(tx, &setup)?;
    Ok(setup.id().to_owned())
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = IGNORED.to_vec();
    allowed.extend(READ);
    params.only(&allowed)?;
    let mode = mode(params)?;
    let success = params.child("success_url");
    let success = success.address()?.ok_or_else(|| Fault::from(success.missing()))?;
    let cancel = params.child("cancel_url").address()?;
    let (customer, email) = check_customer(tx, params)?;
    let expires_at = expires_at(params, tx.now)?;
    let reference = params.child("client_reference_id").text_up_to(200)?;
    let metadata = params.child("metadata").metadata(&json!({}))?;
    let creation =
        params.child("customer_creation").one_of(&["always", "if_required"])?.unwrap_or("if_required");
    let id = ids::random("cs_test", 58);
    let (mut session, hidden) = match mode {
        Mode::Payment => {
            let (basket, intent) = sale(tx, params)?;
            let session = blank(tx, &id, Some(&basket));
            (session, json!({"line_items": basket.items, "intent": intent}))
        }
        Mode::Setup => {
            let mut session = blank(tx, &id, None);
            if params.child("currency").given() {
                session.set("currency", params.child("currency").currency()?);
            }
            session.set("setup_intent", setup(tx, params, customer.as_deref())?);
            (session, json!({"line_items": []}))
        }
    };
    for (field, value) in [
        ("cancel_url", Value::from(cancel)),
        ("client_reference_id", Value::from(reference)),
        ("customer", Value::from(customer.as_deref())),
        ("customer_creation", if customer.is_some() { Value::Null } else { creation.into() }),
        ("customer_email", Value::from(email.as_deref())),
        ("expires_at", expires_at.into()),
        ("metadata", metadata),
        ("success_url", success.into()),
    ] {
        session.set(field, value);
    }
    session.set("saved_payment_method_options", saved::options(params, customer.as_deref())?);
    confirm::keep_allowed(&mut session, params)?;
    let details = payer(tx, &session)?;
    session.set("customer_details", details);
    tx.insert(Kind::Session, &session, &hidden)?;
    tx.timer_set(Due::ExpireSession.name(), &id, expires_at)?;
    Ok(Reply::ok(session.into_json()))
}

/// A new session that sells a basket, or keeps a card when there is none.
fn blank(tx: &Tx<'_>, id: &str, basket: Option<&Basket>) -> Document {
    let total = basket.map(|basket| basket.total);
    let base = tx.settings.public_url.trim_end_matches('/');
    Document::new(json!({
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": null,
        "after_expiration": null,
        "allow_promotion_codes": null,
        "allowed_payment_method_types": null,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "billing_address_collection": null,
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": tx.now,
        "currency": basket.map(|basket| basket.currency.as_str()),
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null,
            "shipping_address": null,
            "submit": null,
            "terms_of_service_acceptance": null,
        },
        "customer_account": null,
        "discounts": [],
        "integration_identifier": null,
        "invoice": null,
        "invoice_creation": null,
        "livemode": false,
        "locale": null,
        "managed_payments": null,
        "mode": if basket.is_some() { "payment" } else { "setup" },
        "origin_context": null,
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": if basket.is_some() { "if_required" } else { "always" },
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": if total.unwrap_or_default() == 0 { "no_payment_required" } else { "unpaid" },
        "permissions": null,
        "phone_number_collection": {"enabled": false},
        "recovered_from": null,
        "saved_payment_method_options": null,
        "setup_intent": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": null,
        "subscription": null,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": format!("{base}/sandbox/checkout/{id}"),
        "wallet_options": null,
    }))
}

/// `customer_details` as far as they are known; null when nothing is.
pub(crate) fn payer(tx: &mut Tx<'_>, session: &Document) -> Result<Value, Fault> {
    let customer = match session.maybe("customer") {
        Some(id) => tx.find(Kind::Customer, id)?,
        None => None,
    };
    let email =
        session.maybe("customer_email").or_else(|| customer.as_ref()?.maybe("email")).map(str::to_owned);
    let name = customer.as_ref().and_then(|customer| customer.maybe("name"));
    if email.is_none() && name.is_none() {
        return Ok(Value::Null);
    }
    Ok(json!({
        "address": null,
        "business_name": null,
        "email": email,
        "individual_name": null,
        "name": name,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": null,
    }))
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["metadata"])?;
    let mut session = tx.require(Kind::Session, id, "id")?;
    session.set("metadata", params.child("metadata").metadata(session.get("metadata"))?);
    tx.update(&session)?;
    Ok(Reply::ok(session.into_json()))
}

pub(crate) fn expire(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[])?;
    let mut session = tx.require(Kind::Session, id, "id")?;
    if session.text("status") != "open" {
        return Err(invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            session.text("status")
        ))
        .into());
    }
    close(tx, &mut session)?;
    Ok(Reply::ok(session.into_json()))
}

/// A session's time has passed.
pub(crate) fn expire_due(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let mut session = tx.require(Kind::Session, id, "id")?;
    if session.text("status") == "open" { close(tx, &mut session) } else { Ok(()) }
}

fn close(tx: &mut Tx<'_>, session: &mut Document) -> Result<(), Fault> {
    if let Some(id) = session.maybe("payment_intent") {
        let mut intent = tx.require(Kind::Intent, id, "id")?;
        if intents::open_to_change(&intent) {
            intents::abandon(tx, &mut intent, Some("abandoned"))?;
        }
    }
    if let Some(id) = session.maybe("setup_intent") {
        let mut setup = tx.require(Kind::Setup, id, "id")?;
        if setups::is_open(&setup) {
            setups::abandon(tx, &mut setup, Some("abandoned"))?;
        }
    }
    session.set("status", "expired");
    session.set("url", Value::Null);
    tx.update(session)?;
    tx.timer_clear(Due::ExpireSession.name(), session.id())?;
    events::record(tx, "checkout.session.expired", session)
}

/// A session's customer has done what the page asked; its money may still be on the way.
pub(crate) fn complete(tx: &mut Tx<'_>, session: &mut Document, payment_status: &str) -> Result<(), Fault> {
    session.set("status", "complete");
    session.set("payment_status", payment_status);
    session.set("url", Value::Null);
    tx.update(session)?;
    tx.timer_clear(Due::ExpireSession.name(), session.id())?;
    events::record(tx, "checkout.session.completed", session)
}

/// The delayed payment of an intent ended; if a session sold it, the session follows.
pub(crate) fn settled(tx: &mut Tx<'_>, intent: &str, paid: bool) -> Result<(), Fault> {
    let Some(mut session) = tx.find_by(Kind::Session, "payment_intent", intent)? else { return Ok(()) };
    if !paid {
        return events::record(tx, "checkout.session.async_payment_failed", &session);
    }
    session.set("payment_status", "paid");
    tx.update(&session)?;
    events::record(tx, "checkout.session.async_payment_succeeded", &session)
}

/// Where the customer goes after paying: the success address with the session's id in it.
pub(crate) fn success_url(session: &Document) -> String {
    session
        .text("success_url")
        .replace("{CHECKOUT_SESSION_ID}", session.id())
        .replace("%7BCHECKOUT_SESSION_ID%7D", session.id())
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let filters = [
        Filter::Field("payment_intent"),
        Filter::Of("customer", Kind::Customer),
        Filter::Field("status"),
        Filter::Field("payment_link"),
        Filter::Field("subscription"),
        Filter::Part { group: "customer_details", part: "email", field: "customer_details.email" },
    ];
    listing::list(tx, params, Kind::Session, &filters, &[])
}

/// `payment_intent_data` as it was laid over a new intent when the session was made.
pub(crate) fn intent_data(tx: &mut Tx<'_>, session: &str, intent: &mut Document) -> Result<(), Fault> {
    let hidden = tx.hidden(session)?;
    let kept = hidden.get("intent").and_then(Value::as_object);
    for (field, value) in kept.into_iter().flatten() {
        intent.set(field, value.clone());
    }
    Ok(())
}
