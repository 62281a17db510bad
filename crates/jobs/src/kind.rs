//! The kinds of work, and how stubborn each is.

use std::fmt;

/// A kind of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Renders and sends one message.
    Mail,
    /// Sends many messages in one call.
    MailBatch,
    /// Renders and sends one text message.
    Sms,
    /// Asks the payment provider about everything whose outcome is not known.
    Reconcile,
    /// Closes an order that was not paid in time.
    ExpireOrder,
    /// Gives up a request that nobody accepted in time.
    ExpireRequest,
    /// Warns before the end of a session's time, and ends the session at it.
    TimeLimit,
    /// Calls an accepted session off when one side did not come.
    NoShow,
    /// Asks the mechanic of an accepted session to begin.
    StartNudge,
    /// Looks for what is overdue or has gone wrong, and tells support.
    Monitor,
    /// Sends money back.
    Refund,
    /// Tells on other channels what an open page did not show.
    FollowUpNotice,
    /// Deletes uploads that nothing refers to.
    SweepFiles,
    /// Makes the payment provider forget somebody who left.
    ForgetPayer,
    /// Deletes what was kept as long as it has to be.
    Retain,
    /// Deletes finished jobs and whatever else has outlived its use.
    Prune,
}

/// How often a kind is tried and how long it waits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts before the job is dead.
    pub max_attempts: u32,
    /// The wait after the first failure, in seconds; it doubles with every further one.
    pub base_seconds: u32,
    /// The longest wait, in seconds.
    pub cap_seconds: u32,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Mail,
        Self::MailBatch,
        Self::Sms,
        Self::Reconcile,
        Self::ExpireOrder,
        Self::ExpireRequest,
        Self::TimeLimit,
        Self::NoShow,
        Self::StartNudge,
        Self::Monitor,
        Self::Refund,
        Self::FollowUpNotice,
        Self::SweepFiles,
        Self::ForgetPayer,
        Self::Retain,
        Self::Prune,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::MailBatch => "mail_batch",
            Self::Sms => "sms",
            Self::Reconcile => "reconcile",
            Self::ExpireOrder => "expire_order",
            Self::ExpireRequest => "expire_request",
            Self::TimeLimit => "time_limit",
            Self::NoShow => "no_show",
            Self::StartNudge => "start_nudge",
            Self::Monitor => "monitor",
            Self::Refund => "refund",
            Self::FollowUpNotice => "follow_up_notice",
            Self::SweepFiles => "sweep_files",
            Self::ForgetPayer => "forget_payer",
            Self::Retain => "retain",
            Self::Prune => "prune",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Its attempts and waits. Mail is given up after about an hour and a half, when the person has long asked
    /// again; money owed to a customer is tried for most of a day before a person must look.
    pub const fn patience(self) -> Patience {
        match self {
            // A code is too old after ten minutes.
            Self::Sms => Patience { max_attempts: 8, base_seconds: 2, cap_seconds: 120 },
            Self::Mail | Self::MailBatch => Patience { max_attempts: 12, base_seconds: 2, cap_seconds: 900 },
            // Somebody sits in front of it; a failure of the database passes in seconds or not for a while.
            Self::TimeLimit | Self::NoShow | Self::StartNudge => {
                Patience { max_attempts: 60, base_seconds: 1, cap_seconds: 300 }
            }
            Self::Refund | Self::ForgetPayer => {
                Patience { max_attempts: 30, base_seconds: 5, cap_seconds: 3_600 }
            }
            Self::ExpireOrder | Self::ExpireRequest | Self::FollowUpNotice => {
                Patience { max_attempts: 20, base_seconds: 5, cap_seconds: 900 }
            }
            Self::Reconcile | Self::Monitor | Self::SweepFiles | Self::Retain | Self::Prune => {
                Patience { max_attempts: 5, base_seconds: 10, cap_seconds: 600 }
            }
        }
    }

    /// Whether money or a session hangs on it, so that a person is told when one is given up.
    pub const fn is_vital(self) -> bool {
        match self {
            Self::Reconcile
            | Self::ExpireOrder
            | Self::ExpireRequest
            | Self::TimeLimit
            | Self::NoShow
            | Self::Refund => true,
            Self::Mail
            | Self::MailBatch
            | Self::Sms
            | Self::StartNudge
            | Self::Monitor
            | Self::FollowUpNotice
            | Self::SweepFiles
            | Self::ForgetPayer
            | Self::Retain
            | Self::Prune => false,
        }
    }

    /// How many seconds lie between two runs of a kind that repeats for ever; `None` for one that is caused.
    pub const fn every_seconds(self) -> Option<u32> {
        match self {
            Self::Reconcile => Some(60),
            Self::Monitor => Some(30),
            Self::SweepFiles | Self::Prune => Some(3_600),
            Self::Retain => Some(21_600),
            Self::Mail
            | Self::MailBatch
            | Self::Sms
            | Self::ExpireOrder
            | Self::ExpireRequest
            | Self::TimeLimit
            | Self::NoShow
            | Self::StartNudge
            | Self::Refund
            | Self::FollowUpNotice
            | Self::ForgetPayer => None,
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Patience {
    /// How many milliseconds to wait after that many attempts: the doubled base, at most the cap, of which the
    /// second half is random so that jobs which failed together do not come back together.
    pub fn wait_millis(self, attempts: u32, random: u64) -> i64 {
        let doublings = attempts.saturating_sub(1).min(32);
        let seconds = (u64::from(self.base_seconds) << doublings).min(u64::from(self.cap_seconds));
        let half = seconds * 500;
        i64::try_from(half + random % (half + 1)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(JobKind::parse("Mail"), None);
    }

    #[test]
    fn the_wait_doubles_up_to_the_cap_and_at_least_half_of_it_is_certain() {
        let patience = Patience { max_attempts: 9, base_seconds: 2, cap_seconds: 60 };
        for (attempts, least, most) in [
            (1, 1_000_i64, 2_000_i64),
            (2, 2_000, 4_000),
            (5, 16_000, 32_000),
            (6, 30_000, 60_000),
            (500, 30_000, 60_000),
        ] {
            assert_eq!(patience.wait_millis(attempts, 0), least, "after {attempts}");
            assert_eq!(
                patience.wait_millis(attempts, most.unsigned_abs() - least.unsigned_abs()),
                most,
                "after {attempts}"
            );
            for random in [7, 12_345, u64::MAX] {
                let wait = patience.wait_millis(attempts, random);
                assert!((least..=most).contains(&wait), "{wait} after {attempts}");
            }
        }
    }
}
