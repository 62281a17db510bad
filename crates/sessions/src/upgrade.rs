//! From chat to video.

use kernel::Context;
use kernel::id::{SessionId, UserId};
use serde::Serialize;

use crate::error::Error;
use crate::event::{ActorRole, Event, EventActor, Kind};
use crate::lifecycle::{Step, append, locked};
use crate::participant::ParticipantRole;
use crate::store::Store;

/// A suggestion within this many seconds of the last one is the last one.
pub const SUGGEST_AGAIN_SECONDS: i64 = 60;

const SUGGESTION: &str = "{}";

/// What the log tells of the price, in minor units. Decided elsewhere; nothing here depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpgradePrices {
    /// What the switch cost.
    pub upgrade_cents: i64,
    /// What the session costs in all.
    pub total_cents: i64,
}

#[derive(Serialize)]
struct Upgraded {
    new_type: &'static str,
    upgrade_price_cents: i64,
    total_price_cents: i64,
    deadline_at: Option<kernel::Timestamp>,
}

/// The session's customer has paid for video: it becomes a video session and may take `longer_by_minutes` longer.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NotUpgradable`] when it is over or no chat.
pub fn upgrade(
    store: &mut dyn Store,
    session: SessionId,
    longer_by_minutes: u32,
    prices: UpgradePrices,
    cx: &Context,
) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    let session = session.upgrade(longer_by_minutes, cx.now)?;
    store.session_update(&session)?;
    let body = Upgraded {
        new_type: "video",
        upgrade_price_cents: prices.upgrade_cents,
        total_price_cents: prices.total_cents,
        deadline_at: session.deadline_at(),
    };
    let actor = EventActor::person(session.customer(), ActorRole::Customer);
    let (session, event) = append(store, session, Kind::SessionUpgraded, actor, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}

/// A suggestion that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The line.
    pub event: Event,
    /// Whether this call added it.
    pub fresh: bool,
}

/// The session's mechanic suggests video. Said again within [`SUGGEST_AGAIN_SECONDS`] it stays one suggestion.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::WrongRole`] for everybody but the mechanic; [`Error::NotAccepted`];
/// [`Error::SessionClosed`]; [`Error::NotUpgradable`] when it is no chat.
pub fn suggest_upgrade(
    store: &mut dyn Store,
    session: SessionId,
    by: UserId,
    cx: &Context,
) -> Result<Suggested, Error> {
    let (session, role) = locked(store, session, by)?;
    if role != ParticipantRole::Mechanic {
        return Err(Error::WrongRole);
    }
    role.may_write(session.status())?;
    if session.parts().session_type != kernel::SessionType::Chat {
        return Err(Error::NotUpgradable);
    }
    let last = store.event_latest(session.id(), by, Kind::UpgradeSuggested, &[SUGGESTION.to_owned()])?;
    if let Some(event) = last.filter(|one| cx.now.seconds_since(one.created_at) < SUGGEST_AGAIN_SECONDS) {
        return Ok(Suggested { event, fresh: false });
    }
    let actor = EventActor::person(by, role.into());
    let body = serde_json::Map::new();
    let (_, event) = append(store, session, Kind::UpgradeSuggested, actor, &body, cx)?;
    Ok(Suggested { event, fresh: true })
}
