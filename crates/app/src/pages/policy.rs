//! The refund rules of a price book, for one price, as pages tell them.

use kernel::{BasisPoints, Money, Timestamp};
use pricing::{Cancellation, refund_share, share_holds_for};
use store::views::session::SessionView;
use web::money::Amount;
use web::policy::{Policy, PolicyStep, RefundTerms};

use super::plans::amount;
use crate::state::Pitlane;

/// The rules for who is about to pay this price.
pub fn policy(rules: &Cancellation, price: Money) -> Policy {
    let back = |share: BasisPoints| share_of(price, share);
    let step = |tier: &pricing::Tier| PolicyStep {
        minutes_before_start: tier.minutes_before_start.into(),
        back: back(tier.refund),
    };
    Policy {
        total: amount(price),
        before_acceptance: back(refund_share(rules, false, 0)),
        after_acceptance: back(refund_share(rules, true, 0)),
        steps: rules.tiers().iter().map(step).collect(),
        mechanic_missing: back(rules.mechanic_no_show()),
        customer_missing: back(rules.customer_no_show()),
        grace_minutes: rules.customer_grace_minutes().into(),
    }
}

/// What goes back to the customer of an accepted or booked session who cancels now, and until when that holds.
pub fn refund_terms(app: &Pitlane, view: &SessionView, now: Timestamp) -> RefundTerms {
    let Some(book) = app.catalog.book(&view.price_book) else { return RefundTerms::default() };
    let (rules, paid) = (book.cancellation(), Money::new(view.total_price_cents(), view.currency));
    let seconds_left = view.scheduled_for.map_or(0, |at| at.seconds_since(now));
    let share = refund_share(rules, true, seconds_left);
    let holds = view.scheduled_for.and_then(|_| share_holds_for(rules, seconds_left));
    let then = holds.map_or(share, |seconds| refund_share(rules, true, seconds_left - seconds - 1));
    RefundTerms {
        back: share_of(paid, share),
        share_bps: share.points().into(),
        until: holds.map(|seconds| now.plus_seconds(seconds).to_string()),
        then: share_of(paid, then),
        is_booked: view.scheduled_for.is_some(),
    }
}

/// How long one side of a session waits for the other, by the session's own price book.
pub fn grace_minutes(app: &Pitlane, view: &SessionView) -> i64 {
    app.catalog.book(&view.price_book).map_or(0, |book| book.cancellation().customer_grace_minutes().into())
}

// A share of a price that exists can't overflow.
fn share_of(price: Money, share: BasisPoints) -> Amount {
    amount(price.times_half_up(share).unwrap_or(price))
}
