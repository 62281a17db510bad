//! What an order goes through while no money has arrived. None of this is ever an error for an order that has moved on:
//! news may come late, twice and in any order.

use kernel::Context;
use kernel::id::OrderId;

use crate::error::Error;
use crate::order::{Order, OrderStatus};
use crate::settle::locked;
use crate::store::Store;

/// Notes the payment page of an order. A page other than the one that is known changes nothing.
///
/// # Errors
/// [`Error::Missing`] without such an order; the storage's.
pub fn note_checkout(
    store: &mut dyn Store,
    order: OrderId,
    checkout: &str,
    url: Option<&str>,
) -> Result<Order, Error> {
    let (order, _) = locked(store, order)?;
    if order.has_checkout(checkout, url) {
        return Ok(order);
    }
    let offered = match order.clone().offered(checkout, url) {
        Ok(offered) => offered,
        Err(Error::CheckoutConflict) => return Ok(order),
        Err(error) => return Err(error),
    };
    store.order_means_update(&offered)?;
    Ok(offered)
}

/// Notes the charge of a kept card that was made for an order. An order that has moved on changes nothing.
///
/// # Errors
/// [`Error::Missing`] without such an order; the storage's.
pub fn note_charge(store: &mut dyn Store, order: OrderId, charge: &str) -> Result<Order, Error> {
    let (order, _) = locked(store, order)?;
    if !order.status().is_pending() {
        return Ok(order);
    }
    let charged = order.charged(charge);
    store.order_means_update(&charged)?;
    Ok(charged)
}

/// The customer has done their part, and the money is on its way. Only an open order changes.
///
/// # Errors
/// [`Error::Missing`] without such an order; the storage's.
pub fn await_money(store: &mut dyn Store, order: OrderId) -> Result<Order, Error> {
    change(store, order, |status| status == OrderStatus::Open, Order::processing)
}

/// Nobody paid in time, and the payment page is closed. Only an open order changes.
///
/// # Errors
/// [`Error::Missing`] without such an order; the storage's.
pub fn expire(store: &mut dyn Store, order: OrderId, cx: &Context) -> Result<Order, Error> {
    change(store, order, |status| status == OrderStatus::Open, |order| order.expired(cx.now))
}

/// The payment failed for good, or no payment page can be made. Only an order that waits for money changes.
///
/// # Errors
/// [`Error::Missing`] without such an order; the storage's.
pub fn give_up(store: &mut dyn Store, order: OrderId, cx: &Context) -> Result<Order, Error> {
    change(store, order, OrderStatus::is_pending, |order| order.failed(cx.now))
}

fn change(
    store: &mut dyn Store,
    order: OrderId,
    applies: impl Fn(OrderStatus) -> bool,
    step: impl Fn(Order) -> Result<Order, Error>,
) -> Result<Order, Error> {
    let (order, _) = locked(store, order)?;
    if !applies(order.status()) {
        return Ok(order);
    }
    let next = step(order)?;
    store.order_update(&next)?;
    Ok(next)
}
