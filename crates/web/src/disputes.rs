//! `/admin/disputes` and `/admin/disputes/{id}`: payments that customers have taken to their bank, and what speaks for
//! us.

use askama::Template;

use crate::frame::Frame;
use crate::money::Amount;
use crate::session_money::short;

/// The list.
#[derive(Debug, Default, Template)]
#[template(path = "disputes.html")]
pub struct DisputesPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Which are shown.
    pub shown: DisputeFilter,
    /// How many disputes wait for an answer.
    pub unanswered: i64,
    /// One page of disputes, newest first.
    pub rows: Vec<DisputeRow>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// Which disputes are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisputeFilter {
    /// All of them.
    #[default]
    All,
    /// Those in this state.
    Only(DisputeState),
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisputeState {
    /// It waits for our answer.
    #[default]
    Open,
    /// The bank decides.
    UnderReview,
    /// The money stays, or is back.
    Won,
    /// The money is gone.
    Lost,
}

impl DisputeState {
    const ALL: [Self; 4] = [Self::Open, Self::UnderReview, Self::Won, Self::Lost];

    /// The name used by the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The words on the chip.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "To answer",
            Self::UnderReview => "Answered",
            Self::Won => "Won",
            Self::Lost => "Lost",
        }
    }

    pub(crate) fn is_open(self) -> bool {
        self == Self::Open
    }

    pub(crate) fn chip(self) -> &'static str {
        match self {
            Self::Open | Self::Lost => "chip chip-bad",
            Self::UnderReview => "chip",
            Self::Won => "chip chip-ok",
        }
    }
}

/// One dispute.
#[derive(Clone, Debug, Default)]
pub struct DisputeRow {
    /// Its id.
    pub id: String,
    /// The session; `None` when the money bought none.
    pub session_id: Option<String>,
    /// The customer's name.
    pub customer_name: String,
    /// The mechanic's name, if there is one.
    pub mechanic_name: Option<String>,
    /// How much is disputed.
    pub amount: Amount,
    /// What was earned with it and is not paid out meanwhile; `None` while nothing is frozen.
    pub frozen: Option<Amount>,
    /// Why, in the provider's word, such as `product_not_received`.
    pub reason: String,
    /// Where it stands.
    pub state: DisputeState,
    /// Until when it can be answered.
    pub due: Option<Due>,
    /// RFC 3339: when it was first heard of.
    pub opened_at: String,
    /// RFC 3339: when it was decided.
    pub closed_at: Option<String>,
}

/// Until when something has to be done.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// RFC 3339.
    pub at: String,
    /// How many seconds are left; negative when it is over.
    pub seconds_left: i64,
}

/// From so many seconds on a date is near.
const NEAR_SECONDS: i64 = 3 * 86_400;

impl Due {
    pub(crate) fn is_near(&self) -> bool {
        self.seconds_left < NEAR_SECONDS
    }

    /// `3 days left`, `5 hours left`, `less than an hour left`, `overdue`.
    pub(crate) fn left(&self) -> String {
        let (days, hours) = (self.seconds_left / 86_400, self.seconds_left / 3_600);
        match (self.seconds_left, days, hours) {
            (..=0, ..) => "overdue".to_owned(),
            (_, 0, 0) => "less than an hour left".to_owned(),
            (_, 0, 1) => "1 hour left".to_owned(),
            (_, 0, hours) => format!("{hours} hours left"),
            (_, 1, _) => "1 day left".to_owned(),
            (_, days, _) => format!("{days} days left"),
        }
    }
}

impl DisputeRow {
    pub(crate) fn short_session(&self) -> Option<&str> {
        self.session_id.as_deref().map(short)
    }

    /// The date that presses: only while it waits for our answer.
    pub(crate) fn pressing(&self) -> Option<&Due> {
        self.due.as_ref().filter(|_| self.state.is_open())
    }

    pub(crate) fn reason_text(&self) -> String {
        reason_text(&self.reason)
    }
}

/// What the customer told their bank, in plain words instead of the provider's.
pub(crate) fn reason_text(reason: &str) -> String {
    let known = match reason {
        "fraudulent" => "The cardholder says they did not pay this",
        "unrecognized" => "The cardholder does not recognise the payment",
        "duplicate" => "The cardholder says they paid twice",
        "product_not_received" => "The customer says nothing was delivered",
        "product_unacceptable" => "The customer says it was not what was promised",
        "credit_not_processed" => "The customer says a refund never came",
        "subscription_canceled" => "The customer says they had cancelled",
        "general" => "No reason was given",
        _ => "",
    };
    if known.is_empty() { reason.replace('_', " ") } else { known.to_owned() }
}

/// A filter above the table.
pub(crate) struct Choice {
    pub(crate) label: &'static str,
    pub(crate) href: String,
    pub(crate) current: bool,
}

impl DisputeFilter {
    /// The filter of that name; anything unknown is all of them.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        DisputeState::from_code(code).map_or(Self::All, Self::Only)
    }

    fn href(self, cursor: Option<&str>) -> String {
        let status = match self {
            Self::All => None,
            Self::Only(state) => Some(format!("status={}", state.code())),
        };
        let cursor = cursor.map(|cursor| format!("cursor={cursor}"));
        let parts: Vec<String> = status.into_iter().chain(cursor).collect();
        if parts.is_empty() {
            "/admin/disputes".to_owned()
        } else {
            format!("/admin/disputes?{}", parts.join("&"))
        }
    }
}

impl DisputesPage {
    pub(crate) fn title(&self) -> String {
        match self.unanswered {
            0 => "No dispute waits for an answer".to_owned(),
            1 => "1 dispute waits for an answer".to_owned(),
            count => format!("{count} disputes wait for an answer"),
        }
    }

    pub(crate) fn choices(&self) -> Vec<Choice> {
        let only = DisputeState::ALL.map(DisputeFilter::Only);
        std::iter::once(DisputeFilter::All)
            .chain(only)
            .map(|filter| Choice {
                label: match filter {
                    DisputeFilter::All => "All",
                    DisputeFilter::Only(state) => state.label(),
                },
                href: filter.href(None),
                current: filter == self.shown,
            })
            .collect()
    }

    pub(crate) fn next_href(&self) -> Option<String> {
        self.next_cursor.as_deref().map(|cursor| self.shown.href(Some(cursor)))
    }

    pub(crate) fn is_narrowed(&self) -> bool {
        self.shown != DisputeFilter::All
    }
}

/// One dispute with what speaks for us.
#[derive(Debug, Default, Template)]
#[template(path = "dispute.html")]
pub struct DisputePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The dispute.
    pub row: DisputeRow,
    /// The payment provider's id of it.
    pub provider_id: String,
    /// The payment provider's id of the charge.
    pub payment_intent: String,
    /// Whether the bank has taken the money for as long as it lasts.
    pub withdrawn: bool,
    /// The customer's user id.
    pub customer_id: String,
    /// The order that was paid.
    pub order_id: String,
    /// What it bought.
    pub bought: String,
    /// What was paid for it, and RFC 3339: when.
    pub paid: Option<(Amount, String)>,
    /// What of that went back, or is on its way.
    pub returned: Amount,
    /// The version of the waiver that was accepted, RFC 3339: when, and from which address.
    pub waiver: Option<(String, String, String)>,
    /// What happened in the session, from its log.
    pub happened: Vec<HappenedLine>,
    /// Who wrote how many messages.
    pub wrote: Vec<(String, usize)>,
    /// Who was connected by video, and when.
    pub video: Vec<VideoLine>,
    /// Who wrote the summary, and RFC 3339: when.
    pub summary: Option<(String, String)>,
    /// How many lines the log has.
    pub line_count: u64,
}

/// Something that happened.
#[derive(Clone, Debug, Default)]
pub struct HappenedLine {
    /// RFC 3339.
    pub at: String,
    /// What, in words.
    pub text: String,
}

/// A stretch of time in which somebody was connected by video.
#[derive(Clone, Debug, Default)]
pub struct VideoLine {
    /// Who.
    pub name: String,
    /// RFC 3339.
    pub from: String,
    /// RFC 3339; `None` while it goes on.
    pub to: Option<String>,
}

impl DisputePage {
    /// What has to be done now.
    pub(crate) fn next_step(&self) -> &'static str {
        match self.row.state {
            DisputeState::Open => {
                "Answer it at the payment provider with what stands below. Without an answer in time it is lost."
            }
            DisputeState::UnderReview => "It is answered. The bank decides, which can take weeks.",
            DisputeState::Won if self.withdrawn => {
                "The money is back, and what was earned is paid out again."
            }
            DisputeState::Won => "The money stays, and what was earned is paid out again.",
            DisputeState::Lost => "The money is gone. What was earned with it stays frozen.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DisputeFilter, DisputeState, Due};

    #[test]
    fn a_date_says_how_long_is_left_and_presses_from_three_days_on() {
        for (seconds_left, text, near) in [
            (7 * 86_400 + 5, "7 days left", false),
            (3 * 86_400, "3 days left", false),
            (3 * 86_400 - 1, "2 days left", true),
            (86_400, "1 day left", true),
            (86_399, "23 hours left", true),
            (3_600, "1 hour left", true),
            (3_599, "less than an hour left", true),
            (0, "overdue", true),
            (-5, "overdue", true),
        ] {
            let due = Due { at: String::new(), seconds_left };
            assert_eq!((due.left().as_str(), due.is_near()), (text, near), "{seconds_left}");
        }
    }

    #[test]
    fn the_address_says_which_disputes_are_shown() {
        assert_eq!(DisputeFilter::from_code("").href(None), "/admin/disputes");
        let lost = DisputeFilter::Only(DisputeState::Lost);
        assert_eq!(DisputeFilter::from_code("lost"), lost);
        assert_eq!(lost.href(Some("abc")), "/admin/disputes?status=lost&cursor=abc");
        assert_eq!(DisputeFilter::from_code("nonsense"), DisputeFilter::All);
    }
}
