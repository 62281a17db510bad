//! The steps of the journey.

use std::fmt;

/// A step of a customer's journey: the ten of the third seed and four more (reconciliation C15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InteractionKind {
    /// The customer has described the car and the problem.
    IntakeSubmitted,
    /// A mechanic has started the session.
    SessionStarted,
    /// The session took place and is over.
    SessionCompleted,
    /// The customer has opened the summary.
    SummaryViewed,
    /// A recommendation was shown.
    UpsellShown,
    /// A recommendation was clicked.
    UpsellClicked,
    /// A recommendation was dismissed.
    UpsellDismissed,
    /// A payment page was made.
    CheckoutStarted,
    /// The payment arrived and the session was made.
    CheckoutCompleted,
    /// The waiver was accepted.
    WaiverAccepted,
    /// A chat became a video session.
    SessionUpgraded,
    /// The customer has reviewed the mechanic.
    ReviewSubmitted,
    /// The customer has asked a follow-up question.
    FollowUpCreated,
    /// The customer has added a favourite mechanic.
    FavoriteAdded,
}

impl InteractionKind {
    /// Every step.
    pub const ALL: [Self; 14] = [
        Self::IntakeSubmitted,
        Self::SessionStarted,
        Self::SessionCompleted,
        Self::SummaryViewed,
        Self::UpsellShown,
        Self::UpsellClicked,
        Self::UpsellDismissed,
        Self::CheckoutStarted,
        Self::CheckoutCompleted,
        Self::WaiverAccepted,
        Self::SessionUpgraded,
        Self::ReviewSubmitted,
        Self::FollowUpCreated,
        Self::FavoriteAdded,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntakeSubmitted => "intake_submitted",
            Self::SessionStarted => "session_started",
            Self::SessionCompleted => "session_completed",
            Self::SummaryViewed => "summary_viewed",
            Self::UpsellShown => "upsell_shown",
            Self::UpsellClicked => "upsell_clicked",
            Self::UpsellDismissed => "upsell_dismissed",
            Self::CheckoutStarted => "checkout_started",
            Self::CheckoutCompleted => "checkout_completed",
            Self::WaiverAccepted => "waiver_accepted",
            Self::SessionUpgraded => "session_upgraded",
            Self::ReviewSubmitted => "review_submitted",
            Self::FollowUpCreated => "follow_up_created",
            Self::FavoriteAdded => "favorite_added",
        }
    }

    /// The step of that canonical name, as it stands in a row.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The step that a client means: a canonical name, or `intake` or `session` as the second seed wrote them.
    pub fn from_input(name: &str) -> Option<Self> {
        match name {
            "intake" => Some(Self::IntakeSubmitted),
            "session" => Some(Self::SessionStarted),
            _ => Self::parse(name),
        }
    }
}

impl fmt::Display for InteractionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_aliases_on_input_only() {
        for kind in InteractionKind::ALL {
            assert_eq!(InteractionKind::parse(kind.as_str()), Some(kind));
            assert_eq!(InteractionKind::from_input(kind.as_str()), Some(kind));
        }
        assert_eq!(InteractionKind::from_input("intake"), Some(InteractionKind::IntakeSubmitted));
        assert_eq!(InteractionKind::from_input("session"), Some(InteractionKind::SessionStarted));
        assert_eq!(InteractionKind::parse("intake"), None);
        assert_eq!(InteractionKind::from_input("Session"), None);
    }
}
