//! Mails about sessions that did not take place, and about money that goes back.

use askama::Template;

use super::{Mail, Message, Sender, one_line};
use crate::Error;
use crate::money::Amount;

/// Milestone `no_show`: one side did not come, and the session was called off. Both hear of it.
#[derive(Clone, Debug, Default)]
pub struct NoShow {
    /// Who sends it.
    pub sender: Sender,
    /// The reader's name.
    pub name: String,
    /// The name of the other side.
    pub other_name: String,
    /// Whether the reader is the customer, and not the mechanic.
    pub to_customer: bool,
    /// Whether it was the customer who did not come.
    pub by_customer: bool,
    /// The plan's name.
    pub plan_name: String,
    /// How long the one waited for the other.
    pub grace_minutes: i64,
    /// What was paid.
    pub total: Amount,
    /// What of it goes back.
    pub back: Amount,
    /// The room, where everything that was said can be read.
    pub session_url: String,
}

/// Milestone `session_cancelled`: the session was called off before it began, or nobody took it; for a side that did not
/// do it and hears of no money.
#[derive(Clone, Debug, Default)]
pub struct SessionCancelled {
    /// Who sends it.
    pub sender: Sender,
    /// The reader's name.
    pub name: String,
    /// Whether the reader is the customer, and not the mechanic.
    pub to_customer: bool,
    /// Who did it.
    pub by: CancelledBy,
    /// The customer's name, for the mechanic.
    pub customer_name: String,
    /// The plan's name.
    pub plan_name: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// For the customer where to ask again, for the mechanic the session.
    pub url: String,
    /// The receipt; `None` if nothing was paid, and for the mechanic.
    pub receipt_url: Option<String>,
}

/// Who called a session off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CancelledBy {
    /// Nobody took the request in time.
    #[default]
    Nobody,
    /// Its customer.
    Customer,
    /// Its mechanic.
    Mechanic,
    /// Somebody at Pitlane.
    Support,
    /// The bank, which took the payment back.
    Bank,
}

/// Milestone `refunded`: money is on its way back.
#[derive(Clone, Debug, Default)]
pub struct Refund {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// What it was paid for: the plan, the upgrade or more time.
    pub bought: String,
    /// What went back.
    pub amount: Amount,
    /// What was paid in all.
    pub paid: Amount,
    /// Why.
    pub reason: RefundReason,
    /// RFC 3339.
    pub refunded_at: String,
    /// The receipt with the refund on it.
    pub receipt_url: Option<String>,
}

/// Why money went back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefundReason {
    /// Nobody took the request in time.
    #[default]
    Unaccepted,
    /// The customer cancelled.
    Cancelled,
    /// The mechanic cancelled.
    MechanicCancelled,
    /// Somebody at Pitlane cancelled.
    SupportCancelled,
    /// What was paid for could not be made.
    NotFulfilled,
    /// The mechanic did not come.
    MechanicNoShow,
    /// The customer did not come.
    CustomerNoShow,
    /// The video that was paid for never came about.
    NoVideo,
    /// It was paid once more.
    Duplicate,
    /// Another amount arrived than was agreed.
    WrongAmount,
    /// Somebody at Pitlane decided it.
    Support,
}

impl RefundReason {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unaccepted => "Nobody could take your request in time. We are sorry about that.",
            Self::Cancelled => "You cancelled the session.",
            Self::MechanicCancelled => "Your mechanic had to cancel. We are sorry about that.",
            Self::SupportCancelled => "Our support team called the session off.",
            Self::NotFulfilled => "Your payment arrived, but what it was for could not be made.",
            Self::MechanicNoShow => "Your mechanic did not come to the session. We are sorry about that.",
            Self::CustomerNoShow => "You were missed at the session, and this is the part that goes back.",
            Self::NoVideo => "The video call never came about, so the upgrade is not charged.",
            Self::Duplicate => "It was paid for twice, so the second payment goes back by itself.",
            Self::WrongAmount => "Another amount arrived than was agreed, so all of it goes back by itself.",
            Self::Support => "Our support team arranged it.",
        }
    }
}

message!(NoShow, NoShowHtml = "mail/no_show.html", NoShowText = "mail/no_show.txt", |m| {
    m.title().to_owned()
});
message!(
    SessionCancelled,
    SessionCancelledHtml = "mail/session_cancelled.html",
    SessionCancelledText = "mail/session_cancelled.txt",
    |m| { m.title() }
);
message!(Refund, RefundHtml = "mail/refund.html", RefundText = "mail/refund.txt", |m| format!(
    "{} is on its way back to you: {}",
    m.amount, m.bought
));

impl NoShow {
    fn title(&self) -> &'static str {
        match (self.to_customer, self.by_customer) {
            (true, true) => "You were missed",
            (true, false) => "Your mechanic did not come",
            (false, true) => "The customer did not come",
            (false, false) => "You missed a session",
        }
    }

    fn happened(&self) -> String {
        let (other, plan, minutes) = (&self.other_name, &self.plan_name, self.grace_minutes);
        match (self.to_customer, self.by_customer) {
            (true, true) => format!(
                "{other} waited {minutes} minutes in the room for your {plan}. Then the session was called off."
            ),
            (true, false) => {
                format!(
                    "{other} accepted your {plan} and did not start it in time. The session was called off."
                )
            }
            (false, true) => format!(
                "You waited {minutes} minutes for {other}, who did not come. The session was called off, and you are free for the next one."
            ),
            (false, false) => format!(
                "You accepted a {plan} for {other} and did not start it in time. The session was called off."
            ),
        }
    }

    /// What becomes of the money; empty for who did not pay it.
    fn money(&self) -> String {
        match (self.to_customer, self.total.is_zero(), self.back.is_zero()) {
            (false, ..) => String::new(),
            (true, true, _) if self.by_customer => String::new(),
            (true, true, _) => "Your free session is still yours.".to_owned(),
            (true, false, true) => {
                format!("By the terms that you booked under, nothing of the {} goes back.", self.total)
            }
            (true, false, false) => {
                format!("{} of the {} that you paid goes back to your card.", self.back, self.total)
            }
        }
    }
}

impl SessionCancelled {
    fn title(&self) -> String {
        match (self.to_customer, self.by) {
            (true, CancelledBy::Nobody) => "Nobody could take your request".to_owned(),
            (true, CancelledBy::Mechanic) => "Your mechanic had to cancel".to_owned(),
            (true, CancelledBy::Customer | CancelledBy::Support | CancelledBy::Bank) => {
                "Your session was called off".to_owned()
            }
            (false, CancelledBy::Customer) => format!("{} called the session off", self.customer_name),
            (
                false,
                CancelledBy::Nobody | CancelledBy::Mechanic | CancelledBy::Support | CancelledBy::Bank,
            ) => {
                format!("The session with {} was called off", self.customer_name)
            }
        }
    }

    fn happened(&self) -> String {
        let (customer, plan) = (&self.customer_name, &self.plan_name);
        match (self.to_customer, self.by) {
            (true, CancelledBy::Nobody) => {
                "No mechanic could take your request in time. We are sorry about that.".to_owned()
            }
            (true, CancelledBy::Customer) => format!("You called your {plan} off before it began."),
            (true, CancelledBy::Mechanic) => format!(
                "Your mechanic accepted your {plan} and had to cancel it before it began. We are sorry about that."
            ),
            (true, CancelledBy::Support) => {
                format!("Our support team called your {plan} off before it began.")
            }
            (true, CancelledBy::Bank) => {
                format!("Your {plan} was called off, because its payment was taken back.")
            }
            (false, CancelledBy::Customer) => format!(
                "{customer} called off the {plan} that you accepted, before it began. You are free for the next one."
            ),
            (false, CancelledBy::Support) => format!(
                "Our support team called off the {plan} that you accepted for {customer}, before it began. You are free for the next one."
            ),
            (false, CancelledBy::Nobody | CancelledBy::Mechanic | CancelledBy::Bank) => format!(
                "The {plan} that you accepted for {customer} was called off before it began. You are free for the next one."
            ),
        }
    }

    /// What becomes of the money; empty for who did not pay it.
    fn money(&self) -> &'static str {
        match (self.to_customer, self.receipt_url.is_some()) {
            (true, true) => "Your receipt tells what became of your payment.",
            (true, false) => "It cost you nothing, and your free session is still yours.",
            (false, _) => "",
        }
    }

    fn button(&self) -> &'static str {
        if self.to_customer { "Ask again" } else { "See the session" }
    }
}

impl Refund {
    pub(crate) fn refunded(&self) -> String {
        self.sender.tell(&self.refunded_at)
    }
}
