//! A payment on the hosted page.

use serde_json::{Value, json};

use crate::card::{self, Entered, Mistakes};
use crate::checkout;
use crate::confirm::{self, Presence};
use crate::customers;
use crate::document::{Document, Kind};
use crate::fault::Fault;
use crate::form::plausible_email;
use crate::intents::{self, Order};
use crate::methods;
use crate::saved;
use crate::setups;
use crate::state::Tx;
use crate::timers;

/// What was typed into the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// The id of a kept card, which counts while no number is typed.
    pub(crate) method: String,
    pub(crate) number: String,
    pub(crate) expiry: String,
    pub(crate) cvc: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) save: bool,
}

/// How a step on the page ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Done, now or before: on to the success address.
    Done(Box<Document>),
    /// The cardholder is to confirm.
    Authenticate,
    /// The card was declined, for this reason.
    Declined(Box<Document>, String),
    /// The kept card that was chosen is not offered any more.
    Gone(Box<Document>),
    /// Fields are wrong; the flag is about the e-mail address.
    Mistaken(Box<Document>, Mistakes, bool),
    /// The session's time has passed.
    Expired(Box<Document>),
    /// Nothing waits for a confirmation: back to the payment page.
    Restart,
}

/// Pays for a session. A session that is paid already is not charged again.
///
/// # Errors
/// `resource_missing` for an unknown session.
pub(crate) fn pay(tx: &mut Tx<'_>, id: &str, entry: &Entry) -> Result<Outcome, Fault> {
    let mut session = tx.require(Kind::Session, id, "id")?;
    match session.text("status") {
        "complete" => return Ok(Outcome::Done(Box::new(session))),
        "expired" => return Ok(Outcome::Expired(Box::new(session))),
        _ => {}
    }
    let mistyped_email = !entry.email.is_empty() && !plausible_email(&entry.email);
    let keeps_only = session.text("mode") == "setup";
    if session.integer("amount_total") == 0 && !keeps_only {
        if mistyped_email {
            return Ok(Outcome::Mistaken(Box::new(session), Mistakes::default(), true));
        }
        let needs_customer = session.text("customer_creation") == "always";
        identify(tx, &mut session, entry, needs_customer)?;
        checkout::complete(tx, &mut session, "no_payment_required")?;
        return Ok(Outcome::Done(Box::new(session)));
    }
    if entry.number.is_empty() && !entry.method.is_empty() && !keeps_only {
        return pay_again(tx, session, entry, mistyped_email);
    }
    let (year, month) = timers::year_and_month(tx.now);
    let entered = match card::check(&entry.number, &entry.expiry, &entry.cvc, year, month) {
        Ok(entered) if !mistyped_email => entered,
        Ok(_) => return Ok(Outcome::Mistaken(Box::new(session), Mistakes::default(), true)),
        Err(mistakes) => return Ok(Outcome::Mistaken(Box::new(session), mistakes, mistyped_email)),
    };
    if keeps_only {
        return keep(tx, session, entry, &entered);
    }
    let mut intent = intent_of(tx, &session)?;
    if entry.save && intent.maybe("setup_future_usage").is_none() {
        intent.set("setup_future_usage", "off_session");
    }
    let keeps_card = intent.maybe("setup_future_usage").is_some();
    begin(tx, &mut session, &mut intent, entry, keeps_card)?;
    let mut method = method_of(tx, &session, entry, &entered)?;
    if entry.save {
        method.set("allow_redisplay", "always");
        tx.update(&method)?;
    }
    confirm::attempt(tx, &mut intent, &method, Presence::Present)?;
    finish(tx, session, &intent)
}

/// Pays with a card that is kept with the customer.
fn pay_again(
    tx: &mut Tx<'_>,
    mut session: Document,
    entry: &Entry,
    mistyped_email: bool,
) -> Result<Outcome, Fault> {
    if mistyped_email {
        return Ok(Outcome::Mistaken(Box::new(session), Mistakes::default(), true));
    }
    let Some(method) = saved::chosen(tx, &session, &entry.method)? else {
        return Ok(Outcome::Gone(Box::new(session)));
    };
    let mut intent = intent_of(tx, &session)?;
    begin(tx, &mut session, &mut intent, entry, false)?;
    confirm::attempt(tx, &mut intent, &method, Presence::Present)?;
    finish(tx, session, &intent)
}

/// Notes who pays, and keeps the intent that is to be paid.
fn begin(
    tx: &mut Tx<'_>,
    session: &mut Document,
    intent: &mut Document,
    entry: &Entry,
    keeps_card: bool,
) -> Result<(), Fault> {
    let needs_customer = keeps_card || session.text("customer_creation") == "always";
    identify(tx, session, entry, needs_customer)?;
    intent.set("customer", session.get("customer").clone());
    if tx.find(Kind::Intent, intent.id())?.is_none() {
        intents::insert(tx, intent)?;
        session.set("payment_intent", intent.id());
        tx.update(session)?;
    }
    Ok(())
}

fn method_of(
    tx: &mut Tx<'_>,
    session: &Document,
    entry: &Entry,
    entered: &Entered,
) -> Result<Document, Fault> {
    let email = session.get("customer_details").get("email").and_then(Value::as_str);
    let name = Some(entry.name.as_str()).filter(|name| !name.is_empty());
    methods::open(tx, entered, email, name)
}

/// Keeps a card for later and takes no money.
fn keep(tx: &mut Tx<'_>, mut session: Document, entry: &Entry, entered: &Entered) -> Result<Outcome, Fault> {
    let needs_customer = session.text("customer_creation") == "always";
    identify(tx, &mut session, entry, needs_customer)?;
    let mut setup = tx.require(Kind::Setup, session.text("setup_intent"), "id")?;
    setup.set("customer", session.get("customer").clone());
    let method = method_of(tx, &session, entry, entered)?;
    setups::attempt(tx, &mut setup, &method, Presence::Present)?;
    finish(tx, session, &setup)
}

/// The intent of an earlier try that can be used again, or a new one; what an earlier try chose is forgotten.
fn intent_of(tx: &mut Tx<'_>, session: &Document) -> Result<Document, Fault> {
    let earlier = match session.maybe("payment_intent") {
        Some(id) => tx.find(Kind::Intent, id)?.filter(intents::open_to_change),
        None => None,
    };
    let mut intent = match earlier {
        Some(intent) => intent,
        None => intents::blank(
            tx,
            &Order {
                amount: session.integer("amount_total"),
                currency: session.text("currency"),
                customer: session.maybe("customer"),
            },
        ),
    };
    intent.set("setup_future_usage", Value::Null);
    checkout::intent_data(tx, session.id(), &mut intent)?;
    Ok(intent)
}

/// Notes who pays, and makes a customer where one is needed.
fn identify(
    tx: &mut Tx<'_>,
    session: &mut Document,
    entry: &Entry,
    needs_customer: bool,
) -> Result<(), Fault> {
    let known = checkout::payer(tx, session)?;
    let known_text = |field| known.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let typed = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    // An earlier try may have typed what this one leaves out.
    let earlier =
        |field| session.get("customer_details").get(field).and_then(Value::as_str).map(str::to_owned);
    let email =
        known_text("email").map(str::to_owned).or_else(|| typed(&entry.email)).or_else(|| earlier("email"));
    let name =
        typed(&entry.name).or_else(|| known_text("name").map(str::to_owned)).or_else(|| earlier("name"));
    if needs_customer && session.maybe("customer").is_none() {
        let customer = customers::open(tx, email.as_deref(), name.as_deref())?;
        session.set("customer", customer.id());
    }
    session.set(
        "customer_details",
        json!({
            "address": {"city": null, "country": "US", "line1": null, "line2": null, "postal_code": null, "state": null},
            "business_name": null,
            "email": email,
            "individual_name": null,
            "name": name,
            "phone": null,
            "tax_exempt": "none",
            "tax_ids": [],
        }),
    );
    tx.update(session)
}

fn finish(tx: &mut Tx<'_>, mut session: Document, intent: &Document) -> Result<Outcome, Fault> {
    match intent.text("status") {
        "succeeded" if session.text("mode") == "setup" => {
            checkout::complete(tx, &mut session, "no_payment_required")?
        }
        "succeeded" => checkout::complete(tx, &mut session, "paid")?,
        "processing" => checkout::complete(tx, &mut session, "unpaid")?,
        "requires_action" => return Ok(Outcome::Authenticate),
        _ => {
            let reason = ["last_payment_error", "last_setup_error"]
                .into_iter()
                .find_map(|field| intent.get(field).get("message")?.as_str());
            let reason = reason.unwrap_or("Your card was declined.").to_owned();
            return Ok(Outcome::Declined(Box::new(session), reason));
        }
    }
    Ok(Outcome::Done(Box::new(session)))
}

/// The session whose cardholder is asked to confirm, or where to go when there is nothing to confirm.
pub(crate) fn awaiting(tx: &mut Tx<'_>, id: &str) -> Result<Result<(Document, Document), Outcome>, Fault> {
    let session = tx.require(Kind::Session, id, "id")?;
    match session.text("status") {
        "complete" => return Ok(Err(Outcome::Done(Box::new(session)))),
        "expired" => return Ok(Err(Outcome::Expired(Box::new(session)))),
        _ => {}
    }
    let intent = match (session.maybe("payment_intent"), session.maybe("setup_intent")) {
        (Some(id), _) => tx.find(Kind::Intent, id)?,
        (None, Some(id)) => tx.find(Kind::Setup, id)?,
        (None, None) => None,
    };
    Ok(match intent.filter(|intent| intent.text("status") == "requires_action") {
        Some(intent) => Ok((session, intent)),
        None => Err(Outcome::Restart),
    })
}

/// The cardholder confirmed or refused.
pub(crate) fn authenticate(tx: &mut Tx<'_>, id: &str, agreed: bool) -> Result<Outcome, Fault> {
    match awaiting(tx, id)? {
        Err(outcome) => Ok(outcome),
        Ok((session, mut intent)) => {
            if session.text("mode") == "setup" {
                setups::authenticated(tx, &mut intent, agreed)?;
            } else {
                confirm::authenticated(tx, &mut intent, agreed)?;
            }
            finish(tx, session, &intent)
        }
    }
}
