//! Checkout sessions: what the hosted payment page sells.

use serde_json::{Value, json};

use crate::customers;
use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::intents;
use crate::line_items::{self, Basket};
use crate::listing::{self, Filter};
use crate::state::Tx;
use crate::timers::Due;

const SHORTEST: i64 = 30 * 60;
const LONGEST: i64 = 24 * 60 * 60;
/// A caller computes `expires_at` before the request arrives.
const UNDER_WAY: i64 = 60;

/// Parameters that change nothing on the sandbox's page.
const IGNORED: [&str; 27] = [
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "allowed_payment_method_types",
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
    "saved_payment_method_options",
    "submit_type",
    "tax_id_collection",
    "wallet_options",
];

const READ: [&str; 14] = [
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
    "success_url",
    "ui_mode",
];

fn check_mode(params: &Scope<'_>) -> Result<(), Fault> {
    let mode = params.child("mode");
    if mode.required()? != "payment" {
        return Err(invalid("The sandbox knows the mode payment only.").param("mode").into());
    }
    if let Some(ui) = params.child("ui_mode").text()?
        && !matches!(ui, "hosted" | "hosted_page")
    {
        return Err(invalid("The sandbox has a hosted page only.").param("ui_mode").into());
    }
    for method in params.child("payment_method_types").texts()? {
        if method != "card" {
            return Err(invalid(format!(
                "The payment method type provided: {method} is invalid. The sandbox knows card only."
            ))
            .param("payment_method_types")
            .into());
        }
    }
    Ok(())
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

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = IGNORED.to_vec();
    allowed.extend(READ);
    params.only(&allowed)?;
    check_mode(params)?;
    let success = params.child("success_url");
    let success = success.address()?.ok_or_else(|| Fault::from(success.missing()))?;
    let cancel = params.child("cancel_url").address()?;
    let (customer, email) = check_customer(tx, params)?;
    let expires_at = expires_at(params, tx.now)?;
    let reference = params.child("client_reference_id").text_up_to(200)?;
    let metadata = params.child("metadata").metadata(&json!({}))?;
    let creation =
        params.child("customer_creation").one_of(&["always", "if_required"])?.unwrap_or("if_required");
    let intent_data = params.child("payment_intent_data");
    intent_data.only(&intents::SHARED)?;
    // Checked now, so that a mistake is the creator's and not the payer's.
    let mut trial = Document::new(json!({"metadata": {}}));
    intents::fill(&mut trial, &intent_data)?;
    let basket = line_items::basket(tx, &params.child("line_items"))?;
    let id = ids::random("cs_test", 58);
    let mut session = blank(tx, &id, &basket);
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
    let details = payer(tx, &session)?;
    session.set("customer_details", details);
    tx.insert(Kind::Session, &session, &json!({"line_items": basket.items, "intent": trial.json()}))?;
    tx.timer_set(Due::ExpireSession.name(), &id, expires_at)?;
    Ok(Reply::ok(session.into_json()))
}

fn blank(tx: &Tx<'_>, id: &str, basket: &Basket) -> Document {
    let base = tx.settings.public_url.trim_end_matches('/');
    Document::new(json!({
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": null,
        "after_expiration": null,
        "allow_promotion_codes": null,
        "amount_subtotal": basket.total,
        "amount_total": basket.total,
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "billing_address_collection": null,
        "client_secret": null,
        "consent": null,
        "consent_collection": null,
        "created": tx.now,
        "currency": basket.currency,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null,
            "shipping_address": null,
            "submit": null,
            "terms_of_service_acceptance": null,
        },
        "discounts": [],
        "invoice": null,
        "invoice_creation": null,
        "livemode": false,
        "locale": null,
        "mode": "payment",
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": if basket.total == 0 { "no_payment_required" } else { "unpaid" },
        "phone_number_collection": {"enabled": false},
        "recovered_from": null,
        "saved_payment_method_options": null,
        "setup_intent": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": null,
        "subscription": null,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
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
        "email": email,
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

pub(crate) fn expire(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
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
    let filters = [Filter::Field("payment_intent"), Filter::Field("customer"), Filter::Field("status")];
    listing::list(tx, params, Kind::Session, &filters, &["customer_details", "payment_link", "subscription"])
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
