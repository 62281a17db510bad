//! How a connected account comes to be able to receive: what it still owes, and the hosted page where its owner
//! gives that.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, invalid};
use crate::form::Scope;
use crate::page::agreed;
use crate::state::Tx;
use crate::view::{OnboardingPage, failed, html, missing, payee, see_other};
use crate::{Sandbox, accounts, ids, links};

/// Who decides what about an account.
pub(crate) struct Controller<'a> {
    dashboard: &'a str,
    fees: &'a str,
    losses: &'a str,
    requirements: &'a str,
}

impl<'a> Controller<'a> {
    /// That of an account of one of the older types.
    pub(crate) fn of(kind: &str) -> Self {
        let (dashboard, fees, losses, requirements) = match kind {
            "custom" => ("none", "application_custom", "application", "application"),
            "express" => ("express", "application_express", "application", "stripe"),
            _ => ("full", "account", "stripe", "stripe"),
        };
        Self { dashboard, fees, losses, requirements }
    }

    pub(crate) fn read(given: &Scope<'a>) -> Result<Self, Fault> {
        given.only(&["fees", "losses", "requirement_collection", "stripe_dashboard"])?;
        let part = |group: &str, name: &str, allowed: &[&str]| given.child(group).child(name).one_of(allowed);
        let both = ["application", "stripe"];
        Ok(Self {
            dashboard: part("stripe_dashboard", "type", &["express", "full", "none"])?.unwrap_or("full"),
            fees: part("fees", "payer", &["account", "application"])?.unwrap_or("account"),
            losses: part("losses", "payments", &both)?.unwrap_or("stripe"),
            requirements: given.child("requirement_collection").one_of(&both)?.unwrap_or("stripe"),
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "fees": {"payer": self.fees},
            "is_controller": true,
            "losses": {"payments": self.losses},
            "requirement_collection": self.requirements,
            "stripe_dashboard": {"type": self.dashboard},
            "type": "application",
        })
    }
}

/// What Stripe would ask for before money may pass.
const OWED: [&str; 5] =
    ["business_profile.url", "business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"];

fn owes(account: &Document, requirement: &str) -> bool {
    let banks = account.get("external_accounts").get("data").and_then(Value::as_array);
    match requirement.split_once('.') {
        Some((group, field)) => account.get(group).get(field).is_none_or(Value::is_null),
        None if requirement == "external_account" => banks.is_none_or(Vec::is_empty),
        None => account.get(requirement).is_null(),
    }
}

/// Works out from what an account has given what it owes, and so what it can do.
pub(crate) fn assess(account: &mut Document) {
    let due: Vec<&str> = OWED.into_iter().filter(|requirement| owes(account, requirement)).collect();
    let able = due.is_empty();
    let mut requirements = account.get("requirements").clone();
    for field in ["currently_due", "eventually_due", "past_due"] {
        requirements[field] = due.clone().into();
    }
    requirements["disabled_reason"] = if able { Value::Null } else { "requirements.past_due".into() };
    account.set("requirements", requirements);
    let mut capabilities = account.get("capabilities").clone();
    let mut charges = false;
    if let Some(kept) = capabilities.as_object_mut() {
        for status in kept.values_mut() {
            *status = if able { "active" } else { "inactive" }.into();
        }
        charges = able && kept.contains_key("card_payments");
    }
    account.set("capabilities", capabilities);
    account.set("charges_enabled", charges);
    account.set("payouts_enabled", able);
    account.set("details_submitted", able);
}

/// Whether an account can be sent money.
pub(crate) fn receives(account: &Document) -> bool {
    account.get("capabilities").get("transfers").and_then(Value::as_str) == Some("active")
}

/// Gives all that an account owes.
pub(crate) fn complete(account: &mut Document, now: i64) {
    let mut profile = account.get("business_profile").clone();
    if profile.get("url").is_none_or(Value::is_null) {
        profile["url"] = "https://example.com".into();
    }
    account.set("business_profile", profile);
    if account.get("business_type").is_null() {
        account.set("business_type", "individual");
    }
    if owes(account, "external_account") {
        let bank = bank(account, "000123456789", "110000000");
        set_bank(account, bank);
    }
    account.set("tos_acceptance", json!({"date": now, "ip": "127.0.0.1", "user_agent": null}));
    assess(account);
}

/// A bank account of Stripe's test numbers, or of a ready-made token.
pub(crate) fn bank_account(account: &Document, given: &Scope<'_>) -> Result<Value, Fault> {
    if let Ok(Some(token)) = given.raw() {
        if !token.starts_with("btok_") {
            return Err(invalid(format!("No such token: '{token}'"))
                .code("resource_missing")
                .param(given.path())
                .into());
        }
        return Ok(bank(account, "000123456789", "110000000"));
    }
    given.only(&[
        "account_holder_name",
        "account_holder_type",
        "account_number",
        "country",
        "currency",
        "object",
        "routing_number",
    ])?;
    let number = given.child("account_number").required()?;
    if !(4..=34).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid("The bank account number is not right.")
            .code("account_number_invalid")
            .param(given.child("account_number").path())
            .into());
    }
    Ok(bank(account, number, given.child("routing_number").text()?.unwrap_or("110000000")))
}

fn bank(account: &Document, number: &str, routing: &str) -> Value {
    let last4: String = number.chars().skip(number.chars().count().saturating_sub(4)).collect();
    json!({
        "id": ids::object("ba"),
        "object": "bank_account",
        "account": account.id(),
        "account_holder_name": null,
        "account_holder_type": null,
        "account_type": null,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": account.get("country"),
        "currency": account.get("default_currency"),
        "default_for_currency": true,
        "fingerprint": format!("sandbox{last4}"),
        "last4": last4,
        "metadata": {},
        "routing_number": routing,
        "status": "new",
    })
}

/// The account to which an account's money is paid out.
pub(crate) fn set_bank(account: &mut Document, bank: Value) {
    let mut list = account.get("external_accounts").clone();
    list["data"] = json!([bank]);
    account.set("external_accounts", list);
}

/// Where a link leads now: its page, or, when it was used or has expired, the address that makes a new one.
enum Place {
    Page(Box<Document>, String),
    Elsewhere(String),
}

fn place(tx: &mut Tx<'_>, account: &str, link: &str) -> Result<Place, Fault> {
    let link = tx.require(Kind::AccountLink, link, "id")?;
    let account = tx.require(Kind::Account, account, "id")?;
    if link.text("account") != account.id() {
        return Err(crate::fault::no_such(Kind::AccountLink, link.id(), "id").into());
    }
    let stale = link.flag("used") || link.integer("expires_at") <= tx.now || account.flag("deleted");
    Ok(if stale {
        Place::Elsewhere(link.text("refresh_url").to_owned())
    } else {
        Place::Page(Box::new(account), link.text("return_url").to_owned())
    })
}

/// `GET /sandbox/accounts/{account}/onboarding/{link}`
pub(crate) async fn form(path: Path<(String, String)>, sandbox: Data<Sandbox>) -> HttpResponse {
    let (account, link) = path.into_inner();
    let action = format!("/sandbox/accounts/{account}/onboarding/{link}");
    match sandbox.run(move |tx| place(tx, &account, &link)).await {
        Err(fault) => failed(&fault),
        Ok(Place::Elsewhere(address)) => see_other(&address),
        Ok(Place::Page(account, back)) => {
            let page = OnboardingPage {
                action,
                payee: payee(&sandbox, &back),
                account: account.maybe("email").unwrap_or(account.id()).to_owned(),
                done: account.flag("details_submitted"),
            };
            html(StatusCode::OK, &page, &[&back])
        }
    }
}

/// `POST /sandbox/accounts/{account}/onboarding/{link}`
pub(crate) async fn answer(
    path: Path<(String, String)>,
    read: Result<Bytes, actix_web::Error>,
    sandbox: Data<Sandbox>,
) -> HttpResponse {
    let (account, link) = path.into_inner();
    let done = match agreed(read) {
        Err(fault) => Err(fault),
        Ok(agreed) => {
            sandbox
                .run(move |tx| {
                    let back = match place(tx, &account, &link)? {
                        Place::Elsewhere(address) => return Ok(address),
                        Place::Page(before, back) => {
                            let mut account = (*before).clone();
                            if agreed {
                                complete(&mut account, tx.now);
                                accounts::save(tx, &before, &account)?;
                            }
                            back
                        }
                    };
                    links::use_up(tx, &link)?;
                    Ok(back)
                })
                .await
        }
    };
    match done {
        Err(fault) => failed(&fault),
        Ok(address) if address.is_empty() => missing(),
        Ok(address) => see_other(&address),
    }
}
