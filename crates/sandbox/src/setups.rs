//! Setup intents: keeping a card for later payments without taking any money.

use serde_json::{Value, json};

use crate::card::{Behaviour, Decline, NOT_AUTHENTICATED, USED_UP};
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

const REASONS: [&str; 3] = ["abandoned", "duplicate", "requested_by_customer"];

/// Parameters that change nothing here.
const IGNORED: [&str; 5] = [
    "mandate_data",
    "payment_method_configuration",
    "payment_method_options",
    "single_use",
    "use_stripe_sdk",
];

/// A new setup intent without a payment method, not yet stored.
pub(crate) fn blank(tx: &Tx<'_>, customer: Option<&str>) -> Document {
    let id = ids::object("seti");
    let secret = ids::random(&format!("{id}_secret"), 25);
    Document::new(json!({
        "id": id,
        "object": "setup_intent",
        "allowed_payment_method_types": null,
        "application": null,
        "automatic_payment_methods": null,
        "cancellation_reason": null,
        "client_secret": secret,
        "created": tx.now,
        "customer": customer,
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": null,
        "latest_attempt": null,
        "livemode": false,
        "mandate": null,
        "metadata": {},
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"mandate_options": null, "network": null, "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": null,
        "status": "requires_payment_method",
        "usage": "off_session",
    }))
}

/// Stores a new setup intent and records its event.
pub(crate) fn insert(tx: &mut Tx<'_>, setup: &Document) -> Result<(), Fault> {
    tx.insert(Kind::Setup, setup, &Value::Null)?;
    events::record(tx, "setup_intent.created", setup)
}

/// Lays the parameters that creating and updating share over a setup intent.
fn fill(tx: &mut Tx<'_>, setup: &mut Document, params: &Scope<'_>) -> Result<(), Fault> {
    if let Some(customer) = params.child("customer").text()? {
        let customer = customers::require_live(tx, customer, "customer")?;
        setup.set("customer", customer.id());
    }
    if let Some(text) = params.child("description").optional_text(1_000)? {
        setup.set("description", text);
    }
    setup.set("metadata", params.child("metadata").metadata(setup.get("metadata"))?);
    confirm::keep_allowed(setup, params)?;
    if let Some(method) = params.child("payment_method").text()? {
        let method = methods::resolve(tx, method, "payment_method")?;
        confirm::check_owner(tx, setup, &method)?;
        setup.set("payment_method", method.id());
        setup.set("status", "requires_confirmation");
    }
    Ok(())
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = vec![
        "allowed_payment_method_types",
        "automatic_payment_methods",
        "confirm",
        "customer",
        "description",
        "metadata",
        "payment_method",
        "payment_method_types",
        "return_url",
        "usage",
    ];
    allowed.extend(IGNORED);
    params.only(&allowed)?;
    let mut setup = blank(tx, None);
    fill(tx, &mut setup, params)?;
    if let Some(usage) = params.child("usage").one_of(&["off_session", "on_session"])? {
        setup.set("usage", usage);
    }
    if params.child("automatic_payment_methods").child("enabled").boolean()? == Some(true) {
        setup.set("automatic_payment_methods", json!({"allow_redirects": "always", "enabled": true}));
    }
    let confirm = params.child("confirm").boolean()?.unwrap_or(false);
    if !confirm && params.child("return_url").given() {
        return Err(invalid("You can't pass return_url unless confirm is true.").param("return_url").into());
    }
    insert(tx, &setup)?;
    if confirm { confirm_now(tx, setup, params) } else { Ok(Reply::ok(setup.into_json())) }
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = vec!["customer", "description", "metadata", "payment_method", "payment_method_types"];
    allowed.extend(IGNORED);
    params.only(&allowed)?;
    let mut setup = tx.require(Kind::Setup, id, "id")?;
    let given = |name: &str| params.child(name).given();
    if (given("customer") || given("payment_method")) && !is_open(&setup) {
        return Err(unexpected(&setup, "You cannot update this SetupIntent").into());
    }
    fill(tx, &mut setup, params)?;
    tx.update(&setup)?;
    Ok(Reply::ok(setup.into_json()))
}

/// Whether a setup intent still waits for someone.
pub(crate) fn is_open(setup: &Document) -> bool {
    matches!(setup.text("status"), "requires_payment_method" | "requires_confirmation" | "requires_action")
}

fn unexpected(setup: &Document, what: &str) -> Refusal {
    invalid(format!("{what} because it has a status of {}.", setup.text("status")))
        .code("setup_intent_unexpected_state")
        .with("setup_intent", setup.json().clone())
}

pub(crate) fn confirm(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = vec!["client_secret", "payment_method", "return_url"];
    allowed.extend(IGNORED);
    params.only(&allowed)?;
    let setup = tx.require(Kind::Setup, id, "id")?;
    if !is_open(&setup) {
        return Err(unexpected(&setup, "You cannot confirm this SetupIntent").into());
    }
    confirm_now(tx, setup, params)
}

fn confirm_now(tx: &mut Tx<'_>, mut setup: Document, params: &Scope<'_>) -> Result<Reply, Fault> {
    let method = match (params.child("payment_method").text()?, setup.maybe("payment_method")) {
        // What creating has resolved already is not resolved again: a ready-made name makes a new card each time.
        (Some(id), None) => methods::resolve(tx, id, "payment_method")?,
        (Some(id), Some(known)) if crate::card::by_alias(id).is_none() && id != known => {
            methods::resolve(tx, id, "payment_method")?
        }
        (_, Some(known)) => tx.require(Kind::Method, known, "payment_method")?,
        (None, None) => {
            return Err(invalid(
                "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent \
                 with a payment method and then confirm it again, or confirm it directly with one.",
            )
            .code("setup_intent_unexpected_state")
            .with("setup_intent", setup.json().clone())
            .into());
        }
    };
    confirm::check_owner(tx, &setup, &method)?;
    let return_url = params.child("return_url").address()?;
    attempt(tx, &mut setup, &method, Presence::Present)?;
    if setup.text("status") == "requires_action" {
        let base = tx.settings.public_url.trim_end_matches('/');
        let address = format!("{base}/sandbox/setup_intents/{}/authenticate", setup.id());
        setup.set(
            "next_action",
            json!({"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": address}}),
        );
        tx.update(&setup)?;
    }
    Ok(confirm::reply_of(&setup, "last_setup_error", "setup_intent"))
}

/// Tries to keep a payment method, and records all that follows from it. How it went is the `status`:
/// `succeeded`, `requires_action` or `requires_payment_method`.
pub(crate) fn attempt(
    tx: &mut Tx<'_>,
    setup: &mut Document,
    method: &Document,
    presence: Presence,
) -> Result<(), Fault> {
    setup.set("payment_method", method.id());
    setup.set("next_action", Value::Null);
    let (card, _) = methods::test_card(tx, method.id())?;
    if let Behaviour::Declines(decline) = card.behaviour
        // This one can be kept, and fails only when it is charged.
        && card.alias != "pm_card_chargeCustomerFail"
    {
        return fail(tx, setup, method, decline);
    }
    let asks = matches!(card.behaviour, Behaviour::AuthenticatesOnce | Behaviour::AuthenticatesAlways);
    if asks && presence == Presence::Present {
        note_attempt(tx, setup, method, "requires_action")?;
        setup.set("status", "requires_action");
        setup.set("last_setup_error", Value::Null);
        tx.update(setup)?;
        return events::record(tx, "setup_intent.requires_action", setup);
    }
    succeed(tx, setup, method)
}

fn succeed(tx: &mut Tx<'_>, setup: &mut Document, method: &Document) -> Result<(), Fault> {
    if setup.text("usage") == "off_session" {
        methods::agree(tx, method.id())?;
    }
    if let Some(customer) = setup.maybe("customer") {
        let customer = customer.to_owned();
        methods::attach_to(tx, method.clone(), &customer)?;
    }
    note_attempt(tx, setup, method, "succeeded")?;
    setup.set("status", "succeeded");
    setup.set("last_setup_error", Value::Null);
    tx.update(setup)?;
    events::record(tx, "setup_intent.succeeded", setup)
}

fn fail(tx: &mut Tx<'_>, setup: &mut Document, method: &Document, decline: Decline) -> Result<(), Fault> {
    let mut refusal = Refusal::new(402, "card_error", decline.message)
        .code(decline.code)
        .with("payment_method", method.json().clone());
    if let Some(code) = decline.decline_code {
        refusal = refusal.with("decline_code", code);
    }
    setup.set("last_setup_error", refusal.object());
    note_attempt(tx, setup, method, "failed")?;
    setup.set("status", "requires_payment_method");
    setup.set("payment_method", Value::Null);
    setup.set("next_action", Value::Null);
    tx.update(setup)?;
    events::record(tx, "setup_intent.setup_failed", setup)
}

/// Notes how a try went. One that was waiting for the cardholder is brought to its end.
fn note_attempt(tx: &mut Tx<'_>, setup: &mut Document, method: &Document, status: &str) -> Result<(), Fault> {
    let error = if status == "failed" { setup.get("last_setup_error").clone() } else { Value::Null };
    if let Some(id) = setup.maybe("latest_attempt") {
        let mut latest = tx.require(Kind::SetupAttempt, id, "id")?;
        if latest.text("status") == "requires_action" && latest.text("payment_method") == method.id() {
            latest.set("status", status);
            latest.set("setup_error", error);
            return tx.update(&latest);
        }
    }
    let card = method.get("card");
    let of_card = |field: &str| card.get(field).cloned().unwrap_or_default();
    let attempt = Document::new(json!({
        "id": ids::object("setatt"),
        "object": "setup_attempt",
        "application": null,
        "created": tx.now,
        "customer": setup.get("customer"),
        "customer_account": null,
        "flow_directions": null,
        "livemode": false,
        "on_behalf_of": null,
        "payment_method": method.id(),
        "payment_method_details": {
            "card": {
                "brand": of_card("brand"),
                "checks": of_card("checks"),
                "country": of_card("country"),
                "exp_month": of_card("exp_month"),
                "exp_year": of_card("exp_year"),
                "fingerprint": of_card("fingerprint"),
                "funding": of_card("funding"),
                "last4": of_card("last4"),
                "network": of_card("brand"),
                "three_d_secure": null,
                "wallet": null,
            },
            "type": "card",
        },
        "setup_error": error,
        "setup_intent": setup.id(),
        "status": status,
        "usage": setup.get("usage"),
    }));
    tx.insert(Kind::SetupAttempt, &attempt, &Value::Null)?;
    setup.set("latest_attempt", attempt.id());
    Ok(())
}

/// The cardholder answered an authentication.
pub(crate) fn authenticated(tx: &mut Tx<'_>, setup: &mut Document, agreed: bool) -> Result<(), Fault> {
    let method = tx.require(Kind::Method, setup.text("payment_method"), "payment_method")?;
    if !agreed {
        let decline = Decline { code: "setup_intent_authentication_failure", ..NOT_AUTHENTICATED };
        return fail(tx, setup, &method, decline);
    }
    if methods::is_used_up(tx, method.id())? {
        return fail(tx, setup, &method, USED_UP);
    }
    attempt(tx, setup, &method, Presence::Authenticated)
}

pub(crate) fn cancel(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["cancellation_reason"])?;
    let reason = params.child("cancellation_reason").one_of(&REASONS)?;
    let mut setup = tx.require(Kind::Setup, id, "id")?;
    if !is_open(&setup) {
        return Err(unexpected(&setup, "You cannot cancel this SetupIntent").into());
    }
    abandon(tx, &mut setup, reason)?;
    Ok(Reply::ok(setup.into_json()))
}

/// Cancels a setup intent that is still open and records its event.
pub(crate) fn abandon(tx: &mut Tx<'_>, setup: &mut Document, reason: Option<&str>) -> Result<(), Fault> {
    setup.set("status", "canceled");
    setup.set("cancellation_reason", reason);
    setup.set("next_action", Value::Null);
    tx.update(setup)?;
    events::record(tx, "setup_intent.canceled", setup)
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let filters = [Filter::Of("customer", Kind::Customer), Filter::Field("payment_method")];
    listing::list(tx, params, Kind::Setup, &filters, &[])
}

/// The tries of one setup intent.
pub(crate) fn attempts(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.child("setup_intent").required()?;
    listing::list(tx, params, Kind::SetupAttempt, &[Filter::Of("setup_intent", Kind::Setup)], &[])
}
