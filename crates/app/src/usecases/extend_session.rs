//! More time for a session, at the price and of the length of a chat, paid with the kept card.

use std::sync::Arc;

use kernel::id::{SessionId, UserId};
use kernel::{Context, Money, PlanCode, StoreError};
use notifications::Milestone;
use payments::{Order, OrderKind, Purchase};
use pricing::{Catalog, extension_plan};
use sessions::clock::ALLOWANCE_MAX_MINUTES;
use sessions::{NewExtension, Session, Status};
use store::Tx;
use store::views::session::SessionView;
use web::plan::EXTENSION;

use crate::state::Pitlane;
use crate::usecases::charge_card::{Asked, Change, booking, charge_card, place_change};
use crate::usecases::expire_order::settle_charge;
use crate::usecases::fulfil_order::{Fulfilling, Fulfilment};
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, Progress, personal, time_limit};

/// Why a session gets no more time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not in progress.
    #[error("only a session that is in progress can be extended")]
    NotRunning,
    /// It may not take longer in all.
    #[error("a session may take at most {ALLOWANCE_MAX_MINUTES} minutes in all")]
    TooLong,
    /// It was paid for when the session was over already.
    #[error("the session ended before the time could be added; the money goes back")]
    TooLate,
}

/// What more time comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// How much, in minutes.
    pub minutes: u32,
    /// What it costs.
    pub price: Money,
    /// The plan at whose price it is sold.
    pub plan: PlanCode,
}

/// What more time costs for the session that is shown, by its own price book, from its start on; `None` when it is over
/// or can't take longer.
///
/// # Errors
/// [`StoreError::Corrupt`] for a book that doesn't exist.
pub fn offer_of(view: &SessionView, catalog: &Catalog) -> Result<Option<Offer>, StoreError> {
    let offer = priced(catalog, &view.price_book)?;
    let fits = view.allowance_minutes.saturating_add(offer.minutes) <= ALLOWANCE_MAX_MINUTES;
    Ok((!view.status.is_ended() && fits).then_some(offer))
}

fn priced(catalog: &Catalog, version: &str) -> Result<Offer, StoreError> {
    let plan = catalog.book(version).and_then(extension_plan);
    let plan = plan.ok_or_else(|| StoreError::corrupt("sessions.price_book", version))?;
    Ok(Offer { minutes: plan.duration_minutes(), price: plan.price(), plan: plan.code() })
}

/// Charges the customer's kept card and adds the time. Calls at once share one attempt. A call after it has been added buys
/// more, unless its `progress` tells that it is the same call.
///
/// # Errors
/// [`Refusal`]; [`sessions::Error::NotFound`] and [`sessions::Error::WrongRole`] for everybody but the session's
/// customer; those of [`charge_card`]; the storage's.
pub async fn extend(
    pitlane: &Pitlane,
    customer: UserId,
    session: SessionId,
    progress: Progress,
) -> Result<(), Error> {
    let (cx, catalog) = (pitlane.context(), Arc::clone(&pitlane.catalog));
    let placed = pitlane.db.write(move |tx| place(tx, customer, session, &progress, &catalog, &cx)).await?;
    let Placed::Asked(asked) = placed else { return Ok(()) };
    let paid = charge_card(pitlane, &asked).await?;
    match settle_charge(pitlane, paid).await? {
        Fulfilment::Made(_) | Fulfilment::MadeBefore(_) => Ok(()),
        Fulfilment::Returned => Err(Refusal::TooLate.into()),
    }
}

enum Placed {
    /// It waits for its money.
    Asked(Box<Asked>),
    /// The same call has added the time before.
    There,
}

fn place(
    tx: &mut Tx<'_>,
    customer: UserId,
    session: SessionId,
    progress: &Progress,
    catalog: &Catalog,
    cx: &Context,
) -> Result<Placed, Error> {
    let found = sessions::for_customer(tx, session, customer)?;
    let orders = payments::Store::orders_of_session_for_update(tx, session)?;
    let same = orders.iter().find(|order| Some(order.id().to_string().as_str()) == progress.reached());
    if same.is_some_and(|order| order.session().is_some()) {
        return Ok(Placed::There);
    }
    if found.status() != Status::InProgress {
        return Err(Refusal::NotRunning.into());
    }
    let offer = priced(catalog, &found.parts().price_book)?;
    if found.parts().allowance_minutes.saturating_add(offer.minutes) > ALLOWANCE_MAX_MINUTES {
        return Err(Refusal::TooLong.into());
    }
    let made = |order: &&Order| order.terms().kind == OrderKind::Extension && order.session().is_some();
    let number = u32::try_from(orders.iter().filter(made).count()).unwrap_or(u32::MAX).saturating_add(1);
    let change = Change {
        purchase: Purchase::Extension { session, number },
        plan: offer.plan,
        multiplier: kernel::BasisPoints::ONE,
        amount: offer.price,
    };
    // Paid, and yet not added: the session was over.
    let order = place_change(tx, booking(&orders)?, change, cx)?.ok_or(Refusal::TooLate)?;
    progress.note(tx, &order.id().to_string())?;
    Ok(Placed::Asked(Box::new(Asked::new(tx, order, session, EXTENSION)?)))
}

/// Adds the time of a paid order, in the transaction that recorded the money.
///
/// # Errors
/// Those of [`sessions::extend`]; the storage's.
pub fn apply(
    tx: &mut Tx<'_>,
    order: &Order,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Session, Error> {
    let terms = order.terms();
    let session = terms.session.ok_or(sessions::Error::NotFound)?;
    let offer = priced(&fulfilling.catalog, &terms.book)?;
    let new =
        NewExtension { minutes: offer.minutes, order: Some(order.id()), price_cents: terms.amount.minor() };
    let step = sessions::extend(tx, session, new, cx)?;
    time_limit::arm(tx, &step.session, cx)?;
    mail::enqueue(tx, Milestone::Receipt, terms.customer, About::Order(order.id()), cx)?;
    personal::session_changed(tx, &step.session, cx)?;
    Ok(step.session)
}
