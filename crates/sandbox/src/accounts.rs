//! Connected accounts, as far as passing money on to them needs.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::events;
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing;
use crate::onboarding::{self, Controller};
use crate::state::Tx;

/// Who gets the money of the API's caller.
const PLATFORM: &str = "acct_sandbox";

/// Parameters that nothing is checked against here: the sandbox verifies nobody.
const IGNORED: [&str; 4] = ["account_token", "company", "documents", "individual"];

/// A new account without any capability, not yet stored.
fn blank(tx: &Tx<'_>, kind: &str, controller: &Controller<'_>, country: &str) -> Document {
    let id = ids::random("acct", 16);
    let nothing_due = json!({
        "alternatives": [],
        "current_deadline": null,
        "currently_due": [],
        "disabled_reason": null,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    });
    let account = json!({
        "object": "account",
        "business_profile": {
            "annual_revenue": null,
            "estimated_worker_count": null,
            "mcc": null,
            "minority_owned_business_designation": null,
            "name": null,
            "product_description": null,
            "specified_commercial_transactions_act_url": null,
            "support_address": null,
            "support_email": null,
            "support_phone": null,
            "support_url": null,
            "url": null,
        },
        "business_type": null,
        "capabilities": {},
        "charges_enabled": false,
        "controller": controller.json(),
        "country": country,
        "created": tx.now,
        "default_currency": currency_of(country),
        "details_submitted": false,
        "email": null,
        "external_accounts": listing::whole(Vec::new(), false, &format!("/v1/accounts/{id}/external_accounts")),
        "future_requirements": nothing_due,
        "id": id,
        "metadata": {},
        "payouts_enabled": false,
        "requirements": nothing_due,
        "settings": settings(),
        "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
        "type": kind,
    });
    Document::new(account)
}

fn settings() -> Value {
    json!({
        "bacs_debit_payments": {"display_name": null, "service_user_number": null},
        "branding": {"icon": null, "logo": null, "primary_color": null, "secondary_color": null},
        "card_issuing": {"tos_acceptance": {"date": null, "ip": null}},
        "card_payments": {
            "decline_on": {"avs_failure": false, "cvc_failure": false},
            "statement_descriptor_prefix": null,
            "statement_descriptor_prefix_kana": null,
            "statement_descriptor_prefix_kanji": null,
        },
        "dashboard": {"display_name": null, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": null, "hosted_payment_method_save": "offer"},
        "payments": {
            "statement_descriptor": null,
            "statement_descriptor_kana": null,
            "statement_descriptor_kanji": null,
            "statement_descriptor_prefix_kana": null,
            "statement_descriptor_prefix_kanji": null,
        },
        "payouts": {
            "debit_negative_balances": false,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": null,
        },
        "sepa_debit_payments": {},
    })
}

fn currency_of(country: &str) -> &'static str {
    match country {
        "US" => "usd",
        "GB" => "gbp",
        "CA" => "cad",
        "AU" => "aud",
        "NZ" => "nzd",
        "JP" => "jpy",
        "CH" => "chf",
        "SE" => "sek",
        "NO" => "nok",
        "DK" => "dkk",
        _ => "eur",
    }
}

/// Lays the given texts, flags and numbers over a group whose fields are known.
fn lay_over(kept: &mut Value, given: &Scope<'_>) -> Result<(), Fault> {
    let Some(fields) = kept.as_object_mut() else { return Ok(()) };
    let known: Vec<String> = fields.keys().cloned().collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    given.only(&known)?;
    for (name, scope) in given.parts()? {
        let Some(field) = fields.get_mut(name) else { continue };
        match field {
            Value::Object(_) => lay_over(field, &scope)?,
            Value::Bool(_) => *field = scope.boolean()?.into(),
            Value::Number(_) => *field = scope.integer()?.into(),
            Value::Null | Value::String(_) | Value::Array(_) => {
                *field = scope.optional_text(5_000)?.unwrap_or_default();
            }
        }
    }
    Ok(())
}

fn fill(account: &mut Document, params: &Scope<'_>) -> Result<(), Fault> {
    if let Some(email) = params.child("email").email()? {
        account.set("email", email);
    }
    let kinds = ["company", "government_entity", "individual", "non_profit"];
    if let Some(kind) = params.child("business_type").one_of(&kinds)? {
        account.set("business_type", kind);
    }
    for group in ["business_profile", "settings"] {
        let mut kept = account.get(group).clone();
        lay_over(&mut kept, &params.child(group))?;
        account.set(group, kept);
    }
    let accepted = params.child("tos_acceptance");
    accepted.only(&["date", "ip", "user_agent", "service_agreement"])?;
    if accepted.given() {
        account.set(
            "tos_acceptance",
            json!({
                "date": accepted.child("date").integer()?,
                "ip": accepted.child("ip").text()?,
                "user_agent": accepted.child("user_agent").text()?,
            }),
        );
    }
    let mut capabilities = account.get("capabilities").clone();
    for (name, scope) in params.child("capabilities").parts()? {
        scope.only(&["requested"])?;
        match (scope.child("requested").boolean()?, capabilities.as_object_mut()) {
            (Some(true), Some(kept)) => {
                kept.entry(name).or_insert_with(|| "inactive".into());
            }
            (Some(false), Some(kept)) => {
                kept.remove(name);
            }
            (_, None) | (None, Some(_)) => {}
        }
    }
    account.set("capabilities", capabilities);
    if params.child("external_account").given() {
        let bank = onboarding::bank_account(account, &params.child("external_account"))?;
        onboarding::set_bank(account, bank);
    }
    account.set("metadata", params.child("metadata").metadata(account.get("metadata"))?);
    onboarding::assess(account);
    Ok(())
}

const SHARED: [&str; 9] = [
    "business_profile",
    "business_type",
    "capabilities",
    "default_currency",
    "email",
    "external_account",
    "metadata",
    "settings",
    "tos_acceptance",
];

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = SHARED.to_vec();
    allowed.extend(IGNORED);
    allowed.extend(["type", "controller", "country"]);
    params.only(&allowed)?;
    let kind = params.child("type").one_of(&["custom", "express", "standard"])?;
    let controller = params.child("controller");
    if kind.is_some() && controller.given() {
        return Err(invalid("You may only specify one of these parameters: type, controller.")
            .param("type")
            .into());
    }
    let (kind, controller) = if controller.given() {
        ("none", Controller::read(&controller)?)
    } else {
        let kind = kind.unwrap_or("standard");
        (kind, Controller::of(kind))
    };
    let country = params.child("country").text()?.unwrap_or("US").to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(invalid(format!("Country '{country}' is unknown.")).param("country").into());
    }
    let mut account = blank(tx, kind, &controller, &country);
    if kind == "standard" {
        account.set("capabilities", json!({"card_payments": "inactive", "transfers": "inactive"}));
    }
    fill(&mut account, params)?;
    if params.child("default_currency").given() {
        account.set("default_currency", params.child("default_currency").currency()?);
    }
    tx.insert(Kind::Account, &account, &Value::Null)?;
    Ok(Reply::ok(account.into_json()))
}

/// The account, or Stripe's refusal for one that is not connected to this platform.
pub(crate) fn require_live(tx: &mut Tx<'_>, id: &str) -> Result<Document, Fault> {
    match tx.find(Kind::Account, id)?.filter(|account| !account.flag("deleted")) {
        Some(account) => Ok(account),
        None => Err(Refusal::new(
            403,
            "invalid_request_error",
            format!(
                "The provided key does not have access to account '{id}' (or that account does not exist). Application \
                 access may have been revoked."
            ),
        )
        .code("account_invalid")
        .into()),
    }
}

pub(crate) fn retrieve(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[])?;
    if id == PLATFORM { platform(tx) } else { Ok(Reply::ok(require_live(tx, id)?.into_json())) }
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    let mut allowed = SHARED.to_vec();
    allowed.extend(IGNORED);
    params.only(&allowed)?;
    let before = require_live(tx, id)?;
    let mut account = before.clone();
    fill(&mut account, params)?;
    if params.child("default_currency").given() {
        account.set("default_currency", params.child("default_currency").currency()?);
    }
    save(tx, &before, &account)?;
    Ok(Reply::ok(account.into_json()))
}

/// Stores a changed account and tells of the change.
pub(crate) fn save(tx: &mut Tx<'_>, before: &Document, account: &Document) -> Result<(), Fault> {
    tx.update(account)?;
    events::changed(tx, "account.updated", before, account)
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    require_live(tx, id)?;
    let gone = Document::new(json!({"id": id, "object": "account", "deleted": true}));
    tx.update(&gone)?;
    Ok(Reply::ok(gone.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Account, &[], &[])
}

/// The caller's own account, so that a configured key can be checked without changing anything.
pub(crate) fn platform(tx: &mut Tx<'_>) -> Result<Reply, Fault> {
    let mut account = blank(tx, "standard", &Controller::of("standard"), "US");
    account.set("id", PLATFORM);
    account.set("created", 0);
    account.set("capabilities", json!({"card_payments": "inactive", "transfers": "inactive"}));
    onboarding::complete(&mut account, 0);
    Ok(Reply::ok(account.into_json()))
}
