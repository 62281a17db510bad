//! What is kept no longer than its time: what people wrote and sent, and later the money.

use accounts::ApplicationStore as _;
use intake::RetentionStore as _;
use kernel::Timestamp;
use payments::RetentionStore as _;
use sessions::RetentionStore as _;
use store::Tx;

use super::Error;
use crate::state::Pitlane;

/// Rows of a kind that one transaction looks at, so that nobody who writes waits long.
const BATCH: u32 = 50;

/// Transactions of a kind in one run; the next run goes on.
const ROUNDS: u32 = 2_000;

const DAY_SECONDS: i64 = 86_400;

/// How much was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Sessions that were reduced to their summary.
    pub sessions: usize,
    /// Applications that came to nothing.
    pub applications: usize,
    /// Intakes whose concern was erased.
    pub intakes: usize,
    /// Orders that were deleted with all that belonged to them.
    pub orders: usize,
}

/// The instant that many months before another: whole days, a month being a twelfth of 365.2425.
fn months_before(now: Timestamp, months: u32) -> Timestamp {
    now.plus_seconds(-(i64::from(months) * 365_2425 / 120_000) * DAY_SECONDS)
}

/// Deletes what is older than `retention.content_months` and `retention.money_years` say. May be cut off anywhere; the
/// next run goes on.
///
/// # Errors
/// A failure of the storage.
pub async fn retain(pitlane: &Pitlane) -> Result<Done, Error> {
    let (cx, retention) = (pitlane.context(), &pitlane.settings.retention);
    let content = months_before(cx.now, retention.content_months);
    let money = months_before(cx.now, retention.money_years * 12);
    let now = cx.now;
    let sessions = repeat(pitlane, move |tx| {
        let old = tx.sessions_with_content(content, BATCH)?;
        for session in &old {
            tx.session_content_drop(*session, now)?;
        }
        Ok(old.len())
    })
    .await?;
    let intakes = repeat(pitlane, move |tx| Ok(tx.intakes_forget(content, BATCH, now)?)).await?;
    let applications =
        repeat(pitlane, move |tx| Ok(tx.applications_forget_before(content, BATCH, now)?)).await?;
    repeat(pitlane, move |tx| Ok(tx.invitations_delete_unused(now, BATCH)?)).await?;
    repeat(pitlane, move |tx| Ok(tx.events_forget_before(content, BATCH)?)).await?;
    let orders = repeat(pitlane, move |tx| {
        let past = tx.orders_past(money, BATCH)?;
        for order in &past {
            tx.order_delete(order.order, money)?;
            let Some(session) = order.session else { continue };
            // Upgrades and more time are orders of their own; the session goes with the last of them.
            if !payments::Store::orders_of_session_for_update(tx, session)?.is_empty() {
                continue;
            }
            dispatch::Store::request_delete(tx, session)?;
            crm::Store::interactions_delete(tx, session)?;
            if let Some(intake) = tx.session_delete(session, now)? {
                tx.intake_delete(intake, now)?;
            }
        }
        Ok(past.len())
    })
    .await?;
    Ok(Done { sessions, applications, intakes, orders })
}

async fn repeat(
    pitlane: &Pitlane,
    batch: impl Fn(&mut Tx<'_>) -> Result<usize, Error> + Clone + Send + Sync + 'static,
) -> Result<usize, Error> {
    let mut all = 0;
    for _ in 0..ROUNDS {
        let work = batch.clone();
        let done = pitlane.db.write(move |tx| work(tx)).await?;
        all += done;
        if done == 0 {
            break;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_years_are_730_days_and_ten_are_3652() {
        let now = Timestamp::from_unix_seconds(1_800_000_000).expect("in range");
        for (months, days) in [(1, 30), (24, 730), (120, 3_652)] {
            assert_eq!(now.seconds_since(months_before(now, months)), days * DAY_SECONDS, "{months}");
        }
    }
}
