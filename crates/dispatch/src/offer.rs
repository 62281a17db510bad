//! Who was told of a request, and what they answered.

use serde::{Deserialize, Serialize};

use kernel::Timestamp;
use kernel::id::{RequestId, UserId};

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferStatus {
    /// Not answered.
    Offered,
    /// Not wanted; it leaves this mechanic's list. They may still change their mind while the request is open.
    Declined,
    /// Won.
    Accepted,
    /// Somebody else was first, or the request was closed.
    Withdrawn,
}

impl OfferStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Offered, Self::Declined, Self::Accepted, Self::Withdrawn];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Declined => "declined",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A request put before one mechanic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The request.
    pub request: RequestId,
    /// The mechanic.
    pub mechanic: UserId,
    /// What became of it.
    pub status: OfferStatus,
    /// When they were told.
    pub offered_at: Timestamp,
    /// When that changed.
    pub answered_at: Option<Timestamp>,
}
