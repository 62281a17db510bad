//! `/admin/sessions` and `/admin/sessions/{id}`: looking sessions up, and what was paid for one of them and went back.
//!
//! Search and page are in the address. `session-refund` sends money back by `POST /api/admin/sessions/{id}/refund`.

use askama::Template;

use crate::frame::Frame;
use crate::money::Amount;
use crate::session::SessionStatus;
use crate::start::encode;

/// Looking sessions up.
#[derive(Debug, Default, Template)]
#[template(path = "sessions.html")]
pub struct SessionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What the address asks for: a part of a name, of a mail address or of an id, or the id of a charge.
    pub search: String,
    /// How many disputes wait for an answer.
    pub unanswered: i64,
    /// One page of sessions, newest first.
    pub rows: Vec<FoundRow>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// One session.
#[derive(Clone, Debug, Default)]
pub struct FoundRow {
    /// The session's id.
    pub id: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// The customer's name.
    pub customer_name: String,
    /// The mechanic's name, if there is one.
    pub mechanic_name: Option<String>,
    /// The plan's name, and whether it has become video.
    pub plan_name: String,
    /// RFC 3339: when it was paid for.
    pub created_at: String,
    /// `unpaid`, `paid`, `partially_refunded`, `refunded` or `disputed`.
    pub payment_status: String,
    /// What was paid in all.
    pub total: Amount,
}

impl FoundRow {
    pub(crate) fn short_id(&self) -> &str {
        short(&self.id)
    }

    pub(crate) fn payment(&self) -> PaymentChip {
        payment_chip(&self.payment_status, &self.total)
    }
}

impl SessionsPage {
    pub(crate) fn next_href(&self) -> Option<String> {
        let cursor = self.next_cursor.as_deref()?;
        let search = encode(&self.search);
        Some(if search.is_empty() {
            format!("/admin/sessions?cursor={cursor}")
        } else {
            format!("/admin/sessions?q={search}&cursor={cursor}")
        })
    }
}

/// How a payment stands, as a chip.
pub(crate) struct PaymentChip {
    pub(crate) class: &'static str,
    pub(crate) label: &'static str,
}

fn payment_chip(status: &str, total: &Amount) -> PaymentChip {
    let (class, label) = match status {
        "paid" if total.is_zero() => ("chip", "Free"),
        "paid" => ("chip chip-ok", "Paid"),
        "partially_refunded" => ("chip", "Partly refunded"),
        "refunded" => ("chip", "Refunded"),
        "disputed" => ("chip chip-bad", "Disputed"),
        _ => ("chip", "Not paid"),
    };
    PaymentChip { class, label }
}

/// The last eight characters of an id: those that tell apart what was made in the same minute.
pub(crate) fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}

/// The money of one session.
#[derive(Debug, Default, Template)]
#[template(path = "session_money.html")]
pub struct SessionMoneyPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The session.
    pub session: FoundRow,
    /// How long it may take, in minutes.
    pub duration_minutes: i64,
    /// The customer's user id.
    pub customer_id: String,
    /// What came in all.
    pub paid: Amount,
    /// What has gone back.
    pub returned: Amount,
    /// What is on its way back.
    pub on_the_way: Amount,
    /// What the bank has taken because of a dispute.
    pub taken: Amount,
    /// What can still go back.
    pub left: Amount,
    /// What was ordered, oldest first.
    pub orders: Vec<OrderCard>,
    /// What admins sent back by hand, newest first.
    pub by_hand: Vec<ByHand>,
}

/// One order and its money.
#[derive(Clone, Debug, Default)]
pub struct OrderCard {
    /// The order's id.
    pub id: String,
    /// What it bought.
    pub what: String,
    /// `open`, `processing`, `paid`, `fulfilled`, `refunded`, `expired` or `failed`.
    pub status: String,
    /// What was agreed.
    pub amount: Amount,
    /// Money that came and went, in the order of time.
    pub movements: Vec<MoneyLine>,
    /// What is kept: the sum of the movements that count.
    pub kept: Amount,
    /// What was earned with it.
    pub earned: Option<EarnedLine>,
    /// The disputes of its payments.
    pub disputes: Vec<DisputeLink>,
}

/// Money that came or went.
#[derive(Clone, Debug, Default)]
pub struct MoneyLine {
    /// What moved, and why.
    pub label: String,
    /// RFC 3339.
    pub at: String,
    /// Positive for what came, negative for what went.
    pub amount: Amount,
    /// Whether it did not come about, so that it doesn't count.
    pub void: bool,
}

/// What was earned with an order.
#[derive(Clone, Debug, Default)]
pub struct EarnedLine {
    /// Who earned it.
    pub provider: String,
    /// Their share.
    pub payable: Amount,
    /// The platform's.
    pub fee: Amount,
    /// Whether it is not paid out for now.
    pub frozen: bool,
}

/// A dispute of a payment.
#[derive(Clone, Debug, Default)]
pub struct DisputeLink {
    /// Its id.
    pub id: String,
    /// Where it stands, in words.
    pub label: &'static str,
    /// How much.
    pub amount: Amount,
}

/// Money that an admin sent back.
#[derive(Clone, Debug, Default)]
pub struct ByHand {
    /// RFC 3339.
    pub at: String,
    /// Who.
    pub admin: String,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub reason: String,
}

impl OrderCard {
    pub(crate) fn chip(&self) -> PaymentChip {
        let (class, label) = match self.status.as_str() {
            "fulfilled" if self.amount.is_zero() => ("chip", "Free"),
            "fulfilled" => ("chip chip-ok", "Paid"),
            "paid" => ("chip", "Paid, not made yet"),
            "processing" => ("chip", "Money on its way"),
            "refunded" => ("chip", "Refunded"),
            "expired" => ("chip", "Never paid"),
            "failed" => ("chip", "Payment failed"),
            _ => ("chip", "Not paid yet"),
        };
        PaymentChip { class, label }
    }

    pub(crate) fn is_receipted(&self) -> bool {
        !self.movements.is_empty() || matches!(self.status.as_str(), "paid" | "fulfilled" | "refunded")
    }
}

impl SessionMoneyPage {
    pub(crate) fn can_refund(&self) -> bool {
        self.left.cents > 0
    }

    /// Why nothing can go back.
    pub(crate) fn nothing_left(&self) -> &'static str {
        if self.paid.is_zero() {
            "Nothing was paid for this session, so nothing can go back."
        } else if !self.taken.is_zero() {
            "The customer’s bank has taken what was left. Only what the bank gives back can be sent back."
        } else {
            "Everything that was paid has gone back or is on its way."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SessionsPage;

    #[test]
    fn the_next_page_keeps_what_was_searched_for() {
        let mut page = SessionsPage { next_cursor: Some("abc".to_owned()), ..SessionsPage::default() };
        assert_eq!(page.next_href().as_deref(), Some("/admin/sessions?cursor=abc"));
        page.search = "dana@example.com".to_owned();
        assert_eq!(page.next_href().as_deref(), Some("/admin/sessions?q=dana%40example.com&cursor=abc"));
    }
}
