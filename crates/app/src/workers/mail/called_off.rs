//! Mails about sessions that did not take place, and about money that goes back.

use kernel::Money;
use kernel::id::SessionId;
use payments::RefundReason as Reason;
use sessions::{EndReason, ParticipantRole};
use store::Tx;
use store::views::mail::Repayment;
use store::views::session::SessionView;
use web::mail::{CancelledBy, NoShow, Refund, RefundReason, SessionCancelled};

use super::letter::{Writer, Written, amount};
use crate::naming;
use crate::usecases::Error;

impl Writer<'_> {
    /// A session that was called off before it began, or that nobody took.
    pub(super) fn cancelled(&self, tx: &mut Tx<'_>, id: SessionId) -> Result<Written, Error> {
        let session = store::views::session::any(tx, id, self.recipient.id())?;
        let (Some(session), Some(booking)) = (session, store::views::mail::booking(tx, id)?) else {
            return Ok(Written::Void("the session is gone"));
        };
        let by = match session.end_reason {
            Some(EndReason::Unaccepted) => CancelledBy::Nobody,
            Some(EndReason::Customer) => CancelledBy::Customer,
            Some(EndReason::Mechanic) => CancelledBy::Mechanic,
            Some(EndReason::Admin) => CancelledBy::Support,
            Some(EndReason::PaymentReversed) => CancelledBy::Bank,
            Some(EndReason::TimeLimit | EndReason::NoShowCustomer | EndReason::NoShowMechanic) | None => {
                return Ok(Written::Void("the session was not called off"));
            }
        };
        let to_customer = session.viewer_role == Some(ParticipantRole::Customer);
        let path = if to_customer { "/dashboard".to_owned() } else { format!("/chat/{id}") };
        let (url, receipt_url) = (self.address(&path), self.receipt_of(&session, &booking));
        let links: Vec<String> = std::iter::once(url.clone()).chain(receipt_url.clone()).collect();
        let message = SessionCancelled {
            sender: self.sender(),
            name: self.name(),
            to_customer,
            by,
            customer_name: session.customer.name.clone(),
            plan_name: self.plan_now(&session),
            vehicle: booking.vehicle,
            url,
            receipt_url,
        };
        Ok(Written::new(&message, links))
    }

    /// One side did not come; to either.
    pub(super) fn no_show(&self, session: &SessionView, session_url: String) -> Written {
        let to_customer = session.viewer_role == Some(ParticipantRole::Customer);
        let by_customer = match session.end_reason {
            Some(EndReason::NoShowCustomer) => true,
            Some(EndReason::NoShowMechanic) => false,
            Some(_) | None => return Written::Void("somebody came after all"),
        };
        let Some(book) = self.pitlane.catalog.book(&session.price_book) else {
            return Written::Void("the price book is gone");
        };
        let rules = book.cancellation();
        let share = if by_customer { rules.customer_no_show() } else { rules.mechanic_no_show() };
        let paid = Money::new(session.total_price_cents(), session.currency);
        let back = paid.times_half_up(share).unwrap_or(paid);
        let other = if to_customer { session.mechanic.as_ref() } else { Some(&session.customer) };
        let message = NoShow {
            sender: self.sender(),
            name: self.name(),
            other_name: other.map(|person| person.name.clone()).unwrap_or_default(),
            to_customer,
            by_customer,
            plan_name: self.plan_now(session),
            grace_minutes: rules.customer_grace_minutes().into(),
            total: amount(paid),
            back: amount(back),
            session_url: session_url.clone(),
        };
        Written::new(&message, [session_url])
    }

    /// Money that goes back.
    pub(super) fn refund(&self, repayment: &Repayment) -> Written {
        let receipt = self.receipt(repayment.order);
        let plan = self.plan_name(&repayment.price_book, repayment.plan);
        let message = Refund {
            sender: self.sender(),
            name: self.name(),
            bought: naming::bought(repayment.kind, &plan).to_owned(),
            amount: amount(repayment.amount),
            paid: amount(repayment.paid),
            reason: reason(repayment.reason, repayment.end_reason),
            refunded_at: repayment.asked_at.to_string(),
            receipt_url: Some(receipt.clone()),
        };
        Written::new(&message, [receipt])
    }
}

/// Who called a session off is told by why it is over; its refund says only that it was.
fn reason(reason: Reason, end: Option<EndReason>) -> RefundReason {
    match (reason, end) {
        (Reason::Cancelled, Some(EndReason::Mechanic)) => RefundReason::MechanicCancelled,
        (Reason::Cancelled, _) => RefundReason::Cancelled,
        (Reason::Admin, Some(EndReason::Admin)) => RefundReason::SupportCancelled,
        (Reason::Admin | Reason::External, _) => RefundReason::Support,
        (Reason::NoShow, Some(EndReason::NoShowCustomer)) => RefundReason::CustomerNoShow,
        (Reason::NoShow, _) => RefundReason::MechanicNoShow,
        (Reason::Unfulfillable, _) => RefundReason::NotFulfilled,
        (Reason::Unaccepted, _) => RefundReason::Unaccepted,
        (Reason::NoVideo, _) => RefundReason::NoVideo,
        (Reason::Duplicate, _) => RefundReason::Duplicate,
        (Reason::WrongAmount, _) => RefundReason::WrongAmount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_said_to_have_done_what_somebody_else_did() {
        let table = [
            (Reason::Cancelled, Some(EndReason::Customer), RefundReason::Cancelled),
            (Reason::Cancelled, Some(EndReason::Mechanic), RefundReason::MechanicCancelled),
            (Reason::Admin, Some(EndReason::Admin), RefundReason::SupportCancelled),
            (Reason::Admin, Some(EndReason::Mechanic), RefundReason::Support),
            (Reason::Admin, None, RefundReason::Support),
            (Reason::NoShow, Some(EndReason::NoShowMechanic), RefundReason::MechanicNoShow),
            (Reason::NoShow, Some(EndReason::NoShowCustomer), RefundReason::CustomerNoShow),
            (Reason::Unaccepted, Some(EndReason::Unaccepted), RefundReason::Unaccepted),
            (Reason::Duplicate, Some(EndReason::NoShowMechanic), RefundReason::Duplicate),
            (Reason::WrongAmount, None, RefundReason::WrongAmount),
        ];
        for (why, end, told) in table {
            assert_eq!(reason(why, end), told, "{why:?}, {end:?}");
        }
    }
}
