//! Requests and answers in Stripe's shapes. Nothing here talks to anybody.
//!
//! Requests are built with the typed parameters of `async-stripe`. Answers and events are read with small structs of
//! the few fields that matter: the generated types expect every field of one API version, and an account may send
//! events of another.

use std::collections::BTreeMap;

use kernel::{Currency, Money, Timestamp};
use payments::gateway::{
    Checkout, CheckoutStatus, EventSubject, Intent, IntentStatus, NewCharge, NewCheckout, NewCustomer,
    NewProviderRefund, ProviderEvent, ProviderRefund, ProviderRefundStatus,
};
use payments::inbox::InboxEvent;
use serde::Deserialize;
use serde_json::value::RawValue;
use stripe_checkout::CheckoutSessionMode;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, CreateCheckoutSessionSavedPaymentMethodOptions,
    CreateCheckoutSessionSavedPaymentMethodOptionsPaymentMethodSave, ProductData,
};
use stripe_core::customer::CreateCustomer;
use stripe_core::event::ListEvent;
use stripe_core::payment_intent::{CreatePaymentIntent, CreatePaymentIntentOffSession};
use stripe_core::refund::{CreateRefund, ListRefund};

mod cards;
mod disputes;

pub use cards::{card, card_request, cards, cards_request, detach_request};
pub use disputes::{dispute, dispute_request};

const ORDER: &str = "order_id";
const REFUND: &str = "refund_id";
const USER: &str = "user_id";

/// The events that are asked for when Stripe's list is compared with the inbox.
pub const EVENT_KINDS: [&str; 14] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// Objects to a page of a list; the most that Stripe gives.
pub const PAGE: i64 = 100;

/// An answer that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct Unreadable {
    what: &'static str,
    reason: String,
}

impl Unreadable {
    fn new(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { what, reason: reason.to_string() }
    }
}

/// The request that makes a customer.
pub fn customer_request(customer: &NewCustomer) -> CreateCustomer {
    CreateCustomer::new()
        .email(&customer.email)
        .name(&customer.name)
        .metadata([(USER.to_owned(), customer.customer.to_string())])
}

/// The request that makes a payment page. A configured price is used when the line names one, else the price stands in
/// the request.
pub fn checkout_request(checkout: &NewCheckout) -> CreateCheckoutSession {
    let line = &checkout.line;
    let mut item = CreateCheckoutSessionLineItems::new();
    item.quantity = Some(1);
    if let Some(price) = &line.price {
        item.price = Some(price.clone());
    } else {
        let mut price = CreateCheckoutSessionLineItemsPriceData::new(stripe_currency(line.amount.currency()));
        price.unit_amount = Some(line.amount.minor());
        price.product_data = Some(ProductData::new(&line.name));
        item.price_data = Some(price);
    }
    let mut notes: std::collections::HashMap<String, String> =
        checkout.metadata.clone().into_iter().collect();
    notes.insert(ORDER.to_owned(), checkout.order.to_string());
    let mut intent = CreateCheckoutSessionPaymentIntentData::new();
    intent.metadata = Some(notes.clone());
    // Stripe's page then offers to keep the card; nothing is kept that its holder did not tick.
    let mut keeping = CreateCheckoutSessionSavedPaymentMethodOptions::new();
    keeping.payment_method_save =
        Some(CreateCheckoutSessionSavedPaymentMethodOptionsPaymentMethodSave::Enabled);
    CreateCheckoutSession::new()
        .saved_payment_method_options(keeping)
        .mode(CheckoutSessionMode::Payment)
        .customer(&checkout.customer)
        .client_reference_id(checkout.order.to_string())
        .line_items([item])
        .payment_intent_data(intent)
        .metadata(notes)
        .success_url(&checkout.success_url)
        .cancel_url(&checkout.cancel_url)
        .expires_at(checkout.expires_at.unix_seconds())
}

/// The request that charges a kept card while its holder is away.
pub fn charge_request(charge: &NewCharge) -> CreatePaymentIntent {
    let mut notes: std::collections::HashMap<String, String> = charge.metadata.clone().into_iter().collect();
    notes.insert(ORDER.to_owned(), charge.order.to_string());
    CreatePaymentIntent::new(charge.amount.minor(), stripe_currency(charge.amount.currency()))
        .customer(&charge.customer)
        .payment_method(&charge.card)
        .confirm(true)
        .off_session(CreatePaymentIntentOffSession::Bool(true))
        .metadata(notes)
}

/// The request that sends money back.
pub fn refund_request(refund: &NewProviderRefund) -> CreateRefund {
    CreateRefund::new()
        .payment_intent(&refund.payment_intent)
        .amount(refund.amount.minor())
        .metadata([(REFUND.to_owned(), refund.refund.to_string())])
}

/// The request for a page of a payment's refunds.
pub fn refunds_request(payment_intent: &str, after: Option<&str>) -> ListRefund {
    let request = ListRefund::new().payment_intent(payment_intent).limit(PAGE);
    match after {
        Some(after) => request.starting_after(after),
        None => request,
    }
}

/// The request for a page of events, newest first.
pub fn events_request(since: Timestamp, after: Option<&str>) -> ListEvent {
    let kinds: Vec<String> = EVENT_KINDS.iter().map(|&kind| kind.to_owned()).collect();
    let request = ListEvent::new()
        .created(stripe_types::RangeQueryTs::gte(since.unix_seconds()))
        .types(kinds)
        .limit(PAGE);
    match after {
        Some(after) => request.starting_after(after),
        None => request,
    }
}

const fn stripe_currency(currency: Currency) -> stripe_types::Currency {
    match currency {
        Currency::Usd => stripe_types::Currency::USD,
        Currency::Eur => stripe_types::Currency::EUR,
        Currency::Gbp => stripe_types::Currency::GBP,
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object(Named),
}

impl Reference {
    fn id(self) -> String {
        match self {
            Self::Id(id) | Self::Object(Named { id }) => id,
        }
    }
}

#[derive(Deserialize)]
struct WireCheckout {
    id: String,
    url: Option<String>,
    status: Option<String>,
    payment_status: String,
    payment_intent: Option<Reference>,
    amount_total: Option<i64>,
    currency: Option<String>,
    client_reference_id: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WireIntent {
    id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    last_payment_error: Option<WireFailure>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WireFailure {
    code: Option<String>,
    decline_code: Option<String>,
}

#[derive(Deserialize)]
struct WireRefund {
    id: String,
    amount: i64,
    currency: String,
    status: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WireRefunded {
    payment_intent: Option<Reference>,
}

#[derive(Deserialize)]
struct WireEvent {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: Option<i64>,
    data: WireEventData,
}

#[derive(Deserialize)]
struct WireEventData {
    object: Box<RawValue>,
}

#[derive(Deserialize)]
struct WireList {
    data: Vec<Box<RawValue>>,
    has_more: bool,
}

/// A page of a list: what could be read of it, and the id to go on from, if there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<T>,
    /// The last object's id, when more follow.
    pub after: Option<String>,
}

/// The id of an object.
///
/// # Errors
/// [`Unreadable`].
pub fn object_id(text: &str) -> Result<String, Unreadable> {
    read::<Named>("object", text).map(|named| named.id)
}

/// A payment page.
///
/// # Errors
/// [`Unreadable`], also for a status that didn't exist when this was written.
pub fn checkout(text: &str) -> Result<Checkout, Unreadable> {
    let wire: WireCheckout = read("checkout session", text)?;
    let status = match wire.status.as_deref() {
        Some("open") => CheckoutStatus::Open,
        Some("complete") => CheckoutStatus::Complete,
        Some("expired") => CheckoutStatus::Expired,
        other => return Err(Unreadable::new("checkout session", format!("unknown status {other:?}"))),
    };
    let amount = match (wire.amount_total, wire.currency.as_deref()) {
        (Some(minor), Some(code)) => Some(money("checkout session", minor, code)?),
        (None, _) | (_, None) => None,
    };
    let order =
        wire.metadata.as_ref().and_then(|notes| notes.get(ORDER)).or(wire.client_reference_id.as_ref());
    Ok(Checkout {
        id: wire.id,
        url: wire.url,
        status,
        paid: matches!(wire.payment_status.as_str(), "paid" | "no_payment_required"),
        payment_intent: wire.payment_intent.map(Reference::id),
        amount,
        order: order.and_then(|text| text.parse().ok()),
    })
}

/// A payment.
///
/// # Errors
/// [`Unreadable`], also for a status that didn't exist when this was written.
pub fn intent(text: &str) -> Result<Intent, Unreadable> {
    let wire: WireIntent = read("payment intent", text)?;
    let status = match wire.status.as_str() {
        "requires_payment_method" | "requires_confirmation" | "requires_action" | "requires_capture" => {
            IntentStatus::NeedsCustomer
        }
        "processing" => IntentStatus::Processing,
        "succeeded" => IntentStatus::Succeeded,
        "canceled" => IntentStatus::Cancelled,
        other => return Err(Unreadable::new("payment intent", format!("unknown status {other}"))),
    };
    Ok(Intent {
        amount: money("payment intent", wire.amount, &wire.currency)?,
        received: money("payment intent", wire.amount_received, &wire.currency)?,
        id: wire.id,
        status,
        order: wire.metadata.and_then(|notes| notes.get(ORDER)?.parse().ok()),
        failure: wire
            .last_payment_error
            .map(|error| error.decline_code.or(error.code).unwrap_or_else(|| "unknown".to_owned())),
    })
}

/// A refund.
///
/// # Errors
/// [`Unreadable`], also for a status that didn't exist when this was written.
pub fn refund(text: &str) -> Result<ProviderRefund, Unreadable> {
    let wire: WireRefund = read("refund", text)?;
    let status = match wire.status.as_deref() {
        Some("succeeded") => ProviderRefundStatus::Succeeded,
        Some("failed" | "canceled") => ProviderRefundStatus::Failed,
        Some("pending" | "requires_action") | None => ProviderRefundStatus::Pending,
        Some(other) => return Err(Unreadable::new("refund", format!("unknown status {other}"))),
    };
    Ok(ProviderRefund {
        refund: wire.metadata.as_ref().and_then(|notes| notes.get(REFUND)).and_then(|text| text.parse().ok()),
        amount: money("refund", wire.amount, &wire.currency)?,
        id: wire.id,
        status,
    })
}

/// A page of refunds.
///
/// # Errors
/// [`Unreadable`].
pub fn refunds(text: &str) -> Result<Page<ProviderRefund>, Unreadable> {
    page(text, |item| refund(item.get()), |refund| &refund.id)
}

/// A page of events.
///
/// # Errors
/// [`Unreadable`].
pub fn events(text: &str, now: Timestamp) -> Result<Page<ProviderEvent>, Unreadable> {
    page(text, |item| event(item.get(), now), |event| &event.inbox.id)
}

/// An event, with its text as it came. One that does not say when it happened happened `now`.
///
/// An event about a payment page carries the page as it was then. Paid, failed and expired are final, so such a page is
/// believed; any other may have changed before the event arrived, and so may one that this version can't read.
///
/// # Errors
/// [`Unreadable`] when the envelope itself can't be read.
pub fn event(text: &str, now: Timestamp) -> Result<ProviderEvent, Unreadable> {
    let wire: WireEvent = read("event", text)?;
    let created_at = wire
        .created
        .map_or(Some(now), Timestamp::from_unix_seconds)
        .ok_or_else(|| Unreadable::new("event", "its time is out of range"))?;
    let object = wire.data.object.get();
    let subject = match wire.kind.as_str() {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => checkout_subject(&wire.kind, object)?,
        "payment_intent.succeeded" => EventSubject::Intent(intent(object)?),
        "charge.refunded" | "refund.created" | "refund.updated" | "refund.failed" => {
            match read::<WireRefunded>("refund", object)?.payment_intent {
                Some(intent) => EventSubject::Refunds { payment_intent: intent.id() },
                None => EventSubject::Other,
            }
        }
        "charge.dispute.created"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => EventSubject::Dispute(object_id(object)?),
        _ => EventSubject::Other,
    };
    Ok(ProviderEvent {
        inbox: InboxEvent { id: wire.id, kind: wire.kind, created_at, body: text.to_owned() },
        subject,
    })
}

fn checkout_subject(kind: &str, object: &str) -> Result<EventSubject, Unreadable> {
    let Ok(checkout) = checkout(object) else {
        let id = object_id(object)?;
        let checkout = Checkout {
            id,
            url: None,
            status: CheckoutStatus::Open,
            paid: false,
            payment_intent: None,
            amount: None,
            order: None,
        };
        return Ok(EventSubject::Checkout { checkout, failed: false, final_word: false });
    };
    let failed = kind == "checkout.session.async_payment_failed";
    let settled = checkout.paid && checkout.payment_intent.is_some() && checkout.amount.is_some();
    let final_word = settled || failed || checkout.status == CheckoutStatus::Expired;
    Ok(EventSubject::Checkout { checkout, failed, final_word })
}

fn page<T>(
    text: &str,
    decode: impl Fn(&RawValue) -> Result<T, Unreadable>,
    id: impl Fn(&T) -> &String,
) -> Result<Page<T>, Unreadable> {
    let wire: WireList = read("list", text)?;
    let items = wire.data.iter().map(|item| decode(item)).collect::<Result<Vec<_>, _>>()?;
    let after = if wire.has_more { items.last().map(|item| id(item).clone()) } else { None };
    Ok(Page { items, after })
}

fn read<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|reason| Unreadable::new(what, reason))
}

fn money(what: &'static str, minor: i64, code: &str) -> Result<Money, Unreadable> {
    let currency =
        Currency::parse(code).ok_or_else(|| Unreadable::new(what, format!("unknown currency {code}")))?;
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
mod tests;
