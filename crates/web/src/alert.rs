//! Something that needs a person's eye, as the board and the mails tell it.

use crate::disputes::reason_text;
use crate::money::Amount;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A side of a session that runs has been away for long.
    Away {
        /// Who.
        name: String,
        /// Whether it is the customer, and not the mechanic.
        is_customer: bool,
        /// The name of the other side, if there is one.
        other: Option<String>,
    },
    /// Both sides wait for video that does not come.
    NoVideo {
        /// The customer's name.
        customer: String,
        /// The mechanic's name.
        mechanic: String,
    },
    /// The payment provider refuses to send money back.
    RefundFailed {
        /// The customer's name.
        customer: String,
        /// How much.
        amount: Amount,
    },
    /// Work that money or a session hangs on was given up.
    JobDead {
        /// The kind of job, as it is published.
        kind: String,
    },
    /// A customer has taken a payment to their bank.
    Dispute {
        /// The dispute's id.
        id: String,
        /// The customer's name.
        customer: String,
        /// How much.
        amount: Amount,
        /// Why, in the payment provider's words.
        reason: String,
        /// RFC 3339: until when it can be answered.
        due_at: Option<String>,
    },
}

impl Finding {
    /// What has happened, in a few words.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Away { is_customer: true, .. } => "The customer is away from a live session",
            Self::Away { is_customer: false, .. } => "The mechanic is away from a live session",
            Self::NoVideo { .. } => "Video does not come about",
            Self::RefundFailed { .. } => "A refund was refused",
            Self::JobDead { .. } => "Work on payments or sessions was given up",
            Self::Dispute { .. } => "A payment is disputed",
        }
    }

    /// Who and what it is about, in sentences; times in this zone.
    pub(crate) fn detail(&self, zone: &str) -> String {
        match self {
            Self::Away { name, other: Some(other), .. } => {
                format!("{name}, in a session with {other}, is not in the room.")
            }
            Self::Away { name, other: None, .. } => format!("{name} is not in the room."),
            Self::NoVideo { customer, mechanic } => {
                format!("{customer} and {mechanic} are in the room and have not seen each other.")
            }
            Self::RefundFailed { customer, amount } => {
                format!("The payment provider does not send {amount} back to {customer}. Find another way.")
            }
            Self::JobDead { kind } => {
                let name = kind.replace('_', " ");
                format!("The job “{name}” was tried in vain. Mend the cause, then run it again.")
            }
            Self::Dispute { customer, amount, reason, due_at, .. } => {
                let reason = reason_text(reason);
                let due = due_at.as_deref().map_or_else(String::new, |at| {
                    format!(" Answer it by {}.", crate::clock::long_text(at, zone))
                });
                format!("{customer} has taken {amount} to their bank: {reason}.{due}")
            }
        }
    }

    /// RFC 3339: until when something has to be done.
    pub(crate) fn due_at(&self) -> Option<&str> {
        match self {
            Self::Dispute { due_at, .. } => due_at.as_deref(),
            Self::Away { .. } | Self::NoVideo { .. } | Self::RefundFailed { .. } | Self::JobDead { .. } => {
                None
            }
        }
    }

    /// What the link beside it says to a reader who decides, or to support, who may not open a case.
    pub(crate) fn link(&self, decides: bool) -> &'static str {
        match self {
            Self::Away { .. } | Self::NoVideo { .. } => "Open the session",
            Self::RefundFailed { .. } => "Open the session’s money",
            Self::JobDead { .. } => "Open the jobs",
            Self::Dispute { .. } if decides => "Open the case",
            Self::Dispute { .. } => "Read the session’s log",
        }
    }

    /// Where to look: the path of a page, for something about this session. A reader who decides is led to the case of
    /// a dispute, support to what was said.
    #[must_use]
    pub fn path(&self, session_id: Option<&str>, decides: bool) -> Option<String> {
        match self {
            Self::JobDead { .. } => Some("/admin/jobs".to_owned()),
            Self::Away { .. } | Self::NoVideo { .. } => session_id.map(|id| format!("/chat/{id}")),
            Self::RefundFailed { .. } => session_id.map(|id| format!("/admin/sessions/{id}")),
            Self::Dispute { id, .. } if decides => Some(format!("/admin/disputes/{id}")),
            Self::Dispute { .. } => session_id.map(|id| format!("/sessions/{id}/transcript")),
        }
    }
}

/// A line of the board.
#[derive(Clone, Debug)]
pub struct Attention {
    /// The alert's id.
    pub id: String,
    /// What was found.
    pub finding: Finding,
    /// RFC 3339: since when.
    pub since: String,
    /// The session it is about.
    pub session_id: Option<String>,
}

impl Attention {
    pub(crate) fn href(&self, decides: bool) -> Option<String> {
        self.finding.path(self.session_id.as_deref(), decides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_leads_somewhere_and_says_who_and_how_much() {
        let amount = || Amount::new(999, "usd");
        let dana = || "Dana".to_owned();
        let away = |is_customer, other| Finding::Away { name: dana(), is_customer, other };
        let dispute = Finding::Dispute {
            id: "d1".to_owned(),
            customer: dana(),
            amount: amount(),
            reason: "product_not_received".to_owned(),
            due_at: Some("2026-12-01T23:59:59Z".to_owned()),
        };
        let table = [
            (
                away(true, Some("Max".to_owned())),
                Some("/chat/s1"),
                "Dana, in a session with Max, is not in the room.",
            ),
            (away(false, None), Some("/chat/s1"), "Dana is not in the room."),
            (
                Finding::RefundFailed { customer: dana(), amount: amount() },
                Some("/admin/sessions/s1"),
                "The payment provider does not send $9.99 back to Dana. Find another way.",
            ),
            (
                Finding::JobDead { kind: "expire_order".to_owned() },
                Some("/admin/jobs"),
                "The job “expire order” was tried in vain. Mend the cause, then run it again.",
            ),
        ];
        for (finding, path, detail) in table {
            for decides in [true, false] {
                assert_eq!(finding.path(Some("s1"), decides).as_deref(), path, "{finding:?}");
            }
            assert_eq!(finding.detail("UTC"), detail);
        }
        let told = dispute.detail("UTC");
        assert!(
            told.starts_with(
                "Dana has taken $9.99 to their bank: The customer says nothing was delivered. Answer it by "
            ),
            "{told}"
        );
        assert!(told.contains("2026"), "{told}");
        assert_eq!(dispute.path(None, false), None);
    }

    #[test]
    fn who_decides_is_led_to_the_case_of_a_dispute_and_support_to_the_log() {
        let dispute = Finding::Dispute {
            id: "d1".to_owned(),
            customer: "Dana".to_owned(),
            amount: Amount::new(999, "usd"),
            reason: "general".to_owned(),
            due_at: None,
        };
        for (decides, path, link) in [
            (true, "/admin/disputes/d1", "Open the case"),
            (false, "/sessions/s1/transcript", "Read the session’s log"),
        ] {
            assert_eq!(dispute.path(Some("s1"), decides).as_deref(), Some(path));
            assert_eq!(dispute.link(decides), link);
        }
    }
}
