//! A session as lists and badges show it.

use crate::money::Amount;

/// Where a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionStatus {
    /// Paid, no mechanic yet.
    #[default]
    Requested,
    /// Booked for a time to come.
    Scheduled,
    /// A mechanic has taken it and has not started: the waiting room.
    Accepted,
    /// Both talk.
    InProgress,
    /// It took place and is over.
    Completed,
    /// Somebody called it off.
    Cancelled,
    /// Nobody took it, or the time ran out before it began.
    Expired,
}

impl SessionStatus {
    /// Every status, in the order of a session's life.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Scheduled,
        Self::Accepted,
        Self::InProgress,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The name used by the API.
    #[must_use]
    pub fn code(&self) -> &'static str {
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
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        if code == "live" {
            return Some(Self::InProgress);
        }
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The words on the badge.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Requested => "Waiting",
            Self::Scheduled => "Booked",
            Self::Accepted => "Assigned",
            Self::InProgress => "Live",
            Self::Completed => "Completed",
            Self::Cancelled => "Cancelled",
            Self::Expired => "Nobody took it",
        }
    }

    /// Whether messages may still be written.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Requested | Self::Scheduled | Self::Accepted | Self::InProgress => true,
            Self::Completed | Self::Cancelled | Self::Expired => false,
        }
    }
}

/// A session as one line of a list, for its customer or its mechanic.
#[derive(Clone, Debug, Default)]
pub struct SessionRow {
    /// The session's id.
    pub id: String,
    /// The plan's name, and whether it has become video.
    pub plan_name: String,
    /// Year, make and model; `None` if the intake had none.
    pub vehicle: Option<String>,
    /// The other side's name; `None` before a mechanic has accepted.
    pub other_name: Option<String>,
    /// Where it stands.
    pub status: SessionStatus,
    /// `unpaid`, `paid`, `partially_refunded`, `refunded` or `disputed`.
    pub payment_status: String,
    /// What was paid in all.
    pub total: Amount,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339, for a booked session.
    pub scheduled_for: Option<String>,
    /// RFC 3339, once it has begun.
    pub started_at: Option<String>,
    /// RFC 3339, once it is over.
    pub ended_at: Option<String>,
    /// RFC 3339: when the paid time runs out.
    pub deadline_at: Option<String>,
    /// Whether it took place and its mechanic has not written the summary.
    pub summary_due: bool,
    /// The order whose receipt can be read; `None` for viewers who did not pay.
    pub receipt_order_id: Option<String>,
}

impl SessionRow {
    /// Whether all the money went back.
    #[must_use]
    pub fn is_refunded(&self) -> bool {
        self.payment_status == "refunded"
    }

    /// What it is, and with whom.
    pub(crate) fn with_other(&self) -> String {
        let plan = &self.plan_name;
        match &self.other_name {
            Some(name) if plan.contains(',') => format!("{plan}, with {name}"),
            Some(name) => format!("{plan} with {name}"),
            None => plan.clone(),
        }
    }

    /// Up to two letters for the avatar.
    #[must_use]
    pub fn initials(&self) -> String {
        self.other_name.as_deref().map_or_else(|| "?".to_owned(), initials)
    }
}

/// The first letters of the first and the last word of `name`, in capitals.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::{SessionStatus, initials};

    #[test]
    fn an_avatar_has_at_most_two_letters() {
        for (name, text) in
            [("Maya Torres", "MT"), ("maya", "M"), ("Ana Maria de la Cruz", "AC"), ("", ""), ("  é  ", "É")]
        {
            assert_eq!(initials(name), text);
        }
    }

    #[test]
    fn every_status_is_found_by_its_own_name() {
        for status in SessionStatus::ALL {
            assert_eq!(SessionStatus::from_code(status.code()), Some(status));
        }
        assert_eq!(SessionStatus::from_code("live"), Some(SessionStatus::InProgress));
        assert_eq!(SessionStatus::from_code("paused"), None);
    }
}
