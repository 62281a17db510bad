//! How much of a price goes back when a session does not happen (decision G-01). The numbers are data of the book.

use kernel::BasisPoints;

/// The rules of one price book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub(crate) before_acceptance: BasisPoints,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) mechanic_no_show: BasisPoints,
    pub(crate) customer_no_show: BasisPoints,
    pub(crate) customer_grace_minutes: u32,
}

/// One step: called off at least so long before the start, this share goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The shortest time before the start for which this step holds, in minutes.
    pub minutes_before_start: u32,
    /// The share that goes back, at most the whole.
    pub refund: BasisPoints,
}

impl Cancellation {
    /// The steps, the longest time first; the share never rises towards the start.
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// The share that goes back when the mechanic does not come.
    pub const fn mechanic_no_show(&self) -> BasisPoints {
        self.mechanic_no_show
    }

    /// The share that goes back when the customer does not come within the grace.
    pub const fn customer_no_show(&self) -> BasisPoints {
        self.customer_no_show
    }

    /// How long the mechanic waits for a customer, in minutes.
    pub const fn customer_grace_minutes(&self) -> u32 {
        self.customer_grace_minutes
    }
}

/// The share of the price that goes back when a customer calls a session off.
///
/// `accepted` says whether a mechanic has accepted; until then it is the share before acceptance, whatever the time.
/// `seconds_before_start` is the time to the booked start: zero or less from the start on, and for a session without
/// a booked time, which starts as soon as somebody accepts.
pub fn refund_share(rules: &Cancellation, accepted: bool, seconds_before_start: i64) -> BasisPoints {
    if !accepted {
        return rules.before_acceptance;
    }
    rules
        .tiers
        .iter()
        .find(|tier| seconds_before_start >= i64::from(tier.minutes_before_start) * 60)
        .map_or(BasisPoints::ZERO, |tier| tier.refund)
}

/// How long the share of an accepted session stays what it is, in seconds from that moment, the last one included; `None`
/// when it doesn't change any more.
pub fn share_holds_for(rules: &Cancellation, seconds_before_start: i64) -> Option<i64> {
    let edge = |tier: &Tier| i64::from(tier.minutes_before_start) * 60;
    let now = rules.tiers.iter().find(|tier| seconds_before_start >= edge(tier))?;
    let last = rules.tiers.iter().rfind(|tier| tier.refund == now.refund)?;
    (now.refund != BasisPoints::ZERO).then(|| seconds_before_start - edge(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalog;

    #[test]
    fn a_share_holds_to_the_second_at_which_the_next_one_begins() {
        const HOUR: i64 = 3_600;
        let catalog = catalog("2025-10");
        for book in catalog.books() {
            let rules = book.cancellation();
            for seconds in (-2..=2).flat_map(|off| [26 * HOUR, 24 * HOUR, 2 * HOUR, 0].map(|at| at + off)) {
                let share = refund_share(rules, true, seconds);
                let Some(holds) = share_holds_for(rules, seconds) else {
                    assert_eq!(share, BasisPoints::ZERO, "{}: {seconds} s before", book.version());
                    continue;
                };
                assert_eq!(
                    refund_share(rules, true, seconds - holds),
                    share,
                    "{seconds} s before, the last second"
                );
                assert!(
                    refund_share(rules, true, seconds - holds - 1) < share,
                    "{seconds} s before, the next one"
                );
            }
        }
    }

    #[test]
    fn the_tiers_of_the_shipped_books_are_full_half_and_nothing() {
        const HOUR: i64 = 3_600;
        let cases = [
            (false, -HOUR, 10_000),
            (false, 0, 10_000),
            (true, 48 * HOUR, 10_000),
            (true, 24 * HOUR, 10_000),
            (true, 24 * HOUR - 1, 5_000),
            (true, 2 * HOUR, 5_000),
            (true, 2 * HOUR - 1, 0),
            (true, 0, 0),
            (true, -1, 0),
        ];
        let catalog = catalog("2025-10");
        for book in catalog.books() {
            for (accepted, seconds, points) in cases {
                assert_eq!(
                    refund_share(book.cancellation(), accepted, seconds).points(),
                    points,
                    "{}: accepted {accepted}, {seconds} s before",
                    book.version()
                );
            }
            assert_eq!(book.cancellation().mechanic_no_show(), BasisPoints::ONE);
            assert_eq!(book.cancellation().customer_no_show(), BasisPoints::ZERO);
            assert_eq!(book.cancellation().customer_grace_minutes(), 10);
        }
    }
}
