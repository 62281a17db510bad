//! The inbox: each event of the payment provider takes effect once.

use kernel::{Context, Timestamp};

use crate::error::Error;
use crate::store::Store;

/// An event as it arrived, its origin proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEvent {
    /// The provider's id of it; unique.
    pub id: String,
    /// The provider's name for what happened.
    pub kind: String,
    /// When it happened, by the provider's clock.
    pub created_at: Timestamp,
    /// The text that arrived.
    pub body: String,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is of no concern here.
    Ignored,
    /// It names an order, payment or refund that is not known here.
    Unmatched,
    /// What it tells was known already.
    Replayed,
    /// It was recorded; nothing else follows from it.
    Recorded,
    /// Its order was fulfilled.
    Fulfilled,
    /// Its money is on the way back.
    Refunding,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Ignored, Self::Unmatched, Self::Replayed, Self::Recorded, Self::Fulfilled, Self::Refunding];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Unmatched => "unmatched",
            Self::Replayed => "replayed",
            Self::Recorded => "recorded",
            Self::Fulfilled => "fulfilled",
            Self::Refunding => "refunding",
        }
    }
}

/// Claims the event for this transaction; `false` when another one, now or earlier, has claimed it. The claim and the
/// event's effects must be committed together, so that neither is ever there without the other.
///
/// # Errors
/// The storage's.
pub fn claim_event(store: &mut dyn Store, event: &InboxEvent, cx: &Context) -> Result<bool, Error> {
    Ok(store.event_insert(event, cx.now)?)
}
