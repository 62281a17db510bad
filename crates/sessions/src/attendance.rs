//! Who came to an accepted session and who didn't (decision G-01).
//!
//! Somebody is missing when the other side has waited for the whole grace without them. So a customer is charged only
//! for a mechanic who sat in the room to the end of it, and a mechanic who is waited for must begin within it.

use kernel::id::SessionId;
use kernel::{Context, Timestamp};

use crate::error::{Error, InvalidTransition};
use crate::event::EventActor;
use crate::lifecycle::{Step, finish};
use crate::participant::{Participant, ParticipantRole};
use crate::session::Session;
use crate::status::{EndReason, Status};
use crate::store::Store;

/// How long an accepted session waits when nobody is there, in seconds: a day. Nobody's time is lost by it, and the
/// money is not kept for nothing.
pub const NOBODY_SECONDS: i64 = 86_400;

/// When somebody was in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attendance {
    /// Since when they are there without a break; `None` while they are not.
    pub present_since: Option<Timestamp>,
    /// When they were last seen, if they are not there: they left, or wrote something by another way.
    pub last_seen: Option<Timestamp>,
}

/// Who did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The customer.
    Customer,
    /// The mechanic, or one who came and never began.
    Mechanic,
}

/// What follows from who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody is missing before this instant, as things stand.
    Wait(Timestamp),
    /// This side is missing.
    Missing(Missing),
}

/// An accepted session that has not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// When both should have been there.
    pub due: Timestamp,
    /// How long one side waits for the other, in seconds.
    pub grace_seconds: i64,
    /// When the customer was there.
    pub customer: Attendance,
    /// When the mechanic was there.
    pub mechanic: Attendance,
}

impl Waiting {
    /// Whether somebody is missing by now.
    ///
    /// | there | missing, and from when on |
    /// |---|---|
    /// | the customer, alone or not | the mechanic, who has not begun a grace after both the due time and the customer's coming |
    /// | the mechanic alone | the customer, a grace after the due time, the mechanic's coming, and their own last sign of life |
    /// | nobody; the customer came after the due time, the mechanic never did | the mechanic, a grace after the due time |
    /// | nobody | the mechanic, [`NOBODY_SECONDS`] after the last sign of life: nobody waited, so nobody is charged |
    pub fn judge(&self, now: Timestamp) -> Verdict {
        let (missing, limit) = self.limit();
        if now >= limit { Verdict::Missing(missing) } else { Verdict::Wait(limit) }
    }

    fn limit(&self) -> (Missing, Timestamp) {
        let after_due = |at: Option<Timestamp>| at.map_or(self.due, |at| at.max(self.due));
        let came = |who: Attendance| who.last_seen.is_some_and(|at| at >= self.due);
        let grace = |from: Timestamp| from.plus_seconds(self.grace_seconds);
        let (customer, mechanic) = (self.customer, self.mechanic);
        if customer.present_since.is_some() {
            return (Missing::Mechanic, grace(after_due(customer.present_since)));
        }
        let last_of_customer = after_due(customer.last_seen);
        if mechanic.present_since.is_some() {
            return (Missing::Customer, grace(after_due(mechanic.present_since).max(last_of_customer)));
        }
        if came(customer) && !came(mechanic) {
            return (Missing::Mechanic, grace(self.due));
        }
        let last = last_of_customer.max(after_due(mechanic.last_seen));
        (Missing::Mechanic, last.plus_seconds(NOBODY_SECONDS))
    }
}

/// What is known of an accepted session's two sides; `None` for a session that doesn't wait to be started. Nobody is
/// due before `not_before`: while the server was away nobody could come.
///
/// # Errors
/// The storage failed.
pub fn waiting(
    store: &mut dyn Store,
    session: SessionId,
    grace_seconds: i64,
    not_before: Timestamp,
) -> Result<Option<(Session, Waiting)>, Error> {
    let Some(session) = store.session_for_update(session)? else { return Ok(None) };
    let waiting = waiting_of(store, &session, grace_seconds, not_before)?;
    Ok(waiting.map(|waiting| (session, waiting)))
}

/// The same of a session that was read already.
///
/// # Errors
/// The storage failed.
pub fn waiting_of(
    store: &mut dyn Store,
    session: &Session,
    grace_seconds: i64,
    not_before: Timestamp,
) -> Result<Option<Waiting>, Error> {
    let Some(accepted_at) = session.parts().accepted_at.filter(|_| session.status() == Status::Accepted)
    else {
        return Ok(None);
    };
    let seen = store.attendance(session.id())?;
    let of = |role| seen.iter().find(|(person, _)| person.role == role);
    let mechanic = of(ParticipantRole::Mechanic);
    let due =
        [session.parts().scheduled_for, mechanic.map(|(person, _): &(Participant, _)| person.joined_at)];
    let due = due.into_iter().flatten().fold(accepted_at.max(not_before), Timestamp::max);
    let attendance =
        |one: Option<&(Participant, Attendance)>| one.map_or_else(Attendance::default, |(_, it)| *it);
    Ok(Some(Waiting {
        due,
        grace_seconds,
        customer: attendance(of(ParticipantRole::Customer)),
        mechanic: attendance(mechanic),
    }))
}

/// Calls an accepted session off because one side did not come.
///
/// # Errors
/// [`Error::NotFound`]; an illegal step for a session that is not accepted.
pub fn call_off(
    store: &mut dyn Store,
    session: SessionId,
    missing: Missing,
    cx: &Context,
) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    if before != Status::Accepted {
        return Err(InvalidTransition { from: before, to: Status::Cancelled }.into());
    }
    let reason = match missing {
        Missing::Customer => EndReason::NoShowCustomer,
        Missing::Mechanic => EndReason::NoShowMechanic,
    };
    let session = session.cancel(reason, None, cx.now)?;
    finish(store, session, before, EventActor::SYSTEM, cx)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_760_000_000 + seconds).expect("in range")
    }

    fn there(since: i64) -> Attendance {
        Attendance { present_since: Some(at(since)), last_seen: None }
    }

    fn gone(since: i64) -> Attendance {
        Attendance { present_since: None, last_seen: Some(at(since)) }
    }

    const NEVER: Attendance = Attendance { present_since: None, last_seen: None };

    #[test]
    fn a_side_is_missing_when_the_other_has_waited_for_the_whole_grace() {
        use Missing::{Customer, Mechanic};
        let table = [
            // The customer waits from before the due time, or comes later.
            (there(-900), NEVER, Mechanic, 600),
            (there(0), NEVER, Mechanic, 600),
            (there(590), NEVER, Mechanic, 1_190),
            (there(-900), gone(300), Mechanic, 600),
            // Both are there and the mechanic doesn't begin.
            (there(-900), there(0), Mechanic, 600),
            (there(500), there(0), Mechanic, 1_100),
            // The mechanic waits.
            (NEVER, there(-900), Customer, 600),
            (NEVER, there(30), Customer, 630),
            (gone(-300), there(-900), Customer, 600),
            // A customer who looked in, or wrote, gets the grace again from then.
            (gone(60), there(0), Customer, 660),
            // Nobody is there any more, and only the customer has been.
            (gone(10), NEVER, Mechanic, 600),
            (gone(10), gone(-10), Mechanic, 600),
            // Nobody is there, and nobody waited for the other.
            (NEVER, NEVER, Mechanic, NOBODY_SECONDS),
            (gone(-900), NEVER, Mechanic, NOBODY_SECONDS),
            (NEVER, gone(400), Mechanic, 400 + NOBODY_SECONDS),
            (gone(700), gone(400), Mechanic, 700 + NOBODY_SECONDS),
        ];
        for (customer, mechanic, missing, limit) in table {
            let waiting = Waiting { due: at(0), grace_seconds: 600, customer, mechanic };
            let told = format!("{customer:?}, {mechanic:?}");
            assert_eq!(waiting.judge(at(limit - 1)), Verdict::Wait(at(limit)), "{told}");
            assert_eq!(waiting.judge(at(limit)), Verdict::Missing(missing), "{told}");
        }
    }
}
