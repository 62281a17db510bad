//! What people are told about.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::preference::Topic;

/// A way to reach a person outside the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Mail,
    /// A text message.
    Sms,
    /// A notification of the browser or the phone.
    Push,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Mail, Self::Sms, Self::Push];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }

    /// The channel of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

/// Why a message is sent, which decides what may stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// The person asked for it this minute, to get into the account, or must know what happened to it. Only an address that does not exist stops it:
    /// somebody who once complained about a mail must still be able to sign in.
    Security,
    /// It belongs to something the person bought or does.
    Transactional,
    /// It may be useful, and each person decides whether it comes.
    Optional(Topic),
}

/// Something people are told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// The address of a new account is to be confirmed.
    Verification,
    /// A link to sign in without a password.
    MagicLink,
    /// A link to choose a new password.
    PasswordReset,
    /// The code that shows whose a telephone is.
    PhoneCode,
    /// The address that an account is to have is to be confirmed.
    EmailChange,
    /// Somebody asked for another address for the account.
    EmailChangeAsked,
    /// The account has another address; to the earlier one.
    EmailChanged,
    /// The account has another password.
    PasswordChanged,
    /// Signing in asks for a code of an authenticator app from now on.
    SecondFactorOn,
    /// Signing in asks for no code any more.
    SecondFactorOff,
    /// The customer's order is paid (EML-04).
    BookingConfirmed,
    /// What was paid, line by line.
    Receipt,
    /// A mechanic has taken the session (EML-05).
    MechanicAssigned,
    /// The session is over (EML-07).
    SessionEnded,
    /// The mechanic has written the summary (EML-08).
    SummaryDelivered,
    /// One side of the session did not come, and it was called off; to both.
    NoShow,
    /// The session was called off before it began, or nobody took it; to a side that did not do it and hears of no
    /// money.
    SessionCancelled,
    /// Money is on its way back.
    Refunded,
    /// A chat became video, and the mechanic's page did not show it (UPG-18).
    SessionUpgraded,
    /// A session was accepted and should have begun by now; to its mechanic (EML-03).
    StartNudge,
    /// Something needs a person's eye; to support's address (NOT-11).
    SupportAlert,
    /// A customer has taken a payment to their bank; to the admins (G-02).
    DisputeOpened,
    /// Somebody's application has arrived; to them (G-08).
    ApplicationReceived,
    /// An application waits; to the admins.
    ApplicationArrived,
    /// An admin has approved the application.
    ApplicationApproved,
    /// An admin asks something about the application.
    ApplicationAsked,
    /// An admin has refused the application, for a reason.
    ApplicationRefused,
    /// A workshop invites a mechanic.
    WorkshopInvitation,
    /// An admin has closed the account for now, for a reason.
    AccountSuspended,
    /// An admin has opened the account again.
    AccountRestored,
    /// An admin has refused or suspended somebody as a mechanic, for a reason (G-08).
    ApprovalEnded,
    /// What the mechanic advised to do next, a week after the summary.
    NextStepsReminder,
}

impl Milestone {
    /// Every milestone.
    pub const ALL: [Self; 32] = [
        Self::Verification,
        Self::MagicLink,
        Self::PasswordReset,
        Self::PhoneCode,
        Self::EmailChange,
        Self::EmailChangeAsked,
        Self::EmailChanged,
        Self::PasswordChanged,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::BookingConfirmed,
        Self::Receipt,
        Self::MechanicAssigned,
        Self::SessionEnded,
        Self::SummaryDelivered,
        Self::NoShow,
        Self::SessionCancelled,
        Self::Refunded,
        Self::SessionUpgraded,
        Self::StartNudge,
        Self::SupportAlert,
        Self::DisputeOpened,
        Self::ApplicationReceived,
        Self::ApplicationArrived,
        Self::ApplicationApproved,
        Self::ApplicationAsked,
        Self::ApplicationRefused,
        Self::WorkshopInvitation,
        Self::AccountSuspended,
        Self::AccountRestored,
        Self::ApprovalEnded,
        Self::NextStepsReminder,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::MagicLink => "magic_link",
            Self::PasswordReset => "password_reset",
            Self::PhoneCode => "phone_code",
            Self::EmailChange => "email_change",
            Self::EmailChangeAsked => "email_change_asked",
            Self::EmailChanged => "email_changed",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::BookingConfirmed => "booking_confirmed",
            Self::Receipt => "receipt",
            Self::MechanicAssigned => "mechanic_assigned",
            Self::SessionEnded => "session_ended",
            Self::SummaryDelivered => "summary_delivered",
            Self::NoShow => "no_show",
            Self::SessionCancelled => "session_cancelled",
            Self::Refunded => "refunded",
            Self::SessionUpgraded => "session_upgraded",
            Self::StartNudge => "start_nudge",
            Self::SupportAlert => "support_alert",
            Self::DisputeOpened => "dispute_opened",
            Self::ApplicationReceived => "application_received",
            Self::ApplicationArrived => "application_arrived",
            Self::ApplicationApproved => "application_approved",
            Self::ApplicationAsked => "application_asked",
            Self::ApplicationRefused => "application_refused",
            Self::WorkshopInvitation => "workshop_invitation",
            Self::AccountSuspended => "account_suspended",
            Self::AccountRestored => "account_restored",
            Self::ApprovalEnded => "approval_ended",
            Self::NextStepsReminder => "next_steps_reminder",
        }
    }

    /// The milestone of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|milestone| milestone.as_str() == name)
    }

    /// Why it is sent.
    pub const fn category(self) -> Category {
        match self {
            Self::Verification
            | Self::MagicLink
            | Self::PasswordReset
            | Self::PhoneCode
            | Self::EmailChange
            | Self::EmailChangeAsked
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::SecondFactorOn
            | Self::SecondFactorOff => Category::Security,
            Self::BookingConfirmed
            | Self::Receipt
            | Self::MechanicAssigned
            | Self::SessionEnded
            | Self::SummaryDelivered
            | Self::NoShow
            | Self::SessionCancelled
            | Self::Refunded
            | Self::SessionUpgraded
            | Self::StartNudge
            | Self::SupportAlert
            | Self::DisputeOpened
            | Self::ApplicationReceived
            | Self::ApplicationArrived
            | Self::ApplicationApproved
            | Self::ApplicationAsked
            | Self::ApplicationRefused
            | Self::WorkshopInvitation
            | Self::AccountSuspended
            | Self::AccountRestored
            | Self::ApprovalEnded => Category::Transactional,
            Self::NextStepsReminder => Category::Optional(Topic::FollowUp),
        }
    }

    /// The topic whose switch stops it; `None` when it can't be switched off.
    pub const fn topic(self) -> Option<Topic> {
        match self.category() {
            Category::Security | Category::Transactional => None,
            Category::Optional(topic) => Some(topic),
        }
    }

    /// The channels on which its recipient hears of it. Links into the account go to the confirmed address only.
    pub const fn channels(self) -> &'static [Channel] {
        match self {
            Self::Verification
            | Self::MagicLink
            | Self::PasswordReset
            | Self::EmailChange
            | Self::EmailChangeAsked
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::SecondFactorOn
            | Self::SecondFactorOff
            | Self::BookingConfirmed
            | Self::Receipt
            | Self::MechanicAssigned
            | Self::SessionEnded
            | Self::SummaryDelivered
            | Self::NoShow
            | Self::SessionCancelled
            | Self::Refunded
            | Self::SupportAlert
            | Self::DisputeOpened
            | Self::ApplicationReceived
            | Self::ApplicationArrived
            | Self::ApplicationApproved
            | Self::ApplicationAsked
            | Self::ApplicationRefused
            | Self::WorkshopInvitation
            | Self::AccountSuspended
            | Self::AccountRestored
            | Self::ApprovalEnded
            | Self::NextStepsReminder => &[Channel::Mail],
            Self::PhoneCode => &[Channel::Sms],
            Self::SessionUpgraded | Self::StartNudge => &[Channel::Sms, Channel::Mail],
        }
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for milestone in Milestone::ALL {
            assert_eq!(Milestone::parse(milestone.as_str()), Some(milestone));
            assert!(!milestone.channels().is_empty(), "{milestone} is heard by nobody");
        }
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
        assert_eq!(Milestone::parse("email"), None);
    }
}
