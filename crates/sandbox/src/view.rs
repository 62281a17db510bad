//! What the pages show, and how they are sent: typed templates under a policy without scripts.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use askama::Template;
use serde_json::Value;

use crate::Sandbox;
use crate::card::{self, Mistake, Mistakes};
use crate::control::Control;
use crate::document::Document;
use crate::fault::Fault;
use crate::money::{display, web_address};
use crate::pay::Entry;
use crate::queue::Delivered;

/// One line of what is sold.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) amount: String,
    pub(crate) quantity: i64,
}

pub(crate) struct CardHint {
    pub(crate) number: String,
    pub(crate) hint: &'static str,
}

pub(crate) fn card_hints() -> Vec<CardHint> {
    let listed = card::TEST_CARDS.iter().filter(|card| !card.hint.is_empty());
    listed.map(|card| CardHint { number: card.printed(), hint: card.hint }).collect()
}

/// What is wrong, for the page: one message a field, and one about the payment.
#[derive(Default)]
pub(crate) struct Problems {
    pub(crate) number: Option<&'static str>,
    pub(crate) expiry: Option<&'static str>,
    pub(crate) cvc: Option<&'static str>,
    pub(crate) email: Option<&'static str>,
    pub(crate) declined: Option<String>,
}

impl Problems {
    pub(crate) fn of(mistakes: Mistakes, email: bool) -> Self {
        let message = |mistake: Option<Mistake>| mistake.map(|mistake| mistake.message);
        Self {
            number: message(mistakes.number),
            expiry: message(mistakes.expiry),
            cvc: message(mistakes.cvc),
            email: email.then_some("This e-mail address is not right."),
            declined: None,
        }
    }

    pub(crate) fn any_field(&self) -> bool {
        self.number.or(self.expiry).or(self.cvc).or(self.email).is_some()
    }
}

/// A card that is kept with the customer.
pub(crate) struct SavedCard {
    pub(crate) id: String,
    /// `Visa ending in 4242`.
    pub(crate) name: String,
    /// `09 / 27`.
    pub(crate) expires: String,
    pub(crate) chosen: bool,
}

/// What the payment page shows beside its session.
pub(crate) struct Beside {
    pub(crate) items: Vec<Value>,
    /// Whether the card is kept without being asked.
    pub(crate) keeps_card: bool,
    /// The cards that are offered, the one kept last first.
    pub(crate) saved: Vec<Document>,
}

fn saved_cards(methods: &[Document], entry: &Entry) -> Vec<SavedCard> {
    let known = methods.iter().any(|method| method.id() == entry.method);
    let card = |(at, method): (usize, &Document)| {
        let text = |field| method.get("card").get(field).and_then(Value::as_str).unwrap_or_default();
        let number = |field| method.get("card").get(field).and_then(Value::as_i64).unwrap_or_default();
        let mut brand: Vec<char> = text("brand").chars().collect();
        if let Some(first) = brand.first_mut() {
            first.make_ascii_uppercase();
        }
        SavedCard {
            id: method.id().to_owned(),
            name: format!("{} ending in {}", brand.into_iter().collect::<String>(), text("last4")),
            expires: format!("{:02} / {:02}", number("exp_month"), number("exp_year") % 100),
            chosen: if known { method.id() == entry.method } else { at == 0 },
        }
    };
    methods.iter().enumerate().map(card).collect()
}

#[derive(Template)]
#[template(path = "pay.html")]
pub(crate) struct PayPage {
    pub(crate) session: String,
    pub(crate) payee: String,
    pub(crate) total: String,
    pub(crate) free: bool,
    /// Only a card is kept; nothing is paid.
    pub(crate) setup: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) cancel: Option<String>,
    pub(crate) known_email: Option<String>,
    pub(crate) keeps_card: bool,
    pub(crate) saved: Vec<SavedCard>,
    pub(crate) entry: Entry,
    pub(crate) problems: Problems,
    pub(crate) cards: Vec<CardHint>,
}

#[derive(Template)]
#[template(path = "authenticate.html")]
pub(crate) struct AuthenticationPage {
    pub(crate) action: String,
    pub(crate) payee: String,
    /// What is paid; none when only a card is kept.
    pub(crate) total: Option<String>,
    pub(crate) card: String,
    pub(crate) back: Option<String>,
}

#[derive(Template)]
#[template(path = "onboarding.html")]
pub(crate) struct OnboardingPage {
    pub(crate) action: String,
    pub(crate) payee: String,
    pub(crate) account: String,
    /// Nothing is owed any more.
    pub(crate) done: bool,
}

#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    pub(crate) title: &'static str,
    pub(crate) text: String,
    pub(crate) link: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "overview.html")]
pub(crate) struct OverviewPage {
    pub(crate) control: Control,
    pub(crate) webhook_url: String,
    pub(crate) deliveries: Vec<Delivered>,
    pub(crate) cards: Vec<CardHint>,
}

/// The host of an address, without its port's default.
pub(crate) fn host(address: &str) -> Option<String> {
    let url = web_address(address)?;
    let host = url.host_str()?.to_owned();
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

pub(crate) fn payee(sandbox: &Sandbox, address: &str) -> String {
    sandbox.inner.merchant.clone().or_else(|| host(address)).unwrap_or_else(|| "Sandbox".to_owned())
}

/// Browsers apply `form-action` to where a form's answer redirects, so the way back must be named.
pub(crate) fn html(status: StatusCode, page: &impl Template, targets: &[&str]) -> HttpResponse {
    let mut allowed = vec!["'self'".to_owned()];
    let origins =
        targets.iter().filter_map(|target| web_address(target)).map(|url| url.origin().ascii_serialization());
    allowed.extend(origins);
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action {}; base-uri 'none'; frame-ancestors 'none'",
        allowed.join(" ")
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

pub(crate) fn see_other(target: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, target))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

pub(crate) fn message(
    status: StatusCode,
    title: &'static str,
    text: impl Into<String>,
    link: Option<(String, String)>,
) -> HttpResponse {
    html(status, &MessagePage { title, text: text.into(), link }, &[])
}

pub(crate) fn missing() -> HttpResponse {
    message(
        StatusCode::NOT_FOUND,
        "There is no such payment",
        "The link may be cut short. Go back to the shop and start the payment again.",
        None,
    )
}

pub(crate) fn failed(fault: &Fault) -> HttpResponse {
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

pub(crate) fn expired(sandbox: &Sandbox, session: &Document) -> HttpResponse {
    let link = session
        .maybe("cancel_url")
        .map(|address| (address.to_owned(), format!("Back to {}", payee(sandbox, address))));
    message(
        StatusCode::GONE,
        "This payment page has expired",
        "Nothing was charged. Go back and start the payment again when you are ready.",
        link,
    )
}

pub(crate) fn pay_page(
    sandbox: &Sandbox,
    session: &Document,
    beside: Beside,
    entry: Entry,
    problems: Problems,
) -> HttpResponse {
    let currency = session.text("currency");
    let total = session.integer("amount_total");
    let Beside { items, keeps_card, saved } = beside;
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
    let setup = session.text("mode") == "setup";
    let page = PayPage {
        session: session.id().to_owned(),
        payee: payee(sandbox, session.text("success_url")),
        total: display(total, currency),
        free: total == 0 && !setup,
        setup,
        lines: lines.collect(),
        cancel: session.maybe("cancel_url").map(str::to_owned),
        // What was typed on an earlier try stays editable.
        known_email: known_email.filter(|_| entry.email.is_empty()).map(str::to_owned),
        keeps_card,
        saved: saved_cards(&saved, &entry),
        entry,
        problems,
        cards: card_hints(),
    };
    html(status, &page, &[session.text("success_url")])
}

pub(crate) fn authentication_page(
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
        total: intent
            .get("amount")
            .is_number()
            .then(|| display(intent.integer("amount"), intent.text("currency"))),
        card: last4.to_owned(),
        back: Some(back.to_owned()).filter(|back| !back.is_empty()),
    };
    html(StatusCode::OK, &page, &[target])
}
