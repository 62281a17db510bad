//! `/checkout/success?session_id=…`: where the payment page leads back to.
//!
//! While the payment is processed the page asks `/api/sessions/resolve-by-stripe` and goes on by itself. A payment
//! that is already fulfilled needs no page: the caller redirects.

use askama::Template;

use crate::frame::Frame;

/// The return page.
#[derive(Debug, Template)]
#[template(path = "checkout_success.html")]
pub struct CheckoutSuccessPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The payment provider's id of the checkout (`cs_…`).
    pub checkout_session_id: String,
    /// What is known about the payment.
    pub state: CheckoutState,
    /// What it pays for.
    pub wanted: Bought,
}

/// What a payment pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bought {
    /// A session of the plan with this code.
    Session(String),
    /// Video or more time in the session with this id.
    Change(String),
}

impl Bought {
    fn is_change(&self) -> bool {
        matches!(self, Self::Change(_))
    }
}

impl CheckoutSuccessPage {
    pub(crate) fn text(&self) -> &'static str {
        self.state.text(self.wanted.is_change())
    }

    pub(crate) fn failed_text(&self) -> &'static str {
        CheckoutState::Failed.text(self.wanted.is_change())
    }

    pub(crate) fn again_label(&self) -> &'static str {
        match (&self.wanted, self.state) {
            (Bought::Change(_), _) => "Back to the session",
            (Bought::Session(_), CheckoutState::Processing) => "Try again",
            (Bought::Session(_), _) => "Go to payment",
        }
    }

    /// Where the same can be paid again; a change is asked for in its room.
    pub(crate) fn again(&self) -> String {
        match &self.wanted {
            Bought::Session(plan) => format!("/api/checkout?plan={plan}"),
            Bought::Change(session) => format!("/chat/{session}"),
        }
    }
}

/// What is known about a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckoutState {
    /// The bank has not answered yet.
    #[default]
    Processing,
    /// Nothing has been paid, and the payment page is still open.
    Unpaid,
    /// The bank has refused it.
    Failed,
    /// The payment page was left open for too long.
    Expired,
    /// The money came but the session can't be made; it goes back.
    Refunded,
}

impl CheckoutState {
    pub(crate) fn is_processing(&self) -> bool {
        *self == Self::Processing
    }

    /// Whether the same request can be paid.
    pub(crate) fn can_pay(&self) -> bool {
        matches!(self, Self::Unpaid | Self::Failed | Self::Expired)
    }

    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Processing => "Your payment is on its way",
            Self::Unpaid => "You have not paid yet",
            Self::Failed => "The payment did not go through",
            Self::Expired => "The payment page has run out",
            Self::Refunded => "Your money is on its way back",
        }
    }

    fn text(self, change: bool) -> &'static str {
        match self {
            Self::Processing => {
                "We are waiting for the bank's answer. It takes a few seconds, and this page goes on by itself."
            }
            Self::Unpaid | Self::Failed | Self::Expired if change => {
                "Nothing was charged. Your session goes on as it was."
            }
            Self::Refunded if change => {
                "Your session was over before this could be added, so the whole amount goes back to your card by itself."
            }
            Self::Unpaid => "Nothing was charged. What you told us about the car is kept.",
            Self::Failed => {
                "Nothing was charged. What you told us about the car is kept, so you can try again."
            }
            Self::Expired => "Nothing was charged. What you told us about the car is kept for a while.",
            Self::Refunded => {
                "Your session could not be made, so the whole amount goes back to your card by itself."
            }
        }
    }
}
