//! Asking the payment provider about everything that is not known for sure.

use std::collections::HashSet;

use kernel::Timestamp;
use kernel::id::{OrderId, RefundId};
use payments::OrderStatus;

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::expire_order::{ask_charge, expire_order};
use crate::usecases::receive_webhook::apply_event;
use crate::usecases::refund_payment::refund_payment;
use crate::usecases::resolve_checkout::ask;

/// Events may be listed a little later than they are dated, so each comparison begins this much before the last.
const OVERLAP_SECONDS: i64 = 300;
/// How far back the first comparison looks.
const FIRST_LOOK_SECONDS: i64 = 3 * 86_400;
/// Refunds younger than this are left to their own job.
const REFUND_AGE_SECONDS: i64 = 120;
/// Orders and refunds looked at in one run; the rest follow in the next.
const BATCH: u32 = 100;

/// What a run found and could not settle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Events that no webhook had told of.
    pub missed_events: usize,
    /// Orders that were looked at.
    pub orders: usize,
    /// Refunds that were looked at.
    pub refunds: usize,
    /// How many of all these failed again.
    pub failures: usize,
}

/// Compares the provider's list of events with the inbox and applies what is missing, then asks about orders and refunds
/// whose end is overdue. What fails is logged, left as it is and tried again in the next run.
///
/// # Errors
/// When the storage or the list of events can't be read.
pub async fn reconcile_payments(pitlane: &Pitlane) -> Result<Reconciled, Error> {
    let mut done = Reconciled::default();
    let listed = compare_events(pitlane, &mut done).await;
    settle_orders(pitlane, &mut done).await?;
    carry_out_refunds(pitlane, &mut done).await?;
    listed?;
    Ok(done)
}

async fn compare_events(pitlane: &Pitlane, done: &mut Reconciled) -> Result<(), Error> {
    let now = pitlane.clock.now();
    let watermark: Option<Timestamp> =
        pitlane.db.read(|tx| payments::Store::event_watermark(tx).map_err(Error::from)).await?;
    let since = watermark
        .map_or_else(|| now.plus_seconds(-FIRST_LOOK_SECONDS), |at| at.plus_seconds(-OVERLAP_SECONDS));
    let events = pitlane.gateway.events_since(since).await?;
    let ids: Vec<String> = events.iter().map(|event| event.inbox.id.clone()).collect();
    let listed = ids.clone();
    let known: HashSet<String> = pitlane
        .db
        .read(move |tx| payments::Store::events_known(tx, &listed).map_err(Error::from))
        .await?
        .into_iter()
        .collect();
    let before = done.failures;
    for event in events.into_iter().filter(|event| !known.contains(&event.inbox.id)) {
        done.missed_events += 1;
        if let Err(error) = apply_event(pitlane, event).await {
            tracing::warn!(%error, "a missed event can't be applied");
            done.failures += 1;
        }
    }
    // With a failure the comparison counts for nothing, so that the next one begins as early.
    if done.failures == before && ids.last().is_some() {
        let newest: Vec<String> = ids.last().cloned().into_iter().collect();
        pitlane
            .db
            .write(move |tx| payments::Store::events_compared(tx, &newest, now).map_err(Error::from))
            .await?;
    }
    Ok(())
}

async fn settle_orders(pitlane: &Pitlane, done: &mut Reconciled) -> Result<(), Error> {
    let now = pitlane.clock.now();
    let orders = pitlane
        .db
        .read(move |tx| payments::Store::orders_overdue(tx, now, BATCH).map_err(Error::from))
        .await?;
    for order in orders {
        done.orders += 1;
        let asked = match (order.status(), &order.state().checkout) {
            (OrderStatus::Open, _) => expire_order(pitlane, order.id()).await,
            (_, _) if order.state().charge.is_some() => ask_charge(pitlane, &order).await.map(drop),
            (_, Some(checkout)) => ask(pitlane, checkout).await.map(drop),
            (_, None) => Ok(()),
        };
        note(asked, done, order.id());
    }
    Ok(())
}

fn note(asked: Result<(), Error>, done: &mut Reconciled, order: OrderId) {
    if let Err(error) = asked {
        tracing::warn!(%order, %error, "an order can't be reconciled");
        done.failures += 1;
    }
}

async fn carry_out_refunds(pitlane: &Pitlane, done: &mut Reconciled) -> Result<(), Error> {
    let before = pitlane.clock.now().plus_seconds(-REFUND_AGE_SECONDS);
    let refunds: Vec<RefundId> = pitlane
        .db
        .read(move |tx| {
            let refunds = payments::Store::refunds_unresolved(tx, before, BATCH)?;
            Ok::<_, Error>(refunds.into_iter().map(|refund| refund.id).collect())
        })
        .await?;
    for refund in refunds {
        done.refunds += 1;
        if let Err(error) = refund_payment(pitlane, refund).await {
            tracing::warn!(%refund, %error, "a refund can't be carried out yet");
            done.failures += 1;
        }
    }
    Ok(())
}
