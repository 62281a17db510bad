//! The lines of a session's log that tell of its money.

use kernel::Context;
use kernel::id::{OrderId, RefundId};
use payments::{Order, Refund, RefundStatus};
use sessions::{MoneyLine, Moved, Session};
use store::Tx;

use crate::usecases::Error;

/// Tells that an order was paid, unless it cost nothing. The session is as the order has just made or changed it.
///
/// # Errors
/// The storage's.
pub fn tell_paid(tx: &mut Tx<'_>, order: &Order, session: Session, cx: &Context) -> Result<(), Error> {
    let terms = order.terms();
    if terms.amount.is_positive() {
        let line = MoneyLine { moved: Moved::Paid, purchase: terms.kind.as_str(), amount: terms.amount };
        sessions::note_money(tx, session, line, cx)?;
    }
    Ok(())
}

/// Does something that may end or undo refunds of an order, and tells what became of them. `work` adds no line of its own
/// to the session's log.
///
/// # Errors
/// Those of `work`; [`sessions::Error::NotFound`]; the storage's.
pub fn telling_refunds<R>(
    tx: &mut Tx<'_>,
    order: OrderId,
    cx: &Context,
    work: impl FnOnce(&mut Tx<'_>) -> Result<R, Error>,
) -> Result<R, Error> {
    let of = payments::Store::order_by_id(tx, order)?;
    let Some((kind, session)) = of.and_then(|order| Some((order.terms().kind, order.session()?))) else {
        return work(tx);
    };
    // A session is locked before its orders; under the lock each change is seen by one transaction.
    let mut session = sessions::Store::session_for_update(tx, session)?.ok_or(sessions::Error::NotFound)?;
    let before = gone_out(tx, order)?;
    let done = work(tx)?;
    let after = gone_out(tx, order)?;
    let among = |refunds: &[Refund], id: RefundId| refunds.iter().any(|refund| refund.id == id);
    let went =
        after.iter().filter(|refund| !among(&before, refund.id)).map(|refund| (Moved::Refunded, refund));
    let back =
        before.iter().filter(|refund| !among(&after, refund.id)).map(|refund| (Moved::RefundFailed, refund));
    for (moved, refund) in went.chain(back) {
        let line = MoneyLine { moved, purchase: kind.as_str(), amount: refund.amount };
        session = sessions::note_money(tx, session, line, cx)?.session;
    }
    Ok(done)
}

/// Refunds of what an order kept that have gone out. A charge that bought nothing is not the session's.
fn gone_out(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Refund>, Error> {
    let mut gone = Vec::new();
    for payment in payments::Store::payments_of_order(tx, order)?.into_iter().filter(|one| !one.surplus) {
        gone.extend(payments::Store::refunds_of_payment(tx, payment.id)?);
    }
    gone.retain(|refund| refund.status() == RefundStatus::Succeeded);
    Ok(gone)
}
