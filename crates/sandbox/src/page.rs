//! The pages people see: the payment page, the bank's question, and an overview for developers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use actix_web::web::{Bytes, Data, Path};
use askama::Template;
use serde_json::Value;

use crate::card::{self, Mistake, Mistakes};
use crate::checkout::success_url;
use crate::control::Control;
use crate::document::{Document, Kind};
use crate::fault::Fault;
use crate::form::Params;
use crate::money::{display, web_address};
use crate::pay::{self, Entry, Outcome};
use crate::state::Delivered;
use crate::{Sandbox, confirm, line_items};

/// One line of what is sold.
struct Line {
    name: String,
    description: Option<String>,
    amount: String,
    quantity: i64,
}

struct CardHint {
    number: String,
    hint: &'static str,
}

fn card_hints() -> Vec<CardHint> {
    let listed = card::TEST_CARDS.iter().filter(|card| !card.hint.is_empty());
    listed.map(|card| CardHint { number: card.printed(), hint: card.hint }).collect()
}

/// What is wrong, for the page: one message a field, and one about the payment.
#[derive(Default)]
struct Problems {
    number: Option<&'static str>,
    expiry: Option<&'static str>,
    cvc: Option<&'static str>,
    email: Option<&'static str>,
    declined: Option<String>,
}

impl Problems {
    fn of(mistakes: Mistakes, email: bool) -> Self {
        let message = |mistake: Option<Mistake>| mistake.map(|mistake| mistake.message);
        Self {
            number: message(mistakes.number),
            expiry: message(mistakes.expiry),
            cvc: message(mistakes.cvc),
            email: email.then_some("This e-mail address is not right."),
            declined: None,
        }
    }

    fn any_field(&self) -> bool {
        self.number.or(self.expiry).or(self.cvc).or(self.email).is_some()
    }
}

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage {
    session: String,
    payee: String,
    total: String,
    free: bool,
    lines: Vec<Line>,
    cancel: Option<String>,
    known_email: Option<String>,
    keeps_card: bool,
    entry: Entry,
    problems: Problems,
    cards: Vec<CardHint>,
}

#[derive(Template)]
#[template(path = "authenticate.html")]
struct AuthenticationPage {
    action: String,
    payee: String,
    total: String,
    card: String,
    back: Option<String>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    title: &'static str,
    text: String,
    link: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    control: Control,
    webhook_url: String,
    deliveries: Vec<Delivered>,
    cards: Vec<CardHint>,
}

/// The host of an address, without its port's default.
fn host(address: &str) -> Option<String> {
    let url = web_address(address)?;
    let host = url.host_str()?.to_owned();
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

fn payee(sandbox: &Sandbox, address: &str) -> String {
    sandbox.inner.merchant.clone().or_else(|| host(address)).unwrap_or_else(|| "Sandbox".to_owned())
}

/// Browsers apply `form-action` to where a form's answer redirects, so the way back must be named.
fn html(status: StatusCode, page: &impl Template, targets: &[&str]) -> HttpResponse {
    let origins: Vec<_> = targets
        .iter()
        .filter_map(|target| web_address(target))
        .map(|url| url.origin().ascii_serialization())
        .collect();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        origins.join(" ")
    );
    match page.render() {
        Ok(body) => HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header(("content-security-policy", policy))
            .insert_header(("referrer-policy", "same-origin"))
            .insert_header(("x-content-type-options", "nosniff"))
            .body(body),
        Err(error) => {
            tracing::error!(%error, "a page of the sandbox can't be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn see_other(target: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, target))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

fn message(
    status: StatusCode,
    title: &'static str,
    text: impl Into<String>,
    link: Option<(String, String)>,
) -> HttpResponse {
    html(status, &MessagePage { title, text: text.into(), link }, &[])
}

/// Any address below `/sandbox` that leads nowhere.
pub(crate) async fn nothing_here() -> HttpResponse {
    missing()
}

fn missing() -> HttpResponse {
    message(
        StatusCode::NOT_FOUND,
        "There is no such payment",
        "The link may be cut short. Go back to the shop and start the payment again.",
        None,
    )
}

fn failed(fault: &Fault) -> HttpResponse {
    match fault {
        Fault::Refused(refusal) if refusal.code == Some("resource_missing") => missing(),
        Fault::Refused(refusal) => message(
            StatusCode::BAD_REQUEST,
            "The form can't be read",
            format!("{} Go back and send it again.", refusal.message),
            None,
        ),
        Fault::Storage(_) | Fault::Internal(_) => {
            // Writes the cause to the log.
            let status =
                StatusCode::from_u16(fault.reply().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            message(
                status,
                "The sandbox failed",
                "Nothing was charged. The server's log says why. Try again.",
                None,
            )
        }
    }
}

fn expired(session: &Document) -> HttpResponse {
    let link = session.maybe("cancel_url").map(|address| {
        let label = host(address).map_or_else(|| "Go back".to_owned(), |host| format!("Back to {host}"));
        (address.to_owned(), label)
    });
    message(
        StatusCode::GONE,
        "This payment page has expired",
        "Nothing was charged. Go back and start the payment again when you are ready.",
        link,
    )
}

fn pay_page(
    sandbox: &Sandbox,
    session: &Document,
    items: &[Value],
    keeps_card: bool,
    entry: Entry,
    problems: Problems,
) -> HttpResponse {
    let currency = session.text("currency");
    let total = session.integer("amount_total");
    let lines = items.iter().map(|item| Document::new(item.clone())).map(|item| Line {
        name: item.text("description").to_owned(),
        description: item.maybe("product_description").map(str::to_owned),
        amount: display(item.integer("amount_total"), currency),
        quantity: item.integer("quantity"),
    });
    let known_email = session.get("customer_details").get("email").and_then(Value::as_str);
    let status = match (&problems.declined, problems.any_field()) {
        (Some(_), _) => StatusCode::PAYMENT_REQUIRED,
        (None, true) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, false) => StatusCode::OK,
    };
    let page = PayPage {
        session: session.id().to_owned(),
        payee: payee(sandbox, session.text("success_url")),
        total: display(total, currency),
        free: total == 0,
        lines: lines.collect(),
        cancel: session.maybe("cancel_url").map(str::to_owned),
        // What was typed on an earlier try stays editable.
        known_email: known_email.filter(|_| entry.email.is_empty()).map(str::to_owned),
        keeps_card,
        entry,
        problems,
        cards: card_hints(),
    };
    html(status, &page, &[session.text("success_url")])
}

/// Answers a step's outcome; `entry` is what was typed, to be shown again.
async fn answer(
    sandbox: &Sandbox,
    id: String,
    entry: Entry,
    outcome: Result<Outcome, Fault>,
) -> HttpResponse {
    let (session, problems) = match outcome {
        Err(fault) => return failed(&fault),
        Ok(Outcome::Done(session)) => return see_other(&success_url(&session)),
        Ok(Outcome::Authenticate) => return see_other(&format!("/sandbox/checkout/{id}/authenticate")),
        Ok(Outcome::Restart) => return see_other(&format!("/sandbox/checkout/{id}")),
        Ok(Outcome::Expired(session)) => return expired(&session),
        Ok(Outcome::Declined(session, reason)) => {
            (session, Problems { declined: Some(reason), ..Problems::default() })
        }
        Ok(Outcome::Mistaken(session, mistakes, email)) => (session, Problems::of(mistakes, email)),
    };
    let shown = sandbox.run(move |tx| Ok((line_items::kept(tx, &id)?, keeps_card(&tx.hidden(&id)?)))).await;
    match shown {
        Ok((items, keeps)) => pay_page(sandbox, &session, &items, keeps, entry, problems),
        Err(fault) => failed(&fault),
    }
}

fn keeps_card(hidden: &Value) -> bool {
    hidden.get("intent").and_then(|intent| intent.get("setup_future_usage")).is_some_and(Value::is_string)
}

/// `GET /sandbox/checkout/{session}`
pub(crate) async fn checkout(session: Path<String>, sandbox: Data<Sandbox>) -> HttpResponse {
    let id = session.into_inner();
    let read = sandbox
        .run(move |tx| {
            let session = tx.require(Kind::Session, &id, "id")?;
            Ok((line_items::kept(tx, &id)?, keeps_card(&tx.hidden(&id)?), session))
        })
        .await;
    match read {
        Err(fault) => failed(&fault),
        Ok((items, keeps, session)) => match session.text("status") {
            "complete" => see_other(&success_url(&session)),
            "expired" => expired(&session),
            _ => pay_page(&sandbox, &session, &items, keeps, Entry::default(), Problems::default()),
        },
    }
}

/// `GET /sandbox/checkout/{session}/pay`
pub(crate) async fn back_to_checkout(session: Path<String>) -> HttpResponse {
    see_other(&format!("/sandbox/checkout/{session}"))
}

fn form(read: Result<Bytes, actix_web::Error>) -> Result<Params, Fault> {
    let unreadable = |error: String| Fault::from(crate::fault::invalid(error));
    let body = read.map_err(|error| unreadable(error.to_string()))?;
    let text = std::str::from_utf8(&body).map_err(|error| unreadable(error.to_string()))?;
    Params::decode(text)
}

fn entry(params: &Params) -> Result<Entry, Fault> {
    let root = params.root();
    let text = |name: &str| -> Result<String, Fault> {
        let text = root.child(name).raw()?.unwrap_or_default().trim();
        Ok(text.chars().take(200).collect())
    };
    let save = text("save_card")?;
    Ok(Entry {
        number: text("card_number")?,
        expiry: text("exp")?,
        cvc: text("cvc")?,
        email: text("email")?,
        name: text("name")?,
        save: !matches!(save.as_str(), "" | "0" | "false" | "off"),
    })
}

/// `POST /sandbox/checkout/{session}/pay`
pub(crate) async fn pay(
    session: Path<String>,
    read: Result<Bytes, actix_web::Error>,
    sandbox: Data<Sandbox>,
) -> HttpResponse {
    let id = session.into_inner();
    let entry = match form(read).and_then(|params| entry(&params)) {
        Ok(entry) => entry,
        Err(fault) => return failed(&fault),
    };
    let (at, typed) = (id.clone(), entry.clone());
    let outcome = sandbox.run(move |tx| pay::pay(tx, &at, &typed)).await;
    answer(&sandbox, id, entry, outcome).await
}

fn authentication_page(
    sandbox: &Sandbox,
    intent: &Document,
    method: &Document,
    back: &str,
    action: String,
    target: &str,
) -> HttpResponse {
    let last4 = method.get("card").get("last4").and_then(Value::as_str).unwrap_or_default();
    let page = AuthenticationPage {
        action,
        payee: payee(sandbox, target),
        total: display(intent.integer("amount"), intent.text("currency")),
        card: last4.to_owned(),
        back: Some(back.to_owned()).filter(|back| !back.is_empty()),
    };
    html(StatusCode::OK, &page, &[target])
}

/// `GET /sandbox/checkout/{session}/authenticate`
pub(crate) async fn authentication(session: Path<String>, sandbox: Data<Sandbox>) -> HttpResponse {
    let id = session.into_inner();
    let at = id.clone();
    let read = sandbox
        .run(move |tx| match pay::awaiting(tx, &at)? {
            Err(outcome) => Ok(Err(outcome)),
            Ok((session, intent)) => {
                let method = tx.require(Kind::Method, intent.text("payment_method"), "payment_method")?;
                Ok(Ok((session, intent, method)))
            }
        })
        .await;
    match read {
        Err(fault) => failed(&fault),
        Ok(Err(outcome)) => answer(&sandbox, id, Entry::default(), Ok(outcome)).await,
        Ok(Ok((session, intent, method))) => {
            let back = format!("/sandbox/checkout/{id}");
            let action = format!("{back}/authenticate");
            authentication_page(&sandbox, &intent, &method, &back, action, session.text("success_url"))
        }
    }
}

/// The button that was pressed: complete (true) or fail.
fn agreed(read: Result<Bytes, actix_web::Error>) -> Result<bool, Fault> {
    let params = form(read)?;
    let outcome = params.root().child("outcome");
    let outcome = outcome.one_of(&["complete", "fail"])?.ok_or_else(|| Fault::from(outcome.missing()))?;
    Ok(outcome == "complete")
}

/// `POST /sandbox/checkout/{session}/authenticate`
pub(crate) async fn authenticate(
    session: Path<String>,
    read: Result<Bytes, actix_web::Error>,
    sandbox: Data<Sandbox>,
) -> HttpResponse {
    let id = session.into_inner();
    let at = id.clone();
    let outcome = match agreed(read) {
        Ok(agreed) => sandbox.run(move |tx| pay::authenticate(tx, &at, agreed)).await,
        Err(fault) => Err(fault),
    };
    answer(&sandbox, id, Entry::default(), outcome).await
}

fn return_address(intent: &Document) -> Option<String> {
    intent.get("next_action").get("redirect_to_url")?.get("return_url")?.as_str().map(str::to_owned)
}

/// `GET /sandbox/payment_intents/{intent}/authenticate`, for intents confirmed through the API.
pub(crate) async fn intent_authentication(intent: Path<String>, sandbox: Data<Sandbox>) -> HttpResponse {
    let id = intent.into_inner();
    let at = id.clone();
    let read = sandbox
        .run(move |tx| {
            let intent = tx.require(Kind::Intent, &at, "id")?;
            let session = tx.find_by(Kind::Session, "payment_intent", &at)?;
            let method = match intent.maybe("payment_method") {
                Some(method) => tx.find(Kind::Method, method)?,
                None => None,
            };
            Ok((intent, method, session))
        })
        .await;
    match read {
        Err(fault) => failed(&fault),
        // A session's payment is confirmed on the session's own page, which completes the session too.
        Ok((_, _, Some(session))) => see_other(&format!("/sandbox/checkout/{}/authenticate", session.id())),
        Ok((intent, Some(method), None)) if intent.text("status") == "requires_action" => {
            let target = return_address(&intent).unwrap_or_default();
            let action = format!("/sandbox/payment_intents/{id}/authenticate");
            authentication_page(&sandbox, &intent, &method, "", action, &target)
        }
        Ok(_) => nothing_to_confirm(),
    }
}

fn nothing_to_confirm() -> HttpResponse {
    message(
        StatusCode::OK,
        "Nothing to confirm",
        "This payment was confirmed or ended already. You can close this page.",
        None,
    )
}

/// `POST /sandbox/payment_intents/{intent}/authenticate`
pub(crate) async fn authenticate_intent(
    intent: Path<String>,
    read: Result<Bytes, actix_web::Error>,
    sandbox: Data<Sandbox>,
) -> HttpResponse {
    let id = intent.into_inner();
    let answered = match agreed(read) {
        Err(fault) => Err(fault),
        Ok(agreed) => {
            sandbox
                .run(move |tx| {
                    let mut intent = tx.require(Kind::Intent, &id, "id")?;
                    let of_session = tx.find_by(Kind::Session, "payment_intent", &id)?.is_some();
                    if of_session || intent.text("status") != "requires_action" {
                        return Ok(None);
                    }
                    let target = return_address(&intent);
                    confirm::authenticated(tx, &mut intent, agreed)?;
                    Ok(Some((intent, target)))
                })
                .await
        }
    };
    match answered {
        Err(fault) => failed(&fault),
        Ok(None) => nothing_to_confirm(),
        Ok(Some((intent, target))) => {
            let Some(mut target) = target.as_deref().and_then(web_address) else {
                return nothing_to_confirm();
            };
            let status =
                if intent.text("status") == "requires_payment_method" { "failed" } else { "succeeded" };
            target
                .query_pairs_mut()
                .append_pair("payment_intent", intent.id())
                .append_pair("payment_intent_client_secret", intent.text("client_secret"))
                .append_pair("redirect_status", status);
            see_other(target.as_str())
        }
    }
}

/// `GET /sandbox`: what a developer wants to see.
pub(crate) async fn overview(sandbox: Data<Sandbox>) -> HttpResponse {
    match sandbox.run(|tx| Ok((tx.control()?, tx.deliveries_newest()?))).await {
        Err(fault) => failed(&fault),
        Ok((control, deliveries)) => {
            let webhook_url = sandbox.settings().webhook_url.clone();
            html(StatusCode::OK, &OverviewPage { control, webhook_url, deliveries, cards: card_hints() }, &[])
        }
    }
}
