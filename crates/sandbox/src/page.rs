//! The pages people see: the payment page, the bank's question, and an overview for developers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use serde_json::Value;

use crate::checkout::success_url;
use crate::document::{Document, Kind};
use crate::fault::Fault;
use crate::form::Params;
use crate::money::web_address;
use crate::pay::{self, Entry, Outcome};
use crate::state::Tx;
use crate::view::{
    Beside, OverviewPage, Problems, authentication_page, card_hints, expired, failed, html, message, missing,
    pay_page, see_other,
};
use crate::{Sandbox, confirm, line_items, saved, setups};

/// Any address below `/sandbox` that leads nowhere.
pub(crate) async fn nothing_here() -> HttpResponse {
    missing()
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
        Ok(Outcome::Expired(session)) => return expired(sandbox, &session),
        Ok(Outcome::Declined(session, reason)) => {
            (session, Problems { declined: Some(reason), ..Problems::default() })
        }
        Ok(Outcome::Gone(session)) => {
            let reason = "This card is not kept any more.".to_owned();
            (session, Problems { declined: Some(reason), ..Problems::default() })
        }
        Ok(Outcome::Mistaken(session, mistakes, email)) => (session, Problems::of(mistakes, email)),
    };
    let shown = sandbox
        .run(move |tx| {
            let beside = beside(tx, &session)?;
            Ok((session, beside))
        })
        .await;
    match shown {
        Ok((session, beside)) => pay_page(sandbox, &session, beside, entry, problems),
        Err(fault) => failed(&fault),
    }
}

/// What the page shows beside the session itself.
fn beside(tx: &mut Tx<'_>, session: &Document) -> Result<Beside, Fault> {
    Ok(Beside {
        items: line_items::kept(tx, session.id())?,
        keeps_card: keeps_card(&tx.hidden(session.id())?),
        saved: saved::offered(tx, session)?,
    })
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
            Ok((beside(tx, &session)?, session))
        })
        .await;
    match read {
        Err(fault) => failed(&fault),
        Ok((beside, session)) => match session.text("status") {
            "complete" => see_other(&success_url(&session)),
            "expired" => expired(&sandbox, &session),
            _ => pay_page(&sandbox, &session, beside, Entry::default(), Problems::default()),
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
        method: text("payment_method")?,
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
pub(crate) fn agreed(read: Result<Bytes, actix_web::Error>) -> Result<bool, Fault> {
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

/// An intent of the API whose cardholder is asked on a page of its own.
#[derive(Clone, Copy)]
struct Asking {
    kind: Kind,
    /// Stripe's name of it, in fields and in what the way back carries.
    name: &'static str,
    /// The path of its page.
    path: &'static str,
}

const PAYMENT: Asking = Asking { kind: Kind::Intent, name: "payment_intent", path: "payment_intents" };
const SETUP: Asking = Asking { kind: Kind::Setup, name: "setup_intent", path: "setup_intents" };

fn return_address(intent: &Document) -> Option<String> {
    intent.get("next_action").get("redirect_to_url")?.get("return_url")?.as_str().map(str::to_owned)
}

/// `GET /sandbox/payment_intents/{intent}/authenticate`, for intents confirmed through the API.
pub(crate) async fn intent_authentication(intent: Path<String>, sandbox: Data<Sandbox>) -> HttpResponse {
    ask(intent.into_inner(), &sandbox, PAYMENT).await
}

/// `GET /sandbox/setup_intents/{intent}/authenticate`, for intents confirmed through the API.
pub(crate) async fn setup_authentication(intent: Path<String>, sandbox: Data<Sandbox>) -> HttpResponse {
    ask(intent.into_inner(), &sandbox, SETUP).await
}

async fn ask(id: String, sandbox: &Sandbox, asking: Asking) -> HttpResponse {
    let at = id.clone();
    let read = sandbox
        .run(move |tx| {
            let intent = tx.require(asking.kind, &at, "id")?;
            let session = tx.find_by(Kind::Session, asking.name, &at)?;
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
            let action = format!("/sandbox/{}/{id}/authenticate", asking.path);
            authentication_page(sandbox, &intent, &method, "", action, &target)
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
    answered(intent.into_inner(), read, &sandbox, PAYMENT).await
}

/// `POST /sandbox/setup_intents/{intent}/authenticate`
pub(crate) async fn authenticate_setup(
    intent: Path<String>,
    read: Result<Bytes, actix_web::Error>,
    sandbox: Data<Sandbox>,
) -> HttpResponse {
    answered(intent.into_inner(), read, &sandbox, SETUP).await
}

async fn answered(
    id: String,
    read: Result<Bytes, actix_web::Error>,
    sandbox: &Sandbox,
    asking: Asking,
) -> HttpResponse {
    let answered = match agreed(read) {
        Err(fault) => Err(fault),
        Ok(agreed) => {
            sandbox
                .run(move |tx| {
                    let mut intent = tx.require(asking.kind, &id, "id")?;
                    let of_session = tx.find_by(Kind::Session, asking.name, &id)?.is_some();
                    if of_session || intent.text("status") != "requires_action" {
                        return Ok(None);
                    }
                    let target = return_address(&intent);
                    if asking.kind == Kind::Setup {
                        setups::authenticated(tx, &mut intent, agreed)?;
                    } else {
                        confirm::authenticated(tx, &mut intent, agreed)?;
                    }
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
                .append_pair(asking.name, intent.id())
                .append_pair(&format!("{}_client_secret", asking.name), intent.text("client_secret"))
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
