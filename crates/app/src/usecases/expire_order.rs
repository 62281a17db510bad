//! Closing an order that nobody paid for, and the payment page of one that is not wanted any more.

use kernel::id::OrderId;
use payments::{GatewayError, OrderStatus};

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::fulfil_order::Fulfilling;
use crate::usecases::receive_webhook::apply_checkout;
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
    let (cx, fulfilling) = (pitlane.context(), Fulfilling::new(pitlane));
    let Some(checkout) = order.state().checkout.clone() else {
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
