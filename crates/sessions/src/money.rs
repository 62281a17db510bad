//! What the log tells of money. Amounts are decided elsewhere; nothing here depends on them.

use kernel::id::SessionId;
use kernel::{Context, Money};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::{ActorRole, EventActor, Kind};
use crate::lifecycle::{Step, append};
use crate::store::Store;

/// What became of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// The customer paid it.
    Paid,
    /// It went back.
    Refunded,
    /// It had gone back, and came back to us.
    RefundFailed,
}

/// Money that moved for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyLine {
    /// What became of it.
    pub moved: Moved,
    /// What it was paid for: `session`, `upgrade` or `extension`.
    pub purchase: &'static str,
    /// How much; above zero.
    pub amount: Money,
}

#[derive(Serialize)]
struct Body {
    status: Moved,
    purchase: &'static str,
    amount_cents: i64,
    currency: &'static str,
}

/// Writes down that money moved, whatever the session's status: refunds come after the end.
///
/// # Errors
/// [`Error::NotFound`]; the storage's.
pub fn note_money(
    store: &mut dyn Store,
    session: SessionId,
    line: MoneyLine,
    cx: &Context,
) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    let actor = match line.moved {
        Moved::Paid => EventActor::person(session.customer(), ActorRole::Customer),
        Moved::Refunded | Moved::RefundFailed => EventActor::SYSTEM,
    };
    let body = Body {
        status: line.moved,
        purchase: line.purchase,
        amount_cents: line.amount.minor(),
        currency: line.amount.currency().as_str(),
    };
    let (session, event) = append(store, session, Kind::Payment, actor, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}
