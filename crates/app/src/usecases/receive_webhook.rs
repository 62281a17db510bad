//! What the payment provider tells, by webhook or by its list of events.

use kernel::Context;
use kernel::id::OrderId;
use payments::gateway::{
    Checkout, CheckoutStatus, EventSubject, Intent, IntentStatus, ProviderDispute, ProviderEvent,
    ProviderRefund,
};
use payments::{Charge, GatewayError, Order, OrderKind, Outcome};
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::fulfil_order::{Fulfilling, Fulfilment, settle_and_fulfil};
use crate::usecases::money_lines::telling_refunds;
use crate::usecases::{Error, monitor};

/// Takes a webhook: proves its origin, then applies it. What the business objects to is an outcome and no error, so that
/// the provider doesn't send it again; only the storage or an unreachable provider makes it come back.
///
/// # Errors
/// [`Error::Callback`] for a wrong signature, with nothing written; the storage's and the gateway's.
pub async fn receive_webhook(pitlane: &Pitlane, body: &[u8], signature: &str) -> Result<Outcome, Error> {
    let event = pitlane.gateway.event_from_callback(body, signature, pitlane.clock.now())?;
    apply_event(pitlane, event).await
}

/// Applies an event once, however often and in whatever order events come.
///
/// # Errors
/// The storage's and the gateway's; the event is then not claimed and can come again.
pub async fn apply_event(pitlane: &Pitlane, event: ProviderEvent) -> Result<Outcome, Error> {
    let (id, kind) = (event.inbox.id.clone(), event.inbox.kind.clone());
    let news = News::learn(pitlane, event.subject).await?;
    let (cx, fulfilling, inbox) = (pitlane.context(), Fulfilling::new(pitlane), event.inbox);
    let outcome = pitlane
        .db
        .write(move |tx| {
            if !payments::claim_event(tx, &inbox, &cx)? {
                return Ok(Outcome::Replayed);
            }
            let order = news.order(tx)?;
            let outcome = news.apply(tx, order.as_ref(), &fulfilling, &cx)?;
            let order = news.kept_with(tx, order)?;
            payments::Store::event_conclude(tx, &inbox.id, outcome, order)?;
            Ok::<_, Error>(outcome)
        })
        .await?;
    tracing::info!(event = %id, %kind, outcome = outcome.as_str(), "an event of the payment provider");
    Ok(outcome)
}

/// What an event comes to, with everything read that had to be read again.
enum News {
    Checkout { checkout: Checkout, failed: bool },
    Intent(Intent),
    Refunds { payment_intent: String, refunds: Vec<ProviderRefund> },
    Dispute(ProviderDispute),
    Nothing,
    Unknown,
}

impl News {
    /// An event that can't be the last word is a reason to look, not a fact: the object is read again.
    async fn learn(pitlane: &Pitlane, subject: EventSubject) -> Result<Self, GatewayError> {
        match subject {
            EventSubject::Checkout { checkout, failed, final_word: true } => {
                Ok(Self::Checkout { checkout, failed })
            }
            EventSubject::Checkout { checkout, failed, final_word: false } => {
                match pitlane.gateway.checkout_by_id(&checkout.id).await {
                    Ok(checkout) => Ok(Self::Checkout { checkout, failed }),
                    Err(GatewayError::Missing) => Ok(Self::Unknown),
                    Err(error) => Err(error),
                }
            }
            // A payment that has succeeded stays so.
            EventSubject::Intent(intent) => Ok(Self::Intent(intent)),
            EventSubject::Refunds { payment_intent } => {
                match pitlane.gateway.refunds_of_intent(&payment_intent).await {
                    Ok(refunds) => Ok(Self::Refunds { payment_intent, refunds }),
                    Err(GatewayError::Missing) => Ok(Self::Unknown),
                    Err(error) => Err(error),
                }
            }
            EventSubject::Dispute(id) => match pitlane.gateway.dispute_by_id(&id).await {
                Ok(Some(dispute)) => Ok(Self::Dispute(dispute)),
                Ok(None) | Err(GatewayError::Missing) => Ok(Self::Unknown),
                Err(error) => Err(error),
            },
            EventSubject::Other => Ok(Self::Nothing),
        }
    }

    /// The order it is about.
    fn order(&self, tx: &mut Tx<'_>) -> Result<Option<Order>, Error> {
        Ok(match self {
            Self::Checkout { checkout, .. } => order_of(tx, checkout)?,
            Self::Intent(Intent { order: Some(id), .. }) => payments::Store::order_by_id(tx, *id)?,
            Self::Refunds { payment_intent, .. } | Self::Dispute(ProviderDispute { payment_intent, .. }) => {
                match payments::Store::payment_by_intent(tx, payment_intent)? {
                    Some(payment) => payments::Store::order_by_id(tx, payment.order)?,
                    None => None,
                }
            }
            Self::Intent(_) | Self::Nothing | Self::Unknown => None,
        })
    }

    /// The order with which its text is kept. Without one the text, which names a person, has no reason to be kept: it
    /// tells of nothing that is known here, or of somebody who has left.
    fn kept_with(&self, tx: &mut Tx<'_>, order: Option<Order>) -> Result<Option<OrderId>, Error> {
        let Some(order) = order else { return Ok(None) };
        // The payment of a page tells nothing that the page doesn't.
        if matches!(self, Self::Intent(_)) && order.terms().kind == OrderKind::Session {
            return Ok(None);
        }
        // Read now: on PostgreSQL they may have left while their session was made.
        let customer = accounts::UserStore::user_by_id(tx, order.terms().customer)?;
        let is_here = customer.is_some_and(|customer| customer.status() != accounts::user::Status::Erased);
        Ok(is_here.then_some(order.id()))
    }

    fn apply(
        &self,
        tx: &mut Tx<'_>,
        order: Option<&Order>,
        fulfilling: &Fulfilling,
        cx: &Context,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Checkout { checkout, failed } => {
                apply_to_order(tx, order, checkout, *failed, fulfilling, cx)
            }
            Self::Intent(intent) => apply_intent(tx, intent, fulfilling, cx),
            Self::Refunds { payment_intent, refunds } => apply_refunds(tx, payment_intent, refunds, cx),
            Self::Dispute(dispute) => Ok(match payments::record_dispute(tx, dispute, cx)? {
                None => Outcome::Unmatched,
                Some(true) => {
                    tracing::warn!(dispute = %dispute.id, status = dispute.status.as_str(), "a payment is disputed");
                    monitor::soon(tx, &format!("dispute:{}:{}", dispute.id, dispute.status.as_str()), cx)?;
                    Outcome::Recorded
                }
                Some(false) => Outcome::Replayed,
            }),
            Self::Nothing => Ok(Outcome::Ignored),
            Self::Unknown => Ok(Outcome::Unmatched),
        }
    }
}

/// Brings our order in line with its payment page. `failed` says that the money of a page that the customer completed
/// will not come.
///
/// # Errors
/// The storage's.
pub fn apply_checkout(
    tx: &mut Tx<'_>,
    checkout: &Checkout,
    failed: bool,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Outcome, Error> {
    let order = order_of(tx, checkout)?;
    apply_to_order(tx, order.as_ref(), checkout, failed, fulfilling, cx)
}

fn apply_to_order(
    tx: &mut Tx<'_>,
    order: Option<&Order>,
    checkout: &Checkout,
    failed: bool,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Outcome, Error> {
    let Some(order) = order else {
        if checkout.paid {
            tracing::error!(checkout = %checkout.id, "money arrived for an order that is not known here");
        }
        return Ok(Outcome::Unmatched);
    };
    // Most often it was noted when the page was made.
    if !order.has_checkout(&checkout.id, checkout.url.as_deref()) {
        payments::note_checkout(tx, order.id(), &checkout.id, checkout.url.as_deref())?;
    }
    if let (true, Some(payment_intent), Some(amount)) =
        (checkout.paid, &checkout.payment_intent, checkout.amount)
    {
        let charge = Charge { payment_intent: payment_intent.clone(), amount };
        return Ok(settled(settle_and_fulfil(tx, order, &charge, fulfilling, cx)?));
    }
    match checkout.status {
        CheckoutStatus::Expired => payments::expire(tx, order.id(), cx)?,
        CheckoutStatus::Complete if failed => payments::give_up(tx, order.id(), cx)?,
        CheckoutStatus::Complete => payments::await_money(tx, order.id())?,
        CheckoutStatus::Open => return Ok(Outcome::Ignored),
    };
    Ok(Outcome::Recorded)
}

/// Brings an order in line with the charge of a kept card. The payments of payment pages are left to their pages, which
/// say more.
///
/// # Errors
/// The storage's.
pub fn apply_intent(
    tx: &mut Tx<'_>,
    intent: &Intent,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Outcome, Error> {
    let Some(order) = intent.order else { return Ok(Outcome::Unmatched) };
    let Some(order) = payments::Store::order_by_id(tx, order)? else { return Ok(Outcome::Unmatched) };
    if order.terms().kind == OrderKind::Session || intent.status != IntentStatus::Succeeded {
        return Ok(Outcome::Ignored);
    }
    let charge = Charge { payment_intent: intent.id.clone(), amount: intent.received };
    Ok(settled(settle_and_fulfil(tx, &order, &charge, fulfilling, cx)?))
}

const fn settled(fulfilment: Fulfilment) -> Outcome {
    match fulfilment {
        Fulfilment::Made(_) => Outcome::Fulfilled,
        Fulfilment::MadeBefore(_) => Outcome::Replayed,
        Fulfilment::Returned => Outcome::Refunding,
    }
}

// The page's id may not be committed yet when its first news arrive; the order's id travels with it for that case.
fn order_of(tx: &mut Tx<'_>, checkout: &Checkout) -> Result<Option<Order>, Error> {
    if let Some(order) = payments::Store::order_by_checkout(tx, &checkout.id)? {
        return Ok(Some(order));
    }
    let Some(id) = checkout.order else { return Ok(None) };
    Ok(payments::Store::order_by_id(tx, id)?)
}

/// Brings our refunds of a payment in line with the provider's, those made there by hand included.
///
/// # Errors
/// The storage's.
pub fn apply_refunds(
    tx: &mut Tx<'_>,
    payment_intent: &str,
    refunds: &[ProviderRefund],
    cx: &Context,
) -> Result<Outcome, Error> {
    let Some(payment) = payments::Store::payment_by_intent(tx, payment_intent)? else {
        return Ok(Outcome::Unmatched);
    };
    telling_refunds(tx, payment.order, cx, |tx| {
        let mut outcome = Outcome::Replayed;
        for refund in refunds {
            if payments::adopt_refund(tx, &payment, refund, cx)?.is_some() {
                outcome = Outcome::Recorded;
            }
        }
        Ok(outcome)
    })
}
