//! A chat becomes video: what it costs, the charge of a kept card, and the switch itself.
//!
//! The customer's call makes the charge and nothing else. The webhook, the customer's second call, the return page and
//! reconciliation all end in [`apply`], inside the transaction that records the money; whichever is first makes the
//! switch, the others find it made.

use std::sync::Arc;

use kernel::id::{EventId, SessionId, UserId};
use kernel::{BasisPoints, Context, Money, StoreError};
use notifications::{Milestone, PersonalNotice};
use payments::gateway::IntentStatus;
use payments::{Charge, GatewayError, Order, OrderKind, Purchase};
use pricing::{
    Catalog, PriceBook, UpgradePrice, UpgradeRefusal, UpgradeStage, can_upgrade, upgrade_plan, upgrade_quote,
};
use serde_json::json;
use sessions::{ParticipantRole, Session, Status, UpgradePrices};
use store::Tx;
use store::notice::Side;
use store::views::session::SessionView;
use web::plan::UPGRADE;

use crate::state::Pitlane;
use crate::usecases::charge_card::{Asked, Change, Paid, booking, charge_card, place_change};
use crate::usecases::fulfil_order::{Fulfilling, Fulfilment, settle_and_fulfil};
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, journey, personal, start_checkout, time_limit, unseen_notice};

/// Why a session is not upgraded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its type or its state does not allow it.
    #[error(transparent)]
    NotAllowed(#[from] UpgradeRefusal),
    /// What was paid buys nothing here; the text says why.
    #[error("{0}")]
    Unusable(&'static str),
    /// The amount is not what the upgrade costs.
    #[error("the upgrade costs {agreed}")]
    PriceMismatch {
        /// What it costs.
        agreed: Money,
    },
}

/// What the upgrade of a session comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The difference to video and what the session costs with it.
    pub price: UpgradePrice,
    /// What was paid for the session so far.
    pub paid: Money,
    /// How much longer the session may take with it, in minutes.
    pub longer_by_minutes: u32,
}

/// How far a session is, as far as an upgrade cares.
pub const fn stage(status: Status) -> UpgradeStage {
    match status {
        Status::Requested | Status::Scheduled | Status::Accepted | Status::InProgress => UpgradeStage::Open,
        Status::Completed => UpgradeStage::Completed,
        Status::Cancelled => UpgradeStage::Cancelled,
        Status::Expired => UpgradeStage::Expired,
    }
}

/// What the upgrade of the session that is shown costs, by its own price book and multiplier; the inner error is why it
/// can't be had.
///
/// # Errors
/// [`StoreError::Corrupt`] for a book that doesn't exist.
pub fn offer_of(view: &SessionView, catalog: &Catalog) -> Result<Result<Offer, UpgradeRefusal>, StoreError> {
    if let Err(refusal) = can_upgrade(view.session_type, stage(view.status)) {
        return Ok(Err(refusal));
    }
    let paid = Money::new(view.base_price_cents, view.currency);
    Ok(Ok(priced(book(catalog, &view.price_book)?, view.multiplier, paid, view.plan)?))
}

fn book<'c>(catalog: &'c Catalog, version: &str) -> Result<&'c PriceBook, StoreError> {
    catalog.book(version).ok_or_else(|| StoreError::corrupt("sessions.price_book", version))
}

fn priced(
    book: &PriceBook,
    multiplier: BasisPoints,
    paid: Money,
    plan: kernel::PlanCode,
) -> Result<Offer, StoreError> {
    let corrupt = |reason: &dyn std::fmt::Display| StoreError::corrupt("price book", reason);
    let price = upgrade_quote(book, multiplier, paid).map_err(|reason| corrupt(&reason))?;
    let video = upgrade_plan(book).map_or(0, pricing::Plan::duration_minutes);
    let chat = book.plan(plan).map_or(0, pricing::Plan::duration_minutes);
    Ok(Offer {
        price: price.ok_or_else(|| corrupt(&"it sells no video"))?,
        paid,
        longer_by_minutes: video.saturating_sub(chat),
    })
}

/// Charges the customer's kept card the difference. Of any number of calls at once one charge comes; all of them answer
/// it. `amount` is what the customer was shown, in minor units.
///
/// # Errors
/// [`Refusal`]; [`sessions::Error::NotFound`] and [`sessions::Error::WrongRole`] for everybody but the session's
/// customer; those of [`charge_card`]; the storage's.
pub async fn pay(
    pitlane: &Pitlane,
    customer: UserId,
    session: SessionId,
    amount: i64,
) -> Result<Paid, Error> {
    let (cx, catalog) = (pitlane.context(), Arc::clone(&pitlane.catalog));
    let asked = pitlane.db.write(move |tx| place(tx, customer, session, amount, &catalog, &cx)).await?;
    charge_card(pitlane, &asked).await
}

/// Switches the session with a charge that the customer names, if it is theirs and has succeeded. The same charge again
/// changes nothing.
///
/// # Errors
/// [`Refusal`]; [`sessions::Error::NotFound`] and [`sessions::Error::WrongRole`] for everybody but the session's
/// customer; [`start_checkout::Refusal::PaymentUnderWay`]; [`Error::Gateway`]; the storage's.
pub async fn upgrade(
    pitlane: &Pitlane,
    customer: UserId,
    session: SessionId,
    payment_intent: &str,
) -> Result<SessionView, Error> {
    let view = own(pitlane, customer, session).await?;
    let upgraded = view.upgraded_at.is_some();
    if !upgraded {
        can_upgrade(view.session_type, stage(view.status)).map_err(Refusal::from)?;
    }
    let unknown = || Error::from(Refusal::Unusable("There is no such payment for this session."));
    // It becomes part of an address at the provider.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !payment_intent.starts_with("pi_") || payment_intent.len() > 255 || !payment_intent.bytes().all(plain)
    {
        return Err(unknown());
    }
    let intent = match pitlane.gateway.intent_by_id(payment_intent).await {
        Ok(intent) => intent,
        Err(GatewayError::Missing | GatewayError::Refused { .. }) => return Err(unknown()),
        Err(error) => return Err(error.into()),
    };
    let order = intent.order.ok_or_else(unknown)?;
    match intent.status {
        IntentStatus::Succeeded => {}
        IntentStatus::Processing => return Err(start_checkout::Refusal::PaymentUnderWay.into()),
        IntentStatus::NeedsCustomer | IntentStatus::Cancelled => {
            return Err(Refusal::Unusable("This payment has not been made.").into());
        }
    }
    let (cx, fulfilling) = (pitlane.context(), Fulfilling::new(pitlane));
    let charge = Charge { payment_intent: intent.id, amount: intent.received };
    let kept = pitlane
        .db
        .write(move |tx| {
            let found = payments::Store::order_by_id(tx, order)?.filter(|order| {
                let terms = order.terms();
                terms.kind == OrderKind::Upgrade
                    && terms.session == Some(session)
                    && terms.customer == customer
            });
            let Some(order) = found else {
                return Err(Refusal::Unusable("There is no such payment for this session.").into());
            };
            let id = order.id();
            if settle_and_fulfil(tx, &order, &charge, &fulfilling, &cx)? == Fulfilment::Returned {
                tracing::warn!(%session, "a payment for an upgrade buys nothing and goes back");
            }
            let order = payments::Store::order_by_id(tx, id)?;
            Ok::<_, Error>(order.and_then(|order| order.state().payment_intent.clone()))
        })
        .await?;
    let view = own(pitlane, customer, session).await?;
    if kept.as_deref() == Some(payment_intent) && view.upgraded_at.is_some() {
        return Ok(view);
    }
    can_upgrade(view.session_type, stage(view.status)).map_err(Refusal::from)?;
    Err(Refusal::Unusable("This payment buys nothing, and its money goes back.").into())
}

/// The session as its customer sees it.
///
/// # Errors
/// [`sessions::Error::NotFound`]; [`sessions::Error::WrongRole`] for its mechanic and observers; the storage's.
async fn own(pitlane: &Pitlane, customer: UserId, session: SessionId) -> Result<SessionView, Error> {
    let view = pitlane
        .db
        .read(move |tx| store::views::session::of_participant(tx, session, customer).map_err(Error::from))
        .await?
        .ok_or(sessions::Error::NotFound)?;
    match view.viewer_role {
        Some(ParticipantRole::Customer) => Ok(view),
        Some(ParticipantRole::Mechanic | ParticipantRole::Observer) | None => {
            Err(sessions::Error::WrongRole.into())
        }
    }
}

fn place(
    tx: &mut Tx<'_>,
    customer: UserId,
    session: SessionId,
    amount: i64,
    catalog: &Catalog,
    cx: &Context,
) -> Result<Asked, Error> {
    let found = sessions::for_customer(tx, session, customer)?;
    can_upgrade(found.parts().session_type, stage(found.status())).map_err(Refusal::from)?;
    let (booked, offer) = offer_inside(tx, &found, catalog)?;
    if offer.price.fee.minor() != amount {
        return Err(Refusal::PriceMismatch { agreed: offer.price.fee }.into());
    }
    let terms = booked.terms();
    let plan = upgrade_plan(book(catalog, &terms.book)?).ok_or(start_checkout::Refusal::PlanNotSold)?;
    let change = Change {
        purchase: Purchase::Upgrade(session),
        plan: plan.code(),
        multiplier: terms.multiplier,
        amount: offer.price.fee,
    };
    // Paid, and yet the session is a chat: it could not be switched.
    let order = place_change(tx, &booked, change, cx)?
        .ok_or(Refusal::Unusable("This was paid before, and the money goes back."))?;
    let mut asked = Asked::new(tx, order, session, UPGRADE)?;
    asked.notes.extend([
        ("upgrade_type".to_owned(), "chat_to_video".to_owned()),
        ("original_price".to_owned(), offer.paid.decimal()),
        ("upgrade_price".to_owned(), offer.price.fee.decimal()),
        ("total_price".to_owned(), offer.price.total_after.decimal()),
    ]);
    Ok(asked)
}

// By what was agreed when the session was booked.
fn offer_inside(tx: &mut Tx<'_>, session: &Session, catalog: &Catalog) -> Result<(Order, Offer), Error> {
    let orders = payments::Store::orders_of_session_for_update(tx, session.id())?;
    let booked = booking(&orders)?.clone();
    let terms = booked.terms();
    let offer = priced(book(catalog, &terms.book)?, terms.multiplier, terms.amount, terms.plan)?;
    Ok((booked, offer))
}

/// Switches the session of a paid order, in the transaction that recorded the money, and tells everybody.
///
/// # Errors
/// [`sessions::Error::NotUpgradable`] when it is over, or video already; the storage's.
pub fn apply(
    tx: &mut Tx<'_>,
    order: &Order,
    fulfilling: &Fulfilling,
    cx: &Context,
) -> Result<Session, Error> {
    let id = order.terms().session.ok_or(sessions::Error::NotFound)?;
    let session = sessions::Store::session_for_update(tx, id)?.ok_or(sessions::Error::NotFound)?;
    let (_, offer) = offer_inside(tx, &session, &fulfilling.catalog)?;
    let fee = order.terms().amount;
    let total = offer.paid.plus(fee).map_err(|reason| StoreError::corrupt("orders.amount_cents", reason))?;
    let prices = UpgradePrices { upgrade_cents: fee.minor(), total_cents: total.minor() };
    let step = sessions::upgrade(tx, id, offer.longer_by_minutes, prices, cx)?;
    let customer = step.session.customer();
    time_limit::arm(tx, &step.session, cx)?;
    let interaction = crm::NewInteraction::session_upgraded(customer, id, fee, total);
    journey::record(tx, interaction, cx)?;
    mail::enqueue(tx, Milestone::Receipt, customer, About::Order(order.id()), cx)?;
    tell_mechanic(tx, &step, cx)?;
    personal::session_changed(tx, &step.session, cx)?;
    Ok(step.session)
}

/// The mechanic hears of it on an open page; where none shows it in time, by text message and mail.
fn tell_mechanic(tx: &mut Tx<'_>, step: &sessions::Step, cx: &Context) -> Result<(), Error> {
    let session = step.session.id();
    let people = sessions::Store::participants(tx, session)?;
    let Some(mechanic) = people.iter().find(|one| one.role == ParticipantRole::Mechanic).map(|one| one.user)
    else {
        return Ok(());
    };
    let customer = accounts::UserStore::user_by_id(tx, step.session.customer())?;
    let id = EventId::new(cx.id());
    let fields = json!({
        "event_id": id,
        "seq": step.session.head().last_seq,
        "session_id": session,
        "customer_name": customer.as_ref().map_or("Your customer", |customer| customer.name()),
        "new_type": "video",
        "upgrade_time": cx.now,
    });
    personal::tell(tx, mechanic, Side::Mechanic, "session_upgraded", fields, cx);
    let notice = PersonalNotice {
        id,
        user: mechanic,
        session,
        milestone: Milestone::SessionUpgraded,
        created_at: cx.now,
        acknowledged_at: None,
    };
    unseen_notice::expect_shown(tx, &notice, cx)
}

/// The mechanic suggests video; the customer is asked in the room and on their own channel.
///
/// # Errors
/// Those of [`sessions::suggest_upgrade`]; the storage's.
pub async fn suggest(
    pitlane: &Pitlane,
    by: UserId,
    session: SessionId,
) -> Result<sessions::Suggested, Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let suggested = sessions::suggest_upgrade(tx, session, by, &cx)?;
            if suggested.fresh {
                let session =
                    sessions::Store::session_by_id(tx, session)?.ok_or(sessions::Error::NotFound)?;
                let path = format!("/chat/{}", session.id());
                personal::notification(
                    tx,
                    session.customer(),
                    Side::Customer,
                    "Would video help?",
                    "Your mechanic suggests upgrading to video for better diagnosis.",
                    "See the price",
                    &path,
                    &cx,
                );
            }
            Ok(suggested)
        })
        .await
}
