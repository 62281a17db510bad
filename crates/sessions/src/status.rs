//! The states of a session and the reasons for its end (reconciliation C7).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a session stands. Before payment there is no session, only an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Paid, waiting for a mechanic.
    Requested,
    /// Paid and booked for later.
    Scheduled,
    /// Has a mechanic: the waiting room.
    Accepted,
    /// The two sides talk. Some of the seeds call it `live`.
    InProgress,
    /// Took place.
    Completed,
    /// Called off before it started.
    Cancelled,
    /// Nobody accepted it in time.
    Expired,
}

impl Status {
    /// Every status, in the order in which they are reached.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Scheduled,
        Self::Accepted,
        Self::InProgress,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Scheduled => "scheduled",
            Self::Accepted => "accepted",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status of that name; `live` is read as `in_progress`.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "live" {
            return Some(Self::InProgress);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing follows any more.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Completed | Self::Cancelled | Self::Expired => true,
            Self::Requested | Self::Scheduled | Self::Accepted | Self::InProgress => false,
        }
    }

    /// Whether the state machine has the step from here to `next`.
    pub const fn leads_to(self, next: Self) -> bool {
        match next {
            Self::Requested | Self::Scheduled => false,
            Self::Accepted => matches!(self, Self::Requested | Self::Scheduled),
            Self::InProgress => matches!(self, Self::Accepted),
            Self::Completed => matches!(self, Self::InProgress),
            Self::Cancelled => matches!(self, Self::Requested | Self::Scheduled | Self::Accepted),
            Self::Expired => matches!(self, Self::Requested),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its customer ended or cancelled it.
    Customer,
    /// Its mechanic ended or cancelled it.
    Mechanic,
    /// The time was used up.
    TimeLimit,
    /// The customer didn't come.
    NoShowCustomer,
    /// The mechanic didn't come.
    NoShowMechanic,
    /// No mechanic accepted in time.
    Unaccepted,
    /// An admin called it off.
    Admin,
    /// The payment was taken back.
    PaymentReversed,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Customer,
        Self::Mechanic,
        Self::TimeLimit,
        Self::NoShowCustomer,
        Self::NoShowMechanic,
        Self::Unaccepted,
        Self::Admin,
        Self::PaymentReversed,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Mechanic => "mechanic",
            Self::TimeLimit => "time_limit",
            Self::NoShowCustomer => "no_show_customer",
            Self::NoShowMechanic => "no_show_mechanic",
            Self::Unaccepted => "unaccepted",
            Self::Admin => "admin",
            Self::PaymentReversed => "payment_reversed",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
