//! What a paid order becomes: a session with its customer in it, and a request for a mechanic; or a session that changes.
//!
//! The webhook, the return page, reconciliation and the free plan all end here, inside the transaction that records the
//! money. It may be called any number of times for one order: the first call makes the session, the others find it.
//! Money for which no session can be made goes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{NewRequest, Routing};
use intake::Intake;
use jobs::{JobKind, NewJob};
use kernel::id::{OrderId, RequestId, SessionId};
use kernel::{Context, PlanCode, StoreError, Timestamp};
use notifications::Milestone;
use payments::{
    Charge, NewOrder, Order, OrderKind, OrderStatus, Payment, Placement, Purchase, Refund, RefundReason,
    Settlement,
};
use pricing::{Catalog, PriceBook};
use sessions::{NewSession, Session};
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::mail::{self, About};
use crate::usecases::money_lines::tell_paid;
use crate::usecases::start_checkout::Refusal;
use crate::usecases::{
    Error, expire_request, extend_session, journey, offer_request, personal, upgrade_session,
};

/// What fulfilment needs beside the transaction.
#[derive(Clone)]
pub struct Fulfilling {
    /// The price books: they say what a plan is.
    pub catalog: Arc<Catalog>,
    /// How long a request may wait for a mechanic before the customer gets the money back.
    pub refund_after_seconds: i64,
}

impl Fulfilling {
    /// As this server is configured.
    pub fn new(pitlane: &Pitlane) -> Self {
        Self {
            catalog: Arc::clone(&pitlane.catalog),
            refund_after_seconds: i64::from(pitlane.settings.dispatch.refund_after_seconds),
        }
    }
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fulfilment {
    /// The session was made now.
    Made(SessionId),
    /// The session had been made.
    MadeBefore(SessionId),
    /// The money is on its way back, or has gone back.
    Returned,
}

/// Records a charge that the provider says has succeeded, and makes what it pays for. `seen` is its order as it was read,
/// without a lock.
///
/// # Errors
/// The storage's. Nothing that a session could object to is an error: it sends the money back.
pub fn settle_and_fulfil(
    tx: &mut Tx<'_>,
    seen: &Order,
    charge: &Charge,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Fulfilment, Error> {
    // A session is locked before its orders, here as when it is cancelled.
    if let Some(session) = seen.terms().session {
        sessions::Store::session_for_update(tx, session)?;
    }
    match payments::settle(tx, seen.id(), charge, cx)? {
        Settlement::Replayed(order) => resume(tx, order, fulfilling, cx),
        Settlement::Kept { order, superseded } => {
            for other in superseded {
                close_payment_page(tx, other, cx)?;
            }
            fulfil(tx, order, fulfilling, cx)
        }
        Settlement::Surplus { order, refund } => {
            tracing::warn!(order = %order.id(), refund = %refund.id, "a charge that buys nothing goes back");
            carry_out_refund(tx, &order, &refund, cx)?;
            Ok(order.session().map_or(Fulfilment::Returned, Fulfilment::MadeBefore))
        }
    }
}

/// Goes on with an order whose charge was recorded before.
///
/// # Errors
/// The storage's.
pub fn resume(
    tx: &mut Tx<'_>,
    order: Order,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Fulfilment, Error> {
    match (order.status(), order.session()) {
        (OrderStatus::Paid, _) if !money_goes_back(tx, &order)? => fulfil(tx, order, fulfilling, cx),
        (OrderStatus::Fulfilled, Some(session)) => Ok(Fulfilment::MadeBefore(session)),
        (
            OrderStatus::Open
            | OrderStatus::Processing
            | OrderStatus::Paid
            | OrderStatus::Fulfilled
            | OrderStatus::Expired
            | OrderStatus::Failed
            | OrderStatus::Refunded,
            _,
        ) => Ok(Fulfilment::Returned),
    }
}

/// Orders the free plan for this intake and makes its session at once, in the caller's transaction. The same intake again
/// answers with the session that is there.
///
/// # Errors
/// [`payments::Error::FreePlanUsed`], whatever the session objects to, and the storage's.
pub fn order_free(
    tx: &mut Tx<'_>,
    intake: &Intake,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<SessionId, Error> {
    let book = fulfilling.catalog.active();
    let order = match payments::place(tx, new_order(intake, book)?, cx)? {
        Placement::Placed(order) | Placement::Reused(order) => order,
        Placement::Bought(order) => {
            return order.session().ok_or_else(|| payments::Error::FreePlanUsed.into());
        }
    };
    if !accounts::UserStore::user_claim_free_session(tx, intake.customer, cx.now)? {
        return Err(payments::Error::FreePlanUsed.into());
    }
    let order = payments::settle_free(tx, order.id(), cx)?;
    let session = make_session(tx, &order, fulfilling, cx)?.id();
    payments::complete(tx, order, session, cx)?;
    Ok(session)
}

/// What an intake is ordered with, under that book.
///
/// # Errors
/// [`Refusal::PlanNotSold`] when the book doesn't sell the plan.
pub fn new_order(intake: &Intake, book: &PriceBook) -> Result<NewOrder, Error> {
    let plan = book.plan(intake.plan).ok_or(Refusal::PlanNotSold)?;
    Ok(NewOrder {
        customer: intake.customer,
        intake: intake.id,
        purchase: Purchase::Session,
        plan: plan.code(),
        book: book.version().to_owned(),
        multiplier: kernel::BasisPoints::ONE,
        amount: plan.price(),
        tax_rate: book.tax_rate(),
        fee_rate: book.platform_fee(),
        lifetime_seconds: payments::order::CHECKOUT_SECONDS,
    })
}

/// The notes that go with a payment and its session, for people to read (schema v1). Only the order's id is ever read
/// back.
pub fn notes(order: &Order, intake: &Intake, email: &str) -> BTreeMap<String, String> {
    let terms = order.terms();
    let mut notes = BTreeMap::from([
        ("order_id".to_owned(), terms.id.to_string()),
        ("quote_id".to_owned(), terms.quote.clone()),
        ("plan".to_owned(), terms.plan.as_str().to_owned()),
        ("intake_id".to_owned(), terms.intake.to_string()),
        ("customer_email".to_owned(), email.to_owned()),
        ("routing_type".to_owned(), intake.routing.as_str().to_owned()),
    ]);
    let optional = [
        ("preferred_mechanic_id", intake.preferred_provider.map(|id| id.to_string())),
        ("provider_type", intake.provider_type.map(|kind| kind.as_str().to_owned())),
        ("upsell_id", intake.upsell.map(|id| id.to_string())),
    ];
    notes.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    notes
}

/// Makes sure that the order's payment page is closed at the provider, soon.
///
/// # Errors
/// The storage's.
pub fn close_payment_page(tx: &mut Tx<'_>, order: OrderId, cx: &Context) -> Result<(), Error> {
    schedule_closing(tx, order, "now", cx.now, cx)
}

/// Makes sure that somebody asks at `at` what became of the charge of a kept card.
///
/// # Errors
/// The storage's.
pub fn look_again(tx: &mut Tx<'_>, order: &Order, at: Timestamp, cx: &Context) -> Result<(), Error> {
    schedule_closing(tx, order.id(), "charge", at, cx)
}

/// Makes sure that the order is closed once its payment page has run out.
///
/// # Errors
/// The storage's.
pub fn close_when_due(tx: &mut Tx<'_>, order: &Order, cx: &Context) -> Result<(), Error> {
    // A little later than the provider does it by itself.
    let at = order.terms().expires_at.plus_seconds(5);
    schedule_closing(tx, order.id(), "due", at, cx)
}

fn schedule_closing(
    tx: &mut Tx<'_>,
    order: OrderId,
    cause: &str,
    run_at: Timestamp,
    cx: &Context,
) -> Result<(), Error> {
    let job = NewJob {
        kind: JobKind::ExpireOrder,
        payload: serde_json::json!({ "order_id": order }).to_string(),
        run_at,
        dedupe_key: Some(format!("expire_order:{order}:{cause}")),
    };
    jobs::schedule(tx, job, cx)?;
    Ok(())
}

/// Schedules the carrying out of a refund that was written in this transaction.
///
/// # Errors
/// The storage's.
pub fn carry_out_refund(tx: &mut Tx<'_>, order: &Order, refund: &Refund, cx: &Context) -> Result<(), Error> {
    let job = NewJob {
        kind: JobKind::Refund,
        payload: serde_json::json!({ "refund_id": refund.id }).to_string(),
        run_at: cx.now,
        dedupe_key: Some(format!("refund:{}", refund.id)),
    };
    jobs::schedule(tx, job, cx)?;
    let customer = order.terms().customer;
    mail::enqueue(tx, Milestone::Refunded, customer, About::Refund(refund.id), cx)?;
    let fields = serde_json::json!({
        "order_id": order.id(), "session_id": order.session(),
        "amount_cents": refund.amount.minor(), "currency": refund.amount.currency().as_str(),
    });
    personal::tell(tx, customer, Side::Customer, "refunded", fields, cx);
    Ok(())
}

/// Makes or changes the session of a paid order, or sends the money back when that can't be done.
fn fulfil(tx: &mut Tx<'_>, order: Order, fulfilling: &Fulfilling, cx: &Context) -> Result<Fulfilment, Error> {
    let made = tx.savepoint(|tx| match order.terms().kind {
        OrderKind::Session => make_session(tx, &order, fulfilling, cx),
        OrderKind::Upgrade => upgrade_session::apply(tx, &order, fulfilling, cx),
        OrderKind::Extension => extend_session::apply(tx, &order, fulfilling, cx),
    });
    match made {
        Ok(session) => {
            let id = session.id();
            tell_paid(tx, &order, session, cx)?;
            payments::complete(tx, order, id, cx)?;
            Ok(Fulfilment::Made(id))
        }
        Err(error) if error.is_storage() => Err(error),
        Err(reason) => {
            tracing::error!(order = %order.id(), %reason, "a paid order can't be made; its money goes back");
            send_back(tx, &order, cx)?;
            Ok(Fulfilment::Returned)
        }
    }
}

fn send_back(tx: &mut Tx<'_>, order: &Order, cx: &Context) -> Result<(), Error> {
    let Some(kept) = kept_payment(tx, order)? else {
        return Err(StoreError::corrupt("order", format!("{} is paid and has no payment", order.id())).into());
    };
    let refund = payments::request_refund(tx, kept.id, kept.remaining()?, RefundReason::Unfulfillable, cx)?;
    carry_out_refund(tx, order, &refund, cx)
}

// A refund that failed counts too: a person looks at it, and nothing starts over by itself.
fn money_goes_back(tx: &mut Tx<'_>, order: &Order) -> Result<bool, Error> {
    let Some(payment) = kept_payment(tx, order)? else { return Ok(false) };
    Ok(!payments::Store::refunds_of_payment(tx, payment.id)?.is_empty())
}

fn kept_payment(tx: &mut Tx<'_>, order: &Order) -> Result<Option<Payment>, StoreError> {
    let payments = payments::Store::payments_of_order(tx, order.id())?;
    Ok(payments.into_iter().find(|payment| !payment.surplus))
}

fn make_session(
    tx: &mut Tx<'_>,
    order: &Order,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Session, Error> {
    let terms = order.terms();
    let intake = intake::Store::intake_by_id(tx, terms.intake)?.ok_or(Refusal::IntakeRequired)?;
    // Money can still be on its way when its customer leaves; it goes back.
    let customer = accounts::UserStore::user_by_id(tx, terms.customer)?
        .filter(|customer| customer.status() != accounts::user::Status::Erased)
        .ok_or(Refusal::NotFound)?;
    let plan = fulfilling
        .catalog
        .book(&terms.book)
        .and_then(|book| book.plan(terms.plan))
        .ok_or(Refusal::PlanNotSold)?;
    let mut metadata = notes(order, &intake, customer.email().as_str());
    metadata.extend(order.state().checkout.clone().map(|id| ("stripe_session_id".to_owned(), id)));
    let session = sessions::open(
        tx,
        NewSession {
            id: SessionId::new(cx.id()),
            customer: terms.customer,
            plan: terms.plan,
            session_type: plan.session_type(),
            allowance_minutes: plan.duration_minutes(),
            intake: terms.intake,
            price_book: terms.book.clone(),
            scheduled_for: None,
            metadata,
        },
        cx,
    )?;
    for file in &intake.files {
        // A file that has expired meanwhile is no reason to refuse the session.
        let attached =
            sessions::Store::files_attach(tx, &[*file], terms.customer, session.id(), u64::MAX, cx.now)?;
        if attached.is_err() {
            tracing::warn!(%file, session = %session.id(), "a file of the intake is gone");
        }
    }
    let request = NewRequest {
        id: RequestId::new(cx.id()),
        session: session.id(),
        customer: terms.customer,
        routing: match intake.routing {
            intake::Routing::Broadcast => Routing::Broadcast,
            intake::Routing::PriorityBroadcast => Routing::PriorityBroadcast,
        },
        preferred_provider: intake.preferred_provider,
        expires_at: cx.now.plus_seconds(fulfilling.refund_after_seconds),
    };
    let give_up_at = request.expires_at;
    offer_request::offer_request(tx, request, &customer, &session, cx)?;
    expire_request::schedule(tx, session.id(), give_up_at, cx)?;
    journey::record(
        tx,
        crm::NewInteraction::checkout_completed(
            terms.customer,
            session.id(),
            terms.id,
            terms.plan,
            terms.amount,
            order.state().checkout.as_deref().filter(|_| terms.plan != PlanCode::Free),
        ),
        cx,
    )?;
    mail::enqueue(tx, Milestone::BookingConfirmed, terms.customer, About::Session(session.id()), cx)?;
    if !terms.amount.is_zero() {
        mail::enqueue(tx, Milestone::Receipt, terms.customer, About::Order(terms.id), cx)?;
    }
    Ok(session)
}
