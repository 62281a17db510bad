//! A session is called off before it starts, and what is due goes back.

use accounts::audit::{self, NewAuditEntry};
use kernel::id::SessionId;
use kernel::{Actor, BasisPoints, Context, StoreError, Timestamp};
use notifications::Milestone;
use payments::RefundReason;
use pricing::{Catalog, refund_share};
use sessions::{EndReason, ParticipantRole, Session, Status, Step};
use store::Tx;
use store::notice::Side;

use crate::state::Pitlane;
use crate::usecases::give_back::give_back;
use crate::usecases::mail::{self, About};
use crate::usecases::{Error, personal};

/// Cancels the session for its customer, its mechanic or an admin; withdraws its request; refunds by the tiers of the
/// session's own price book when the customer cancels, and everything when somebody else does.
///
/// # Errors
/// Those of [`sessions::cancel`]; the storage's.
pub async fn cancel_session(pitlane: &Pitlane, by: Actor, session: SessionId) -> Result<Step, Error> {
    let cx = pitlane.context();
    let catalog = std::sync::Arc::clone(&pitlane.catalog);
    pitlane.db.write(move |tx| cancel(tx, by, session, &catalog, &cx)).await
}

fn cancel(
    tx: &mut Tx<'_>,
    by: Actor,
    session: SessionId,
    catalog: &Catalog,
    cx: &Context,
) -> Result<Step, Error> {
    let step = sessions::cancel(tx, session, by, cx)?;
    if by.is_admin() {
        audit::record(tx, NewAuditEntry::new(by, "session.cancel", "session", session), cx)?;
    }
    if let Some(closed) = dispatch::withdraw(tx, session, cx)? {
        personal::request_withdrawn(tx, &closed.request, &closed.withdrawn, cx);
    }
    let reason = match step.session.end_reason() {
        Some(EndReason::Admin) => RefundReason::Admin,
        _ => RefundReason::Cancelled,
    };
    let share = share(&step.session, step.before, catalog, cx)?;
    let money_goes_back = give_back(tx, &step.session, share, reason, cx)?;
    personal::session_changed(tx, &step.session, cx)?;
    tell(tx, &step, by, money_goes_back, cx)?;
    Ok(step)
}

fn share(
    session: &Session,
    before: Status,
    catalog: &Catalog,
    cx: &Context,
) -> Result<BasisPoints, StoreError> {
    if session.end_reason() != Some(EndReason::Customer) {
        return Ok(BasisPoints::ONE);
    }
    let parts = session.parts();
    // A booked session has its mechanic from the beginning; what counts there is the time that is left.
    share_of_customer(&parts.price_book, before != Status::Requested, parts.scheduled_for, catalog, cx.now)
}

/// The share of the price that goes back to a customer who cancels at `now`, under the price book of the session.
///
/// # Errors
/// [`StoreError::Corrupt`] for a book that doesn't exist.
pub fn share_of_customer(
    book: &str,
    accepted: bool,
    scheduled_for: Option<Timestamp>,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<BasisPoints, StoreError> {
    let rules = catalog.book(book).ok_or_else(|| StoreError::corrupt("sessions.price_book", book))?;
    let seconds_left = scheduled_for.map_or(0, |at| at.seconds_since(now));
    Ok(refund_share(rules.cancellation(), accepted, seconds_left))
}

/// Tells the other side on their own channel and by mail; the log tells whoever has the room open. A customer whose money
/// goes back hears of both in the mail about the refund.
fn tell(tx: &mut Tx<'_>, step: &Step, by: Actor, money_goes_back: bool, cx: &Context) -> Result<(), Error> {
    let session = step.session.id();
    for person in sessions::Store::participants(tx, session)? {
        let side = match person.role {
            ParticipantRole::Customer => Side::Customer,
            ParticipantRole::Mechanic => Side::Mechanic,
            ParticipantRole::Observer => continue,
        };
        if by.user() != Some(person.user) {
            let path = format!("/chat/{session}");
            let message = "It was called off before it started.";
            personal::notification(
                tx,
                person.user,
                side,
                "Session cancelled",
                message,
                "See the session",
                &path,
                cx,
            );
            if side == Side::Mechanic || !money_goes_back {
                mail::enqueue(tx, Milestone::SessionCancelled, person.user, About::Session(session), cx)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pricing::CatalogForm;

    use super::*;

    #[test]
    fn a_customer_who_cancels_gets_the_share_of_the_tier_to_the_second() {
        const HOUR: i64 = 3_600;
        let form: CatalogForm =
            toml::from_str(include_str!("../../../../config/price-books.toml")).expect("the shipped books");
        let catalog = form.validate("2025-10").expect("the shipped books are valid");
        let now = Timestamp::from_unix_seconds(1_760_000_000).expect("in range");
        let table = [
            (false, None, 10_000),
            (true, None, 0),
            (false, Some(-HOUR), 10_000),
            (true, Some(24 * HOUR + 1), 10_000),
            (true, Some(24 * HOUR), 10_000),
            (true, Some(24 * HOUR - 1), 5_000),
            (true, Some(2 * HOUR + 1), 5_000),
            (true, Some(2 * HOUR), 5_000),
            (true, Some(2 * HOUR - 1), 0),
            (true, Some(0), 0),
            (true, Some(-1), 0),
        ];
        for book in catalog.books() {
            for (accepted, seconds, points) in table {
                let at = seconds.map(|seconds| now.plus_seconds(seconds));
                let share = share_of_customer(book.version(), accepted, at, &catalog, now).expect("a book");
                assert_eq!(
                    share.points(),
                    points,
                    "{}: accepted {accepted}, {seconds:?} s before",
                    book.version()
                );
            }
        }
        assert!(share_of_customer("1999-01", true, None, &catalog, now).is_err(), "an unknown book");
    }
}
