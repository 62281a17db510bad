//! What happens later by itself: rows that are run as soon as the clock has passed them.

use time::OffsetDateTime;

use crate::card::Behaviour;
use crate::document::Kind;
use crate::fault::Fault;
use crate::state::Tx;
use crate::{balance, checkout, confirm, disputes, methods, refunds};

/// Seconds until a delayed payment is paid or fails, and until a slow refund ends.
const SETTLES_AFTER: i64 = 3;

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    DecideDispute,
    DisputeUnanswered,
    ExpireSession,
    OpenDispute,
    ReleaseFunds,
    SettleIntent,
    SettleRefund,
}

impl Due {
    const ALL: [Self; 7] = [
        Self::DecideDispute,
        Self::DisputeUnanswered,
        Self::ExpireSession,
        Self::OpenDispute,
        Self::ReleaseFunds,
        Self::SettleIntent,
        Self::SettleRefund,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DecideDispute => "decide_dispute",
            Self::DisputeUnanswered => "dispute_unanswered",
            Self::ExpireSession => "expire_session",
            Self::OpenDispute => "open_dispute",
            Self::ReleaseFunds => "release_funds",
            Self::SettleIntent => "settle_intent",
            Self::SettleRefund => "settle_refund",
        }
    }
}

/// Lets something happen a few seconds from now.
pub(crate) fn set(tx: &mut Tx<'_>, due: Due, id: &str) -> Result<(), Fault> {
    let at = tx.now + SETTLES_AFTER;
    tx.timer_set(due.name(), id, at)
}

/// Runs all that is due, in the order it came due.
pub(crate) fn run_due(tx: &mut Tx<'_>) -> Result<(), Fault> {
    for timer in tx.timers_due()? {
        tx.timer_clear(&timer.what, &timer.id)?;
        match Due::ALL.into_iter().find(|due| due.name() == timer.what) {
            Some(due) => run(tx, due, &timer.id)?,
            None => {
                tracing::warn!(what = timer.what, "an unknown timer in the sandbox's database was dropped")
            }
        }
    }
    Ok(())
}

fn run(tx: &mut Tx<'_>, due: Due, id: &str) -> Result<(), Fault> {
    match due {
        Due::DecideDispute => disputes::decide_due(tx, id),
        Due::DisputeUnanswered => disputes::unanswered(tx, id),
        Due::ExpireSession => checkout::expire_due(tx, id),
        Due::ReleaseFunds => balance::release(tx, id),
        Due::SettleRefund => refunds::settle(tx, id),
        Due::OpenDispute => {
            let charge = tx.require(Kind::Charge, id, "id")?;
            let (card, _) = methods::test_card(tx, charge.text("payment_method"))?;
            let Behaviour::Disputes(grounds) = card.behaviour else { return Ok(()) };
            disputes::open_due(tx, id, grounds.reason, grounds.inquiry)
        }
        Due::SettleIntent => {
            let mut intent = tx.require(Kind::Intent, id, "id")?;
            if intent.text("status") != "processing" {
                return Ok(());
            }
            let paid = confirm::settle(tx, &mut intent)?;
            checkout::settled(tx, intent.id(), paid)
        }
    }
}

/// The year and month of an instant, for a card's expiry.
pub(crate) fn year_and_month(now: i64) -> (i64, i64) {
    let at = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (i64::from(at.year()), i64::from(u8::from(at.month())))
}
