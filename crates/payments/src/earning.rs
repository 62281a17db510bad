//! What a provider has earned: the share of each payment whose session took place. It is frozen with the order: neither
//! a later fee nor a later price changes it; a refund takes its part back.

use kernel::id::{PaymentId, ProviderId, SessionId};
use kernel::{BasisPoints, Context, Money, Timestamp};

use crate::error::Error;
use crate::ledger::{self, Shares, Transaction};
use crate::order::{Order, OrderTerms};
use crate::payment::Payment;
use crate::refund::Refund;
use crate::store::Store;

/// What a provider has earned with a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// The payment.
    pub payment: PaymentId,
    /// The session that took place.
    pub session: SessionId,
    /// Who helped.
    pub provider: ProviderId,
    /// How its net is shared out now, refunds taken off.
    pub shares: Shares,
    /// Whether it is not paid out for now: its payment is disputed.
    pub frozen: bool,
    /// When it was earned.
    pub created_at: Timestamp,
}

/// Shares out what is left of an order's payment, once its session took place. An order that brought nothing, or whose
/// payment was shared out before, changes nothing. The caller has locked the order.
///
/// # Errors
/// [`Error::Money`] on an overflow; the storage's errors.
pub fn earn(
    store: &mut dyn Store,
    order: &Order,
    session: SessionId,
    provider: ProviderId,
    cx: &Context,
) -> Result<Option<Earning>, Error> {
    let arrived = store.payments_of_order(order.id())?;
    let Some(kept) = arrived.into_iter().find(|payment| !payment.surplus) else { return Ok(None) };
    let payment = store.payment_for_update(kept.id)?.ok_or(Error::Missing("payment"))?;
    let net = net_left(&payment, order.terms().tax_rate)?;
    if !net.is_positive() || store.earning_of_payment(payment.id)?.is_some() {
        return Ok(None);
    }
    let shares = shared(net, order.terms().fee_rate)?;
    let earning = Earning {
        payment: payment.id,
        session,
        provider,
        shares,
        frozen: store.disputes_of_payment(payment.id)?.iter().any(|dispute| dispute.status.freezes()),
        created_at: cx.now,
    };
    store.earning_insert(&earning)?;
    store.ledger_append(&Transaction::earned(&payment, shares, cx)?)?;
    Ok(Some(earning))
}

/// Brings what was earned in line with what is left of its payment, after a refund was asked for or will not happen.
pub(crate) fn follow_refund(
    store: &mut dyn Store,
    payment: &Payment,
    refund: &Refund,
    terms: &OrderTerms,
    cx: &Context,
) -> Result<(), Error> {
    let Some(earning) = store.earning_of_payment(payment.id)? else { return Ok(()) };
    let (before, after) = (earning.shares, shared(net_left(payment, terms.tax_rate)?, terms.fee_rate)?);
    store.earning_update(&Earning { shares: after, ..earning })?;
    let taken = before.less(after)?;
    match taken.net()?.minor() {
        0 => Ok(()),
        1.. => Ok(store.ledger_append(&Transaction::unearned(refund, taken, cx)?)?),
        _ => Ok(store.ledger_append(&Transaction::earned_again(refund, after.less(before)?, cx)?)?),
    }
}

fn net_left(payment: &Payment, tax_rate: BasisPoints) -> Result<Money, Error> {
    Ok(ledger::shares(payment.remaining()?, payment.asked_back(), tax_rate)?.0)
}

// Neither share ever falls when the net rises, so a refund takes from both and never gives.
fn shared(net: Money, fee_rate: BasisPoints) -> Result<Shares, Error> {
    let fee = net.times_half_up(fee_rate)?;
    Ok(Shares { fee, payable: net.minus(fee)? })
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use proptest::prelude::proptest;

    use super::*;

    const fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::Usd)
    }

    #[test]
    fn the_platform_keeps_its_share_and_a_half_cent_is_its() {
        let shares = shared(usd(999), BasisPoints::new(2_000)).expect("in range");
        assert_eq!((shares.fee, shares.payable), (usd(200), usd(799)));
        let nothing = shared(usd(999), BasisPoints::ZERO).expect("in range");
        assert_eq!((nothing.fee, nothing.payable), (usd(0), usd(999)));
    }

    proptest! {
        #[test]
        fn both_shares_are_the_net_and_a_refund_takes_from_both(net in 0i64..1_000_000, rate in 0u32..=10_000, back in 0i64..1_000_000) {
            let rate = BasisPoints::new(rate);
            let whole = shared(usd(net), rate).expect("in range");
            assert_eq!(whole.net(), Ok(usd(net)));
            let left = shared(usd(net - back.min(net)), rate).expect("in range");
            let taken = whole.less(left).expect("in range");
            assert!(taken.fee.minor() >= 0 && taken.payable.minor() >= 0, "{taken:?}");
        }
    }
}
