//! Mails about what is overdue and what needs a person's eye.

use accounts::Email;
use kernel::Timestamp;
use kernel::id::{AlertId, EventId};
use notifications::{AlertStore, Milestone};
use sessions::{ParticipantRole, Status};
use store::Tx;
use web::alert::Finding;
use web::mail::{DisputeOpened, StartNudge, SupportAlert};

use super::letter::{Writer, Written};
use crate::usecases::Error;
use crate::usecases::alert_support::describe;

impl Writer<'_> {
    /// A mechanic is asked to begin.
    pub(super) fn start_nudge(&self, tx: &mut Tx<'_>, notice: EventId) -> Result<Written, Error> {
        let Some(notice) = notifications::Store::notice_by_id(tx, notice)? else {
            return Ok(Written::Void("the session is gone"));
        };
        let session = store::views::session::any(tx, notice.session, self.recipient.id())?;
        let Some(session) = session else { return Ok(Written::Void("the session is gone")) };
        if session.status != Status::Accepted || session.viewer_role != Some(ParticipantRole::Mechanic) {
            return Ok(Written::Void("the session has begun, is over, or is another mechanic's"));
        }
        let waiting = match sessions::Store::session_by_id(tx, notice.session)? {
            Some(session) => sessions::waiting_of(tx, &session, 0, Timestamp::UNIX_EPOCH)?,
            None => None,
        };
        let Some(waiting) = waiting else { return Ok(Written::Void("the session does not wait")) };
        let booking = store::views::mail::booking(tx, notice.session)?;
        let session_url = self.address(&format!("/chat/{}", session.id));
        let message = StartNudge {
            sender: self.sender(),
            name: self.name(),
            customer_name: session.customer.name.clone(),
            plan_name: self.plan_name(&session.price_book, session.plan),
            vehicle: booking.and_then(|booking| booking.vehicle),
            due_at: waiting.due.to_string(),
            session_url: session_url.clone(),
        };
        Ok(Written::new(&message, [session_url]))
    }

    /// Something that needs a person's eye: to support's address, or to an admin.
    pub(super) fn alert(
        &self,
        tx: &mut Tx<'_>,
        milestone: Milestone,
        alert: AlertId,
    ) -> Result<Written, Error> {
        let Some(alert) = tx.alert_by_id(alert)?.filter(|alert| alert.ended_at.is_none()) else {
            return Ok(Written::Void("the cause is gone"));
        };
        let Some(finding) = describe(tx, &alert)? else { return Ok(Written::Void("the cause is gone")) };
        let (sender, board_url) = (self.sender(), self.address("/admin"));
        let session = alert.found.session.map(|id| id.to_string());
        // Support may not open a case; who decides gets its address besides.
        let url = finding.path(session.as_deref(), false).map(|path| self.address(&path));
        let links = || [url.clone(), Some(board_url.clone())].into_iter().flatten();
        if milestone == Milestone::SupportAlert {
            let Ok(support) = Email::parse(&sender.support_address) else {
                return Ok(Written::Void("there is no address of support"));
            };
            let message = SupportAlert {
                sender,
                finding,
                since: alert.found.since.to_string(),
                url: url.clone(),
                board_url: board_url.clone(),
            };
            return Ok(Written::new(&message, links()).sent_to(support));
        }
        let Finding::Dispute { id, .. } = &finding else {
            return Ok(Written::Void("the milestone is not about such a thing"));
        };
        let case_url = self.address(&format!("/admin/disputes/{id}"));
        let message = DisputeOpened {
            sender,
            name: self.name(),
            finding,
            log_url: url.clone(),
            case_url: case_url.clone(),
            board_url: board_url.clone(),
        };
        Ok(Written::new(&message, [case_url].into_iter().chain(links())))
    }
}
