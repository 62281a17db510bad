//! What the log tells of money. Amounts are decided elsewhere; nothing here depends on them.

use kernel::{Context, Money};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::{ActorRole, EventActor, Kind};
use crate::lifecycle::{Step, append};
use crate::session::Session;
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

/// Writes down that money moved, whatever the status of the session: refunds come after the end. It must have been read
/// under its lock, or made, in the same transaction, and be as its last step left it.
///
/// # Errors
/// The storage's.
pub fn note_money(
    store: &mut dyn Store,
    session: Session,
    line: MoneyLine,
    cx: &Context,
) -> Result<Step, Error> {
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
