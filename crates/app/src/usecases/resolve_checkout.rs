//! What became of a payment page: the return page and its client ask until it is known.

use kernel::PlanCode;
use kernel::SessionType;
use kernel::id::{OrderId, SessionId, UserId};
use payments::gateway::CheckoutStatus;
use payments::{GatewayError, Order, OrderKind, OrderStatus};

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::fulfil_order::Fulfilling;
use crate::usecases::receive_webhook::apply_checkout;
use crate::usecases::start_checkout::Refusal;

/// What became of a payment page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// It was paid, and this is the session.
    Session {
        /// The session.
        id: SessionId,
        /// What it is now.
        session_type: SessionType,
        /// Whether it was there before, and this changed it.
        changed: bool,
    },
    /// Nobody paid yet, or the money is on its way.
    Processing {
        /// Whether the payment page waits for somebody to pay, as far as the provider says.
        open: bool,
    },
    /// The payment failed for good.
    Failed,
    /// The page was closed before it was paid.
    Expired,
    /// The money goes back or went back.
    Returned,
}

/// What became of this customer's payment page. The provider is asked when nothing is known yet, so that a late webhook
/// holds nobody up: whoever hears of the money first makes the session.
///
/// # Errors
/// [`Refusal::NotFound`] for a page that isn't this customer's; the storage's.
pub async fn resolve_checkout(
    pitlane: &Pitlane,
    customer: UserId,
    checkout: &str,
) -> Result<Resolved, Error> {
    let order = own(pitlane, customer, checkout).await?;
    if order.status().is_pending() {
        let open = match ask(pitlane, checkout).await {
            Ok(status) => status == CheckoutStatus::Open,
            Err(Error::Gateway(error)) => {
                tracing::warn!(%error, order = %order.id(), "the payment page can't be read; the webhook will tell");
                return Ok(Resolved::Processing { open: false });
            }
            Err(error) => return Err(error),
        };
        return resolved(pitlane, own(pitlane, customer, checkout).await?, open).await;
    }
    resolved(pitlane, order, false).await
}

/// What a payment page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A session of this plan.
    Plan(PlanCode),
    /// Video or more time in this session.
    Change(SessionId),
}

/// What this customer's payment page asks for.
///
/// # Errors
/// [`Refusal::NotFound`] for a page that isn't this customer's; the storage's.
pub async fn wanted(pitlane: &Pitlane, customer: UserId, checkout: &str) -> Result<Wanted, Error> {
    let order = own(pitlane, customer, checkout).await?;
    let terms = order.terms();
    Ok(terms.session.map_or(Wanted::Plan(terms.plan), Wanted::Change))
}

/// Asks the provider what became of a payment page, acts on the answer, and answers where the page stands.
///
/// # Errors
/// [`Error::Gateway`]; the storage's.
pub async fn ask(pitlane: &Pitlane, checkout: &str) -> Result<CheckoutStatus, Error> {
    let found = pitlane.gateway.checkout_by_id(checkout).await?;
    // A page that was completed and not paid may wait for its money or have failed; only its payment knows.
    let failed = match (&found.payment_intent, found.paid, found.status) {
        (Some(intent), false, CheckoutStatus::Complete) => has_failed(pitlane, intent).await?,
        _ => false,
    };
    let (cx, fulfilling, status) = (pitlane.context(), Fulfilling::new(pitlane), found.status);
    pitlane.db.write(move |tx| apply_checkout(tx, &found, failed, &fulfilling, &cx).map(drop)).await?;
    Ok(status)
}

async fn has_failed(pitlane: &Pitlane, intent: &str) -> Result<bool, GatewayError> {
    use payments::gateway::IntentStatus;
    let intent = pitlane.gateway.intent_by_id(intent).await?;
    Ok(match intent.status {
        IntentStatus::Cancelled => true,
        IntentStatus::NeedsCustomer => intent.failure.is_some(),
        IntentStatus::Processing | IntentStatus::Succeeded => false,
    })
}

async fn own(pitlane: &Pitlane, customer: UserId, checkout: &str) -> Result<Order, Error> {
    // Text from a link may hold what PostgreSQL can't compare with, such as NUL; no page has such an id.
    if !checkout.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::NotFound.into());
    }
    let checkout = checkout.to_owned();
    pitlane
        .db
        .read(move |tx| {
            let order = payments::Store::order_by_checkout(tx, &checkout)?;
            order.filter(|order| order.terms().customer == customer).ok_or_else(|| Refusal::NotFound.into())
        })
        .await
}

async fn resolved(pitlane: &Pitlane, order: Order, open: bool) -> Result<Resolved, Error> {
    if let Some(id) = order.session() {
        let session = pitlane
            .db
            .read(move |tx| {
                let session = sessions::Store::session_by_id(tx, id)?;
                session.ok_or_else(|| Error::from(Refusal::NotFound))
            })
            .await?;
        let changed = order.terms().kind != OrderKind::Session;
        return Ok(Resolved::Session { id, session_type: session.parts().session_type, changed });
    }
    Ok(match order.status() {
        OrderStatus::Open | OrderStatus::Processing => Resolved::Processing { open },
        OrderStatus::Paid | OrderStatus::Fulfilled | OrderStatus::Refunded => Resolved::Returned,
        OrderStatus::Expired => Resolved::Expired,
        OrderStatus::Failed if charged(pitlane, order.id()).await? => Resolved::Returned,
        OrderStatus::Failed => Resolved::Failed,
    })
}

// A failed order may have taken money all the same, which then goes back.
async fn charged(pitlane: &Pitlane, order: OrderId) -> Result<bool, Error> {
    let payments =
        pitlane.db.read(move |tx| payments::Store::payments_of_order(tx, order).map_err(Error::from)).await?;
    Ok(!payments.is_empty())
}
