//! The time of a session that is in progress: the warning before its end, the end itself, and time that is added.
//!
//! What is due is read from the session each time, so whoever asks too early, too late or twice does no harm.

use kernel::id::{OrderId, SessionId};
use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Invalid};
use crate::event::{EventActor, Kind};
use crate::lifecycle::{Step, append, finish};
use crate::session::Session;
use crate::status::{EndReason, Status};
use crate::store::Store;

/// The longest a session may take in all, extensions included, in minutes.
pub const ALLOWANCE_MAX_MINUTES: u32 = 480;

/// What the clock says of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tick {
    /// No time runs: it has not started, or it is over.
    Still,
    /// Nothing is to be done before this instant.
    Until(Timestamp),
    /// Its time was up, and it has ended by that.
    Ended(Box<Step>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Later(Timestamp),
    Warning,
    End,
}

#[derive(Serialize, Deserialize)]
struct Warned {
    deadline_at: Timestamp,
    seconds_left: i64,
}

#[derive(Serialize)]
struct Extended {
    minutes: u32,
    deadline_at: Option<Timestamp>,
}

/// Time to be added to a session. What it cost and who paid is decided elsewhere and only kept with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewExtension {
    /// How much, in minutes; at least 1.
    pub minutes: u32,
    /// The order that paid for it; `None` when nothing was to be paid.
    pub order: Option<OrderId>,
    /// What it cost, in minor units of the session's currency.
    pub price_cents: i64,
}

/// Time that was added to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// The session.
    pub session: SessionId,
    /// Its place among the session's extensions, from 1.
    pub number: u32,
    /// How much, in minutes.
    pub minutes: u32,
    /// The order that paid for it.
    pub order: Option<OrderId>,
    /// What it cost, in minor units.
    pub price_cents: i64,
    /// Since when.
    pub created_at: Timestamp,
}

/// Does what time does to a session: from `warning_seconds` before the deadline on it is announced in the log, once for
/// each deadline; at the deadline the session ends with [`EndReason::TimeLimit`], as of now. May be asked at any time.
///
/// # Errors
/// The storage failed.
pub fn tick(
    store: &mut dyn Store,
    session: SessionId,
    warning_seconds: u32,
    cx: &Context,
) -> Result<Tick, Error> {
    let Some(session) = store.session_for_update(session)? else { return Ok(Tick::Still) };
    let Some(deadline) = running_until(&session) else { return Ok(Tick::Still) };
    let warned = warned_for(store, session.id())?;
    match due(deadline, i64::from(warning_seconds), warned, cx.now) {
        Due::Later(at) => Ok(Tick::Until(at)),
        Due::Warning => {
            let left = deadline.unix_millis().saturating_sub(cx.now.unix_millis());
            let seconds_left = i64::try_from(left.div_ceil(1_000)).unwrap_or(i64::MAX);
            let body = Warned { deadline_at: deadline, seconds_left };
            append(store, session, Kind::TimeWarning, EventActor::SYSTEM, &body, cx)?;
            Ok(Tick::Until(deadline))
        }
        Due::End => {
            let before = session.status();
            let session = session.complete(EndReason::TimeLimit, None, cx.now)?;
            let step = finish(store, session, before, EventActor::SYSTEM, cx)?;
            Ok(Tick::Ended(Box::new(step)))
        }
    }
}

/// Adds time to a session that is in progress, up to [`ALLOWANCE_MAX_MINUTES`] in all. An order adds its time once: the
/// same order again changes nothing. The caller arms the clock anew.
///
/// # Errors
/// [`Error::NotFound`]; an illegal step; [`Invalid::ExtensionMinutes`] for no time, or more than there may be.
pub fn extend(
    store: &mut dyn Store,
    session: SessionId,
    new: NewExtension,
    cx: &Context,
) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    let known = store.extensions(session.id())?;
    if new.order.is_some() && known.iter().any(|one| one.order == new.order) {
        return Ok(Step { session, before, events: Vec::new() });
    }
    let session = session.extend(new.minutes, cx.now)?;
    store.session_update(&session)?;
    let number = u32::try_from(known.len()).unwrap_or(u32::MAX).saturating_add(1);
    let NewExtension { minutes, order, price_cents } = new;
    store.extension_insert(&Extension {
        session: session.id(),
        number,
        minutes,
        order,
        price_cents,
        created_at: cx.now,
    })?;
    let body = Extended { minutes, deadline_at: session.deadline_at() };
    let (session, event) = append(store, session, Kind::Extended, EventActor::SYSTEM, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}

/// How long an allowance is after `minutes` more.
///
/// # Errors
/// [`Invalid::ExtensionMinutes`] for no time, or more than there may be.
pub(crate) fn lengthened(allowance: u32, minutes: u32) -> Result<u32, Invalid> {
    let max = ALLOWANCE_MAX_MINUTES.saturating_sub(allowance);
    if (1..=max).contains(&minutes) {
        Ok(allowance + minutes)
    } else {
        Err(Invalid::ExtensionMinutes { max })
    }
}

fn running_until(session: &Session) -> Option<Timestamp> {
    session.deadline_at().filter(|_| session.status() == Status::InProgress)
}

/// The deadline that was announced last.
fn warned_for(store: &mut dyn Store, session: SessionId) -> Result<Option<Timestamp>, Error> {
    let last = store.event_last_of(session, Kind::TimeWarning)?;
    Ok(last.and_then(|event| serde_json::from_str::<Warned>(event.body()).ok()).map(|body| body.deadline_at))
}

fn due(deadline: Timestamp, warning_seconds: i64, warned_for: Option<Timestamp>, now: Timestamp) -> Due {
    let warning_at = deadline.plus_seconds(-warning_seconds);
    if now >= deadline {
        Due::End
    } else if warned_for == Some(deadline) {
        Due::Later(deadline)
    } else if now >= warning_at {
        Due::Warning
    } else {
        Due::Later(warning_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_760_000_000 + seconds).expect("in range")
    }

    #[test]
    fn the_warning_comes_once_for_each_deadline_and_the_end_at_it() {
        let table = [
            (600, 120, None, 0, Due::Later(at(480))),
            (600, 120, None, 479, Due::Later(at(480))),
            (600, 120, None, 480, Due::Warning),
            (600, 120, None, 599, Due::Warning),
            (600, 120, Some(600), 481, Due::Later(at(600))),
            (600, 120, None, 600, Due::End),
            (600, 120, Some(600), 9_000, Due::End),
            // Time was added after the warning: the new deadline has a warning of its own.
            (1_200, 120, Some(600), 500, Due::Later(at(1_080))),
            (1_200, 120, Some(600), 1_080, Due::Warning),
            // A warning that is longer than the session comes at its start.
            (600, 3_600, None, 0, Due::Warning),
        ];
        for (deadline, lead, warned, now, expected) in table {
            let told = due(at(deadline), lead, warned.map(at), at(now));
            assert_eq!(told, expected, "deadline {deadline}, warned for {warned:?}, at {now}");
        }
    }

    #[test]
    fn no_time_and_more_than_the_longest_session_can_not_be_added() {
        let refused = |max| Err(Invalid::ExtensionMinutes { max });
        let table = [
            (10, 1, Ok(11)),
            (10, 470, Ok(480)),
            (10, 471, refused(470)),
            (10, 0, refused(470)),
            (480, 1, refused(0)),
            (500, 1, refused(0)),
            (10, u32::MAX, refused(470)),
        ];
        for (allowance, minutes, expected) in table {
            assert_eq!(lengthened(allowance, minutes), expected, "{allowance} and {minutes} more");
        }
    }
}
