//! Addresses that must not be written to.

use kernel::Timestamp;

use crate::milestone::{Category, Channel, Milestone};

/// Why an address must not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SuppressionReason {
    /// The address does not exist; sending to it harms everybody's mail.
    Bounced,
    /// The person reported a message as unwanted.
    Complained,
}

impl SuppressionReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Bounced, Self::Complained];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Whether it stops messages about this milestone.
    pub const fn stops(self, milestone: Milestone) -> bool {
        match (self, milestone.category()) {
            (Self::Bounced, Category::Security | Category::Transactional | Category::Optional(_))
            | (Self::Complained, Category::Transactional | Category::Optional(_)) => true,
            (Self::Complained, Category::Security) => false,
        }
    }
}

/// An address that must not be written to on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The channel.
    pub channel: Channel,
    /// The bare address in lower case.
    pub address: String,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_never_locks_somebody_out_and_a_bounce_stops_everything() {
        for milestone in Milestone::ALL {
            assert!(SuppressionReason::Bounced.stops(milestone), "{milestone}");
        }
        for (milestone, stopped) in [
            (Milestone::MagicLink, false),
            (Milestone::PasswordReset, false),
            (Milestone::Verification, false),
            (Milestone::BookingConfirmed, true),
            (Milestone::Refunded, true),
            (Milestone::NextStepsReminder, true),
        ] {
            assert_eq!(SuppressionReason::Complained.stops(milestone), stopped, "{milestone}");
        }
    }
}
