//! The receipt of an order, with the names that stand on it.

use kernel::Actor;
use kernel::id::{OrderId, SessionId};
use payments::{OrderKind, Payment, Receipt, Refund};
use store::Tx;
use store::views::{money, room};

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::note_read::{Read, note_read};
use crate::usecases::start_checkout::Refusal;

/// A receipt and what surrounds it.
#[derive(Debug, Clone)]
pub struct Paper {
    /// What was paid and what went back.
    pub receipt: Receipt,
    /// What the order bought.
    pub kind: OrderKind,
    /// Every charge, oldest first.
    pub payments: Vec<Payment>,
    /// The price book of the order.
    pub book: String,
    /// The session that was bought.
    pub session: Option<SessionId>,
    /// Who paid.
    pub customer_name: String,
    /// Their address.
    pub customer_email: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// The session's other orders that have a receipt, oldest first.
    pub others: Vec<(OrderId, OrderKind)>,
}

/// The receipt of an order, for whoever placed it and for admins, whose look is written to the audit log.
///
/// # Errors
/// [`Refusal::NotFound`] for anybody else's order and for one that was never paid; the storage's.
pub async fn read_receipt(pitlane: &Pitlane, reader: Actor, order: OrderId) -> Result<Paper, Error> {
    let (paper, own) = pitlane
        .db
        .read(move |tx| {
            let found = payments::Store::order_by_id(tx, order)?;
            let own = found.is_some_and(|order| reader.user() == Some(order.terms().customer));
            Ok::<_, Error>((paper(tx, reader, order)?, own))
        })
        .await?;
    if !own {
        note_read(pitlane, reader, Read::Receipt(order)).await?;
    }
    Ok(paper)
}

/// The same inside a transaction.
///
/// # Errors
/// Those of [`read_receipt`].
pub fn paper(tx: &mut Tx<'_>, reader: Actor, order: OrderId) -> Result<Paper, Error> {
    let order = payments::Store::order_by_id(tx, order)?
        .filter(|order| reader.is_admin() || reader.user() == Some(order.terms().customer))
        .ok_or(Refusal::NotFound)?;
    let payments = payments::Store::payments_of_order(tx, order.id())?;
    if order.state().paid_at.is_none() && payments.is_empty() {
        return Err(Refusal::NotFound.into());
    }
    let mut refunds: Vec<Refund> = Vec::new();
    for payment in &payments {
        refunds.extend(payments::Store::refunds_of_payment(tx, payment.id)?);
    }
    let customer = accounts::UserStore::user_by_id(tx, order.terms().customer)?.ok_or(Refusal::NotFound)?;
    let vehicle = match order.session() {
        Some(session) => room::background(tx, session)?.map(|told| told.vehicle.title()),
        None => None,
    };
    let others = match order.session() {
        Some(session) => money::orders_of(tx, session)?,
        None => Vec::new(),
    };
    let paid = |other: &payments::Order| other.state().paid_at.is_some() && other.id() != order.id();
    Ok(Paper {
        kind: order.terms().kind,
        others: others
            .iter()
            .filter(|other| paid(other))
            .map(|other| (other.id(), other.terms().kind))
            .collect(),
        receipt: payments::receipt(&order, &payments, &refunds)?,
        payments,
        book: order.terms().book.clone(),
        session: order.session(),
        customer_name: customer.name().to_owned(),
        customer_email: customer.email().as_str().to_owned(),
        vehicle,
    })
}
