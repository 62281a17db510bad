//! `/thank-you?session={id}`: where a paid session stands, and the way into it.
//!
//! Listens on the customer's own channel and reads itself again when something happens. It does not join
//! `session:{id}`: that would tell the mechanic that the customer is in the room.

use askama::Template;

use crate::frame::Frame;
use crate::money::Amount;
use crate::session::SessionStatus;

/// The page after the payment.
#[derive(Debug, Template)]
#[template(path = "thank_you.html")]
pub struct ThankYouPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The session's id.
    pub session_id: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// The plan's name.
    pub plan_name: String,
    /// How long the session lasts.
    pub duration_minutes: i64,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// What was paid.
    pub total: Amount,
    /// `paid`, `partially_refunded`, `refunded` and so on.
    pub payment_status: String,
    /// The mechanic's name, once there is one.
    pub mechanic_name: Option<String>,
    /// RFC 3339, for a booked session.
    pub scheduled_for: Option<String>,
    /// After how long a request that nobody took is refunded.
    pub refund_after_minutes: i64,
    /// The order whose receipt can be read.
    pub receipt_order_id: Option<String>,
}

/// One step of the progress tracker.
pub(crate) struct Step {
    pub(crate) label: &'static str,
    pub(crate) done: bool,
    pub(crate) current: bool,
}

impl ThankYouPage {
    /// Paid, mechanic found, session, done; exactly one of them is current, none after a session that never took
    /// place.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let reached = match self.status {
            SessionStatus::Requested | SessionStatus::Scheduled => Some(1),
            SessionStatus::Accepted => Some(2),
            SessionStatus::InProgress => Some(3),
            SessionStatus::Completed => Some(4),
            SessionStatus::Cancelled | SessionStatus::Expired => None,
        };
        ["Paid", "Finding a mechanic", "Waiting room", "Session"]
            .into_iter()
            .enumerate()
            .map(|(index, label)| Step {
                label,
                done: reached.is_some_and(|reached| index < reached),
                current: reached == Some(index),
            })
            .collect()
    }

    pub(crate) fn title(&self) -> &'static str {
        match self.status {
            SessionStatus::Requested => "Paid. We are asking mechanics now",
            SessionStatus::Scheduled => "Paid and booked",
            SessionStatus::Accepted => "Your mechanic is ready",
            SessionStatus::InProgress => "Your session is live",
            SessionStatus::Completed => "This session is over",
            SessionStatus::Cancelled => "This session was cancelled",
            SessionStatus::Expired => "Nobody could take your request",
        }
    }
}
