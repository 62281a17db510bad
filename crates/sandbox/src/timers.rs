//! What happens later by itself: rows that are run as soon as the clock has passed them.

use time::OffsetDateTime;

use crate::checkout;
use crate::confirm;
use crate::document::Kind;
use crate::fault::Fault;
use crate::refunds;
use crate::state::Tx;

/// Seconds until a delayed payment is paid or fails, and until a slow refund ends.
const SETTLES_AFTER: i64 = 3;

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    ExpireSession,
    SettleIntent,
    SettleRefund,
}

impl Due {
    const ALL: [Self; 3] = [Self::ExpireSession, Self::SettleIntent, Self::SettleRefund];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ExpireSession => "expire_session",
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
            Some(Due::ExpireSession) => checkout::expire_due(tx, &timer.id)?,
            Some(Due::SettleRefund) => refunds::settle(tx, &timer.id)?,
            Some(Due::SettleIntent) => {
                let mut intent = tx.require(Kind::Intent, &timer.id, "id")?;
                if intent.text("status") == "processing" {
                    let paid = confirm::settle(tx, &mut intent)?;
                    checkout::settled(tx, intent.id(), paid)?;
                }
            }
            None => {
                tracing::warn!(what = timer.what, "an unknown timer in the sandbox's database was dropped")
            }
        }
    }
    Ok(())
}

/// The year and month of an instant, for a card's expiry.
pub(crate) fn year_and_month(now: i64) -> (i64, i64) {
    let at = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (i64::from(at.year()), i64::from(u8::from(at.month())))
}
