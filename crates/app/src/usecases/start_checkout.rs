//! From an intake to a payment page.

use std::sync::Arc;

use intake::Intake;
use intake::upload::INTAKE_SECONDS;
use kernel::id::{IntakeId, OrderId, SessionId, UserId};
use kernel::{Context, PlanCode};
use payments::gateway::{Checkout, CheckoutLine, NewCheckout, NewCustomer};
use payments::{Gateway, GatewayError, Order, OrderStatus, Placement};
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::fulfil_order::{close_when_due, new_order, notes};
use crate::usecases::{Error, journey};

/// Why there is no payment page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such order or page, or it is somebody else's.
    #[error("there is no such order")]
    NotFound,
    /// There is no such intake, or it is somebody else's.
    #[error("there is no such intake")]
    IntakeRequired,
    /// The price book doesn't sell the plan.
    #[error("the plan is not sold")]
    PlanNotSold,
    /// The customer has paid, and the money is on its way.
    #[error("the payment is under way")]
    PaymentUnderWay,
    /// It was paid, can't be made, and the money goes back.
    #[error("the money goes back")]
    Returned,
}

/// Where the customer goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// To the payment page.
    Open(PaymentPage),
    /// To the session: this intake was paid.
    Bought(SessionId),
}

/// A payment page that waits for its customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPage {
    /// The order.
    pub order: OrderId,
    /// The provider's id of the page.
    pub checkout: String,
    /// Its address.
    pub url: String,
}

/// Opens the payment page of an intake, or finds the one that is open. The order is committed with its idempotency key
/// before the provider is called, so a crash anywhere leaves at most one page, and calling again finds it.
///
/// # Errors
/// [`Refusal::IntakeRequired`] when the intake doesn't exist or belongs to somebody else; [`Refusal::PaymentUnderWay`];
/// [`Refusal::Returned`]; [`payments::Error::FreePlanUsed`] for an intake of the free plan, which is never paid;
/// [`Error::Gateway`]; the storage's.
pub async fn start_checkout(pitlane: &Pitlane, customer: UserId, intake: IntakeId) -> Result<Started, Error> {
    match attempt(pitlane, customer, intake).await {
        // What the provider knew of this customer is gone there (another key, an emptied sandbox), or an older
        // attempt said other things under the same key. That order was given up; a new one starts afresh, once.
        Err(Error::Gateway(refused)) if is_stale(&refused) => {
            tracing::warn!(%refused, "no payment page could be made; trying a new order");
            attempt(pitlane, customer, intake).await
        }
        answer => answer,
    }
}

/// The intake that a link to the payment page of a plan means: the customer's newest one that is neither paid nor being
/// paid. It counts as long as its files are kept, and while the waiver that it accepts is in force.
///
/// # Errors
/// The storage's.
pub async fn intake_to_pay(
    pitlane: &Pitlane,
    customer: UserId,
    plan: PlanCode,
) -> Result<Option<IntakeId>, Error> {
    let after = pitlane.clock.now().plus_seconds(-INTAKE_SECONDS);
    let waiver = pitlane.waivers.current().version().to_owned();
    pitlane
        .db
        .read(move |tx| {
            store::views::checkout::unpaid_intake(tx, customer, plan, &waiver, after).map_err(Error::from)
        })
        .await
}

pub(super) fn is_stale(refused: &GatewayError) -> bool {
    is_unknown_object(refused)
        || matches!(refused, GatewayError::Refused { code, .. } if code == "idempotency_error")
}

pub(super) fn is_unknown_object(refused: &GatewayError) -> bool {
    match refused {
        GatewayError::Missing => true,
        GatewayError::Refused { code, .. } => code == "resource_missing",
        GatewayError::Declined { .. } | GatewayError::UnknownOutcome(_) | GatewayError::Unavailable(_) => {
            false
        }
    }
}

async fn attempt(pitlane: &Pitlane, customer: UserId, intake: IntakeId) -> Result<Started, Error> {
    let cx = pitlane.context();
    let (catalog, inside) = (Arc::clone(&pitlane.catalog), cx.clone());
    let placed = pitlane.db.write(move |tx| place(tx, customer, intake, &catalog, &inside)).await?;
    let Placed { order, intake, email, name, reference } = match placed {
        Step::Go(placed) => *placed,
        Step::Stop(started) => return Ok(started),
    };
    if let Some(open) = page(&order) {
        return Ok(Started::Open(open));
    }
    let gateway = &*pitlane.gateway;
    let called = async {
        let payer = Payer { customer, email: email.clone(), name };
        let reference = known_payer(pitlane, payer, reference).await?;
        let new = new_checkout(pitlane, &order, &intake, &email, reference);
        Ok::<_, Error>(gateway.checkout_create(&new).await?)
    };
    match called.await {
        Ok(checkout) => offer(pitlane, gateway, &order, &checkout, &cx).await.map(Started::Open),
        // Nothing will come of this order; the next attempt makes another.
        Err(Error::Gateway(refused @ (GatewayError::Refused { .. } | GatewayError::Missing))) => {
            give_up(pitlane, &order, customer, &refused, &cx).await?;
            Err(refused.into())
        }
        Err(error) => Err(error),
    }
}

/// Who pays, as the provider is told.
pub(super) struct Payer {
    pub(super) customer: UserId,
    pub(super) email: String,
    pub(super) name: String,
}

/// The provider's id of a person, made and kept when there is none yet.
pub(super) async fn known_payer(
    pitlane: &Pitlane,
    payer: Payer,
    known: Option<String>,
) -> Result<String, Error> {
    if let Some(reference) = known {
        return Ok(reference);
    }
    let Payer { customer, email, name } = payer;
    let made = pitlane.gateway.customer_create(&NewCustomer { customer, email, name }).await?;
    let (kept, now) = (made.clone(), pitlane.clock.now());
    pitlane
        .db
        .write(move |tx| {
            payments::Store::customer_reference_put(tx, customer, &kept, now).map_err(Error::from)
        })
        .await?;
    Ok(made)
}

struct Placed {
    order: Order,
    intake: Intake,
    email: String,
    name: String,
    reference: Option<String>,
}

enum Step {
    Go(Box<Placed>),
    Stop(Started),
}

fn place(
    tx: &mut Tx<'_>,
    customer: UserId,
    intake: IntakeId,
    catalog: &pricing::Catalog,
    cx: &Context,
) -> Result<Step, Error> {
    let intake = intake::Store::intake_by_id_for_update(tx, intake)?
        .filter(|intake| intake.customer == customer)
        .ok_or(Refusal::IntakeRequired)?;
    let new = new_order(&intake, catalog.active())?;
    if new.amount.is_zero() {
        let quote = payments::order::session_quote(intake.id);
        let made = payments::Store::orders_of_quote_for_update(tx, &quote)?;
        return match made.iter().find_map(Order::session) {
            Some(session) => Ok(Step::Stop(Started::Bought(session))),
            None => Err(payments::Error::FreePlanUsed.into()),
        };
    }
    let order = match payments::place(tx, new, cx)? {
        Placement::Placed(order) => {
            close_when_due(tx, &order, cx)?;
            let terms = order.terms();
            let step =
                crm::NewInteraction::checkout_started(customer, terms.id, terms.plan, terms.amount, None);
            journey::record(tx, step, cx)?;
            order
        }
        Placement::Reused(order) if order.status() == OrderStatus::Processing => {
            return Err(Refusal::PaymentUnderWay.into());
        }
        Placement::Reused(order) => order,
        Placement::Bought(order) => {
            return order
                .session()
                .map(|session| Step::Stop(Started::Bought(session)))
                .ok_or_else(|| Refusal::Returned.into());
        }
    };
    let user = accounts::UserStore::user_by_id(tx, customer)?.ok_or(Refusal::NotFound)?;
    Ok(Step::Go(Box::new(Placed {
        order,
        intake,
        email: user.email().as_str().to_owned(),
        name: user.name().to_owned(),
        reference: payments::Store::customer_reference(tx, customer)?,
    })))
}

pub(super) fn page(order: &Order) -> Option<PaymentPage> {
    let state = order.state();
    let (checkout, url) = (state.checkout.clone()?, state.checkout_url.clone()?);
    (order.status() == OrderStatus::Open).then(|| PaymentPage { order: order.id(), checkout, url })
}

fn new_checkout(
    pitlane: &Pitlane,
    order: &Order,
    intake: &Intake,
    email: &str,
    customer: String,
) -> NewCheckout {
    let terms = order.terms();
    let public_url = &pitlane.settings.server.public_url;
    let plan = pitlane.catalog.book(&terms.book).and_then(|book| book.plan(terms.plan));
    let environment = pitlane.settings.environment_name();
    let price = plan
        .filter(|_| terms.multiplier == kernel::BasisPoints::ONE)
        .and_then(|plan| plan.stripe_price_id(environment))
        .map(str::to_owned);
    NewCheckout {
        order: terms.id,
        idempotency_key: terms.idempotency_key.clone(),
        customer,
        line: CheckoutLine {
            name: plan.map_or_else(|| terms.plan.as_str().to_owned(), |plan| plan.name().to_owned()),
            amount: terms.amount,
            price,
        },
        success_url: format!("{public_url}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: format!("{public_url}/intake?plan={}", terms.plan),
        expires_at: terms.expires_at,
        metadata: notes(order, intake, email),
    }
}

/// Commits the page that was made and answers it. A page that asks for another amount than was agreed (a configured
/// price id of a changed price) is closed and never shown.
pub(super) async fn offer(
    pitlane: &Pitlane,
    gateway: &dyn Gateway,
    order: &Order,
    checkout: &Checkout,
    cx: &Context,
) -> Result<PaymentPage, Error> {
    let agreed = order.terms().amount;
    if checkout.amount != Some(agreed) {
        let asked =
            checkout.amount.map_or_else(|| "nothing readable".to_owned(), |amount| amount.to_string());
        tracing::error!(order = %order.id(), %agreed, %asked, "the payment page asks for another amount");
        let refused = GatewayError::Refused {
            code: "price_mismatch".to_owned(),
            message: format!("the payment page asks for {asked} instead of {agreed}: check the price ids"),
        };
        gateway.checkout_expire(&checkout.id).await?;
        give_up(pitlane, order, order.terms().customer, &refused, cx).await?;
        return Err(refused.into());
    }
    let (id, made) = (order.id(), checkout.clone());
    let offered = pitlane
        .db
        .write(move |tx| {
            let order = payments::note_checkout(tx, id, &made.id, made.url.as_deref())?;
            Ok::<_, Error>(order)
        })
        .await?;
    match page(&offered) {
        Some(page) => Ok(page),
        // Paid or closed between the two calls.
        None => Err(Refusal::PaymentUnderWay.into()),
    }
}

pub(super) async fn give_up(
    pitlane: &Pitlane,
    order: &Order,
    customer: UserId,
    refused: &GatewayError,
    cx: &Context,
) -> Result<(), Error> {
    let (id, forget, inside) = (order.id(), is_unknown_object(refused), cx.clone());
    pitlane
        .db
        .write(move |tx| {
            if forget {
                payments::Store::customer_reference_delete(tx, customer)?;
            }
            payments::give_up(tx, id, &inside)?;
            Ok::<_, Error>(())
        })
        .await
}
