//! What a provider has earned: the share of each payment whose session took place. It is frozen with the order: neither
//! a later fee nor a later price changes it; a refund takes its part back.

use kernel::id::{PaymentId, ProviderId, SessionId};
use kernel::{BasisPoints, Context, Money, Timestamp};

use crate::error::Error;
use crate::ledger::{self, Shares, Transaction};
use crate::order::Order;
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
    let (net, _) = ledger::shares(payment.remaining()?, payment.asked_back(), order.terms().tax_rate)?;
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

/// Takes the part of a refund that was just written off what was earned. `before` is what had been asked back of the
/// payment until then.
pub(crate) fn unearn(
    store: &mut dyn Store,
    payment: &Payment,
    refund: &Refund,
    before: Money,
    rate: BasisPoints,
    cx: &Context,
) -> Result<(), Error> {
    let Some(earning) = store.earning_of_payment(payment.id)? else { return Ok(()) };
    let (net, _) = ledger::shares(refund.amount, before, rate)?;
    let part = part_of(earning.shares, net)?;
    let left = Shares {
        fee: earning.shares.fee.minus(part.fee)?,
        payable: earning.shares.payable.minus(part.payable)?,
    };
    store.earning_update(&Earning { shares: left, ..earning })?;
    if part.net()?.is_positive() {
        store.ledger_append(&Transaction::unearned(refund, part, cx)?)?;
    }
    Ok(())
}

/// The refund will not happen: what it had taken is earned again, by the ratio of what is left.
pub(crate) fn earn_again(
    store: &mut dyn Store,
    payment: &Payment,
    refund: &Refund,
    after: Money,
    terms: (BasisPoints, BasisPoints),
    cx: &Context,
) -> Result<(), Error> {
    let Some(earning) = store.earning_of_payment(payment.id)? else { return Ok(()) };
    let (tax_rate, fee_rate) = terms;
    let (net, _) = ledger::shares(refund.amount, after, tax_rate)?;
    let part = shared(net, fee_rate)?;
    let more = Shares {
        fee: earning.shares.fee.plus(part.fee)?,
        payable: earning.shares.payable.plus(part.payable)?,
    };
    store.earning_update(&Earning { shares: more, ..earning })?;
    if part.net()?.is_positive() {
        store.ledger_append(&Transaction::earned_again(refund, part, cx)?)?;
    }
    Ok(())
}

fn shared(net: Money, fee_rate: BasisPoints) -> Result<Shares, Error> {
    let fee = net.times_half_up(fee_rate)?;
    Ok(Shares { fee, payable: net.minus(fee)? })
}

// The same ratio as the whole; never more of either than there is.
fn part_of(whole: Shares, net: Money) -> Result<Shares, Error> {
    let all = i128::from(whole.net()?.minor());
    if all == 0 {
        return Ok(Shares { fee: Money::zero(net.currency()), payable: Money::zero(net.currency()) });
    }
    let wanted = i128::from(net.minor()).min(all);
    let fee = i64::try_from(i128::from(whole.fee.minor()) * wanted / all)
        .map_err(|_| kernel::MoneyError::Overflow)?;
    let fee = Money::new(fee, net.currency());
    let net = Money::new(i64::try_from(wanted).map_err(|_| kernel::MoneyError::Overflow)?, net.currency());
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
        fn parts_never_exceed_the_whole_and_all_parts_are_the_whole(net in 1i64..1_000_000, rate in 0u32..=10_000, first in 0i64..1_000_000) {
            let whole = shared(usd(net), BasisPoints::new(rate)).expect("in range");
            assert_eq!(whole.net(), Ok(usd(net)));
            let first = part_of(whole, usd(first.min(net))).expect("in range");
            let left = Shares {
                fee: whole.fee.minus(first.fee).expect("in range"),
                payable: whole.payable.minus(first.payable).expect("in range"),
            };
            assert!(left.fee.minor() >= 0 && left.payable.minor() >= 0);
            let rest = part_of(left, left.net().expect("in range")).expect("in range");
            assert_eq!(rest, left);
        }
    }
}
