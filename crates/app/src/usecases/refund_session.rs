//! An admin sends money of a session back: all that is left of it, or a part.

use accounts::audit::{self, NewAuditEntry};
use kernel::id::{SessionId, UserId};
use kernel::{Actor, Context, Money, Role};
use payments::RefundReason;
use store::Tx;

use crate::state::Pitlane;
use crate::usecases::fulfil_order::carry_out_refund;
use crate::usecases::{Error, Progress};

/// Sends `amount` minor units of the session's payments back, all that is left of them when it is `None`: of what was
/// paid last first. The reason is kept in the audit log.
///
/// # Errors
/// [`sessions::Error::NotFound`]; [`payments::Error::RefundExceedsPayment`] for nothing, or more than is left;
/// [`payments::Error::Disputed`] when the bank has taken what is left; the storage's.
pub async fn refund_session(
    pitlane: &Pitlane,
    admin: UserId,
    session: SessionId,
    amount: Option<i64>,
    reason: String,
    progress: Progress,
) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            refund(tx, admin, session, amount, &reason, &cx)?;
            progress.note(tx, "requested")
        })
        .await
}

fn refund(
    tx: &mut Tx<'_>,
    admin: UserId,
    session: SessionId,
    amount: Option<i64>,
    reason: &str,
    cx: &Context,
) -> Result<(), Error> {
    sessions::Store::session_for_update(tx, session)?.ok_or(sessions::Error::NotFound)?;
    let orders = payments::Store::orders_of_session_for_update(tx, session)?;
    let mut kept = Vec::new();
    for order in orders.into_iter().rev() {
        let arrived = payments::Store::payments_of_order(tx, order.id())?;
        kept.extend(arrived.into_iter().find(|payment| !payment.surplus).map(|payment| (order, payment)));
    }
    let Some((first, _)) = kept.first() else {
        let remaining = Money::zero(kernel::Currency::Usd);
        return Err(payments::Error::RefundExceedsPayment { remaining }.into());
    };
    let zero = Money::zero(first.terms().amount.currency());
    let (mut remaining, mut held, mut parts) = (zero, false, Vec::new());
    for (order, payment) in kept {
        let part = payments::returnable(tx, &payment)?;
        held |= part != payment.remaining()?;
        remaining = remaining.plus(part).map_err(payments::Error::from)?;
        parts.push((order, payment.id, part));
    }
    if remaining.is_zero() && held {
        return Err(payments::Error::Disputed.into());
    }
    let wanted = amount.map_or(remaining, |minor| Money::new(minor, zero.currency()));
    if !wanted.is_positive() || wanted.minor() > remaining.minor() {
        return Err(payments::Error::RefundExceedsPayment { remaining }.into());
    }
    let mut left = wanted;
    for (order, payment, most) in parts {
        let part = Money::new(most.minor().min(left.minor()), zero.currency());
        if part.is_zero() {
            continue;
        }
        let refund = payments::request_refund(tx, payment, part, RefundReason::Admin, cx)?;
        carry_out_refund(tx, &order, &refund, cx)?;
        left = left.minus(part).map_err(payments::Error::from)?;
    }
    let actor = Actor::Person { id: admin, role: Role::Admin };
    let entry = NewAuditEntry::new(actor, "session.refund", "session", session)
        .with("amount_cents", wanted.minor())
        .with("reason", reason);
    audit::record(tx, entry, cx)?;
    Ok(())
}
