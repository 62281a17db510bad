//! Charging a kept card for something that changes a session, while its holder has one tap to do; and the payment page
//! that takes over when the card, its bank or the lack of one asks for more.
//!
//! The order is committed with its key before the provider is called. Calls at once, and calls that are repeated after a
//! crash, all charge under that key, so one charge comes of them.

use std::collections::BTreeMap;

use kernel::Money;
use kernel::id::{OrderId, SessionId};
use kernel::{BasisPoints, Context, PlanCode, StoreError};
use payments::gateway::{CheckoutLine, IntentStatus, NewCharge, NewCheckout, SavedCard};
use payments::{GatewayError, NewOrder, Order, OrderKind, OrderStatus, Placement, Purchase};
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::start_checkout::{self, Payer, known_payer, offer, page};
use crate::usecases::{Error, fulfil_order};

/// How long after a charge it is looked at again, in seconds, in case nobody came back for it.
const LOOK_AGAIN_SECONDS: i64 = 30;

/// Why no card was charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The customer has to act on a payment page: no card is kept, or its bank wants another one or its holder.
    #[error("the customer has to pay on a page")]
    ActionRequired {
        /// The page's address.
        checkout_url: String,
    },
    /// The provider was asked and it is not known what became of it.
    #[error("it is not known whether the card was charged")]
    OutcomeUnknown,
}

/// A charge that was made for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The order.
    pub order: OrderId,
    /// The provider's id of the charge.
    pub payment_intent: String,
    /// How much.
    pub amount: Money,
}

/// An order that waits for its money, with everything that the provider is told.
#[derive(Debug, Clone)]
pub struct Asked {
    order: Order,
    line: &'static str,
    email: String,
    name: String,
    reference: Option<String>,
    /// The notes that go with the charge, for people to read (schema v1). Only the order's id is ever read back.
    pub notes: BTreeMap<String, String>,
}

/// Places the order of something that changes a session, by what was agreed when the session was `booked`, or finds the
/// one that stands for it. `None` when it was paid before and could not be made: its money goes back.
///
/// # Errors
/// [`start_checkout::Refusal::PaymentUnderWay`]; the storage's.
pub fn place_change(
    tx: &mut Tx<'_>,
    booked: &Order,
    change: Change,
    cx: &Context,
) -> Result<Option<Order>, Error> {
    let terms = booked.terms();
    let new = NewOrder {
        customer: terms.customer,
        intake: terms.intake,
        purchase: change.purchase,
        plan: change.plan,
        book: terms.book.clone(),
        multiplier: change.multiplier,
        amount: change.amount,
        tax_rate: terms.tax_rate,
        fee_rate: terms.fee_rate,
        lifetime_seconds: payments::order::CHECKOUT_SECONDS,
    };
    match payments::place(tx, new, cx)? {
        Placement::Placed(order) => {
            fulfil_order::close_when_due(tx, &order, cx)?;
            Ok(Some(order))
        }
        Placement::Reused(order) if order.status() == OrderStatus::Processing => {
            Err(start_checkout::Refusal::PaymentUnderWay.into())
        }
        Placement::Reused(order) => Ok(Some(order)),
        Placement::Bought(_) => Ok(None),
    }
}

/// What is ordered for a session that exists.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// What it does.
    pub purchase: Purchase,
    /// The plan whose price it leads to.
    pub plan: PlanCode,
    /// The multiplier that the price was made with.
    pub multiplier: BasisPoints,
    /// What it costs.
    pub amount: Money,
}

/// The order that a session was booked with, among its orders.
///
/// # Errors
/// [`StoreError::Corrupt`] for a session that nobody ordered.
pub fn booking(orders: &[Order]) -> Result<&Order, StoreError> {
    orders
        .iter()
        .find(|order| order.terms().kind == OrderKind::Session)
        .ok_or_else(|| StoreError::corrupt("orders", "a session that nobody ordered"))
}

impl Asked {
    /// What is asked of this order's customer; `line` is what the payment page calls it.
    ///
    /// # Errors
    /// The storage's.
    pub fn new(tx: &mut Tx<'_>, order: Order, session: SessionId, line: &'static str) -> Result<Self, Error> {
        let terms = order.terms();
        let user = accounts::UserStore::user_by_id(tx, terms.customer)?.ok_or(sessions::Error::NotFound)?;
        let email = user.email().as_str().to_owned();
        let notes = BTreeMap::from([
            ("order_id".to_owned(), terms.id.to_string()),
            ("quote_id".to_owned(), terms.quote.clone()),
            ("plan".to_owned(), terms.plan.as_str().to_owned()),
            ("session_id".to_owned(), session.to_string()),
            ("customer_email".to_owned(), email.clone()),
        ]);
        let reference = payments::Store::customer_reference(tx, terms.customer)?;
        Ok(Self { line, email, name: user.name().to_owned(), reference, notes, order })
    }

    fn paid(&self, payment_intent: String) -> Paid {
        Paid { order: self.order.id(), payment_intent, amount: self.order.terms().amount }
    }
}

/// Charges the customer's kept card, or answers the charge that was made for the order before.
///
/// # Errors
/// [`Refusal`]; [`start_checkout::Refusal::PaymentUnderWay`]; [`Error::Gateway`]; the storage's.
pub async fn charge_card(pitlane: &Pitlane, asked: &Asked) -> Result<Paid, Error> {
    let order = &asked.order;
    if let Some(open) = page(order) {
        return Err(Refusal::ActionRequired { checkout_url: open.url }.into());
    }
    if let Some(charge) = order.state().charge.clone() {
        return Ok(asked.paid(charge));
    }
    let payer =
        Payer { customer: order.terms().customer, email: asked.email.clone(), name: asked.name.clone() };
    let reference = known_payer(pitlane, payer, asked.reference.clone()).await?;
    let cards = pitlane.gateway.cards_of_customer(&reference).await?;
    let Some(card) = usable(cards, pitlane) else { return ask(pitlane, asked, reference).await };
    let new = NewCharge {
        order: order.id(),
        idempotency_key: order.terms().idempotency_key.clone(),
        customer: reference.clone(),
        card: card.id,
        amount: order.terms().amount,
        metadata: asked.notes.clone(),
    };
    match pitlane.gateway.charge_create(&new).await {
        Ok(intent) => {
            let succeeded = intent.status == IntentStatus::Succeeded;
            note_charge(pitlane, order.id(), intent.id.clone(), succeeded).await?;
            if succeeded {
                Ok(asked.paid(intent.id))
            } else {
                Err(start_checkout::Refusal::PaymentUnderWay.into())
            }
        }
        Err(GatewayError::Declined { code, intent }) => {
            tracing::info!(order = %order.id(), code, "a kept card was declined; its holder is asked");
            match give_up_charge(pitlane, order.id(), intent).await? {
                Some(paid) => Ok(asked.paid(paid)),
                None => ask(pitlane, asked, reference).await,
            }
        }
        Err(refused) if start_checkout::is_stale(&refused) => {
            tracing::info!(order = %order.id(), %refused, "the card can't be charged; its holder is asked");
            // Another call may have charged another card under this key meanwhile.
            match charged(pitlane, order.id()).await? {
                Some(charge) => Ok(asked.paid(charge)),
                None => ask(pitlane, asked, reference).await,
            }
        }
        Err(GatewayError::UnknownOutcome(reason)) => {
            tracing::error!(order = %order.id(), reason, "the answer to a charge was lost");
            Err(Refusal::OutcomeUnknown.into())
        }
        Err(error) => Err(error.into()),
    }
}

// The card that was kept last and has not expired.
fn usable(cards: Vec<SavedCard>, pitlane: &Pitlane) -> Option<SavedCard> {
    let now = pitlane.clock.now().as_offset_date_time();
    let this_month = (i64::from(now.year()), u32::from(u8::from(now.month())));
    cards.into_iter().find(|card| (i64::from(card.exp_year), card.exp_month) >= this_month)
}

/// Gives up a declined charge before anything else is asked for, so that only one of the two can ever be paid. Answers
/// the charge when it was paid in the last moment.
async fn give_up_charge(
    pitlane: &Pitlane,
    order: OrderId,
    intent: Option<String>,
) -> Result<Option<String>, Error> {
    let Some(intent) = intent else { return Ok(None) };
    let ended = pitlane.gateway.intent_cancel(&intent).await?;
    if ended.status != IntentStatus::Succeeded {
        return Ok(None);
    }
    note_charge(pitlane, order, intent.clone(), true).await?;
    Ok(Some(intent))
}

async fn note_charge(
    pitlane: &Pitlane,
    order: OrderId,
    charge: String,
    succeeded: bool,
) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let noted = payments::note_charge(tx, order, &charge)?;
            if !succeeded {
                payments::await_money(tx, order)?;
            }
            fulfil_order::look_again(tx, &noted, cx.now.plus_seconds(LOOK_AGAIN_SECONDS), &cx)
        })
        .await
}

async fn charged(pitlane: &Pitlane, order: OrderId) -> Result<Option<String>, Error> {
    let order =
        pitlane.db.read(move |tx| payments::Store::order_by_id(tx, order).map_err(Error::from)).await?;
    Ok(order.and_then(|order| order.state().charge.clone()))
}

/// Opens a payment page: the way out when no card can be charged by itself.
async fn ask<T>(pitlane: &Pitlane, asked: &Asked, reference: String) -> Result<T, Error> {
    let (order, cx) = (&asked.order, pitlane.context());
    let (terms, public_url) = (order.terms(), &pitlane.settings.server.public_url);
    let session = terms.session.map(|id| id.to_string()).unwrap_or_default();
    let new = NewCheckout {
        order: terms.id,
        idempotency_key: format!("{}:checkout", terms.idempotency_key),
        customer: reference,
        line: CheckoutLine { name: asked.line.to_owned(), amount: terms.amount, price: None },
        success_url: format!("{public_url}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: format!("{public_url}/chat/{session}"),
        expires_at: terms.expires_at,
        metadata: asked.notes.clone(),
    };
    let made = match pitlane.gateway.checkout_create(&new).await {
        Ok(made) => made,
        Err(refused @ (GatewayError::Refused { .. } | GatewayError::Missing)) => {
            start_checkout::give_up(pitlane, order, terms.customer, &refused, &cx).await?;
            return Err(refused.into());
        }
        Err(error) => return Err(error.into()),
    };
    let open = offer(pitlane, &*pitlane.gateway, order, &made, &cx).await?;
    Err(Refusal::ActionRequired { checkout_url: open.url }.into())
}
