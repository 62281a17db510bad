//! Closing an order that nobody paid for, and the payment page of one that is not wanted any more.

use kernel::id::OrderId;
use payments::gateway::IntentStatus;
use payments::{Charge, GatewayError, Order, OrderStatus};

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::charge_card::Paid;
use crate::usecases::fulfil_order::{Fulfilling, Fulfilment, settle_and_fulfil};
use crate::usecases::receive_webhook::{apply_checkout, apply_intent};
use crate::usecases::resolve_checkout::ask;

/// Closes the order's payment page and acts on what the provider says it is now: closed, or paid in the last moment.
/// An order that was paid, or whose customer has completed the page, is left alone. May run any number of times.
///
/// # Errors
/// [`Error::Gateway`] when the provider can't say; the storage's.
pub async fn expire_order(pitlane: &Pitlane, id: OrderId) -> Result<(), Error> {
    let order = pitlane.db.read(move |tx| payments::Store::order_by_id(tx, id).map_err(Error::from)).await?;
    let Some(order) = order else { return Ok(()) };
    let closes = match order.status() {
        // A failed order may have been replaced while its page is still open.
        OrderStatus::Open | OrderStatus::Expired | OrderStatus::Failed => true,
        OrderStatus::Processing | OrderStatus::Paid | OrderStatus::Fulfilled | OrderStatus::Refunded => false,
    };
    // The charge of a kept card is the first thing that can have come of it.
    if closes && order.state().charge.is_some() && ask_charge(pitlane, &order).await? {
        return Ok(());
    }
    let (cx, fulfilling) = (pitlane.context(), Fulfilling::new(pitlane));
    let Some(checkout) = order.state().checkout.clone() else {
        if order.status() == OrderStatus::Processing {
            return ask_charge(pitlane, &order).await.map(drop);
        }
        // Nobody ever learnt the address of its page, if there is one.
        return pitlane.db.write(move |tx| Ok(payments::expire(tx, id, &cx).map(drop)?)).await;
    };
    if !closes {
        return if order.status() == OrderStatus::Processing {
            ask(pitlane, &checkout).await.map(drop)
        } else {
            Ok(())
        };
    }
    match pitlane.gateway.checkout_expire(&checkout).await {
        Ok(now) => {
            pitlane.db.write(move |tx| apply_checkout(tx, &now, false, &fulfilling, &cx).map(drop)).await
        }
        // The provider has forgotten it; nothing can be paid there.
        Err(GatewayError::Missing) => {
            pitlane.db.write(move |tx| Ok(payments::expire(tx, id, &cx).map(drop)?)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks what became of the charge of a kept card and acts on it. Answers whether it is or may still become money.
///
/// # Errors
/// [`Error::Gateway`] when the provider can't say; the storage's.
pub async fn ask_charge(pitlane: &Pitlane, order: &Order) -> Result<bool, Error> {
    let Some(charge) = order.state().charge.as_deref() else { return Ok(false) };
    let intent = match pitlane.gateway.intent_by_id(charge).await {
        Ok(intent) => intent,
        Err(GatewayError::Missing) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    match intent.status {
        IntentStatus::Succeeded => {
            let (cx, fulfilling) = (pitlane.context(), Fulfilling::new(pitlane));
            pitlane.db.write(move |tx| apply_intent(tx, &intent, &fulfilling, &cx).map(drop)).await?;
            Ok(true)
        }
        IntentStatus::Processing => Ok(true),
        IntentStatus::NeedsCustomer | IntentStatus::Cancelled => Ok(false),
    }
}

/// Takes a charge that was just made for an order as paid, and makes what it pays for.
///
/// # Errors
/// The storage's.
pub async fn settle_charge(pitlane: &Pitlane, paid: Paid) -> Result<Fulfilment, Error> {
    let (cx, fulfilling) = (pitlane.context(), Fulfilling::new(pitlane));
    let charge = Charge { payment_intent: paid.payment_intent, amount: paid.amount };
    pitlane
        .db
        .write(move |tx| {
            let order =
                payments::Store::order_by_id(tx, paid.order)?.ok_or(payments::Error::Missing("order"))?;
            settle_and_fulfil(tx, &order, &charge, &fulfilling, &cx)
        })
        .await
}
