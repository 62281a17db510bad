//! Mails about applications, invitations and accounts that an admin closes.

use accounts::application::REAPPLY_SECONDS;
use accounts::invitation::INVITATION_SECONDS;
use accounts::{ApplicationStore, ApprovalState, ProviderStore, Status, StepKind, Trade};
use kernel::id::{ApplicationStepId, InvitationId};
use notifications::{Message as Outgoing, Milestone};
use store::Tx;
use web::mail::{
    AccountRestored, AccountSuspended, ApplicationApproved, ApplicationArrived, ApplicationAsked,
    ApplicationReceived, ApplicationRefused, ApprovalEnded, Message, WorkshopInvitation,
};

use super::letter::{Letter, Writer, Written};
use crate::usecases::Error;
use crate::usecases::mail::invitation_token;

impl Writer<'_> {
    /// What was said or decided about an application.
    pub(super) fn application(
        &self,
        tx: &mut Tx<'_>,
        milestone: Milestone,
        step: ApplicationStepId,
    ) -> Result<Written, Error> {
        let Some(step) = tx.application_step_by_id(step)? else {
            return Ok(Written::Void("the application is gone"));
        };
        let Some(application) = tx.application_by_id(step.application)? else {
            return Ok(Written::Void("the application is gone"));
        };
        let (sender, name) = (self.sender(), self.name());
        let workshop = match &application.details().trade {
            Trade::Workshop { business_name, .. } => Some(business_name.as_str().to_owned()),
            Trade::Mechanic { .. } => None,
        };
        let url = self.address("/mechanic/apply");
        Ok(match milestone {
            Milestone::ApplicationReceived => {
                Written::new(&ApplicationReceived { sender, name, workshop, url: url.clone() }, [url])
            }
            Milestone::ApplicationArrived => {
                let url = self.address(&format!("/admin/applications/{}", application.id()));
                let applicant = workshop.unwrap_or_else(|| application.details().name.as_str().to_owned());
                let is_answer = step.kind == StepKind::Answered;
                let message = ApplicationArrived { sender, applicant, is_answer, url: url.clone() };
                Written::new(&message, [url])
            }
            Milestone::ApplicationApproved => {
                let url = self.address(if workshop.is_some() { "/workshop" } else { "/mechanic" });
                Written::new(&ApplicationApproved { sender, name, workshop, url: url.clone() }, [url])
            }
            Milestone::ApplicationAsked => {
                let message = ApplicationAsked { sender, name, question: step.text, url: url.clone() };
                Written::new(&message, [url])
            }
            Milestone::ApplicationRefused => {
                let reapply_from = step.at.plus_seconds(REAPPLY_SECONDS).to_string();
                Written::new(&ApplicationRefused { sender, name, reason: step.text, reapply_from }, [])
            }
            Milestone::Verification
            | Milestone::MagicLink
            | Milestone::PasswordReset
            | Milestone::EmailChange
            | Milestone::EmailChangeAsked
            | Milestone::EmailChanged
            | Milestone::PasswordChanged
            | Milestone::SecondFactorOn
            | Milestone::SecondFactorOff
            | Milestone::BookingConfirmed
            | Milestone::Receipt
            | Milestone::MechanicAssigned
            | Milestone::SessionEnded
            | Milestone::SummaryDelivered
            | Milestone::NoShow
            | Milestone::SessionCancelled
            | Milestone::Refunded
            | Milestone::SessionUpgraded
            | Milestone::StartNudge
            | Milestone::SupportAlert
            | Milestone::DisputeOpened
            | Milestone::PhoneCode
            | Milestone::NextStepsReminder
            | Milestone::WorkshopInvitation
            | Milestone::AccountSuspended
            | Milestone::AccountRestored
            | Milestone::ApprovalEnded => Written::Void("the milestone is not about an application"),
        })
    }

    /// An invitation, to the address that was invited: its recipient is who invited.
    pub(super) fn invitation(&self, tx: &mut Tx<'_>, id: InvitationId) -> Result<Letter, Error> {
        let invitation = tx.invitation_by_id(id)?.filter(|invitation| invitation.is_open(self.cx.now));
        let Some(invitation) = invitation else {
            return Ok(Letter::Void("the invitation has ended".to_owned()));
        };
        let Some(workshop) = tx.provider_by_id(invitation.provider)? else {
            return Ok(Letter::Void("the workshop is gone".to_owned()));
        };
        let token = invitation_token(&self.pitlane.settings.auth.secret, id);
        let url = self.address(&format!("/workshop/join/{}", token.expose()));
        let message = WorkshopInvitation {
            sender: self.sender(),
            workshop: workshop.name,
            url: url.clone(),
            valid_days: INVITATION_SECONDS / 86_400,
        };
        let mail = message.compose()?;
        Ok(Letter::Message(Outgoing {
            to: invitation.email.as_str().to_owned(),
            subject: mail.subject,
            text: mail.text,
            html: Some(mail.html),
            links: vec![url],
            milestone: Milestone::WorkshopInvitation,
            unsubscribe_url: None,
        }))
    }

    /// An account that an admin has closed.
    pub(super) fn suspension(&self, tx: &mut Tx<'_>) -> Result<Written, Error> {
        let Some(suspension) = tx.suspension_of(self.recipient.id())? else {
            return Ok(Written::Void("the account is open again"));
        };
        let message =
            AccountSuspended { sender: self.sender(), name: self.name(), reason: suspension.reason };
        Ok(Written::new(&message, []))
    }

    /// An account that an admin has opened again.
    pub(super) fn restoration(&self) -> Written {
        if self.recipient.status() == Status::Suspended {
            return Written::Void("the account is closed again");
        }
        let url = self.address("/start");
        let message = AccountRestored { sender: self.sender(), name: self.name(), url: url.clone() };
        Written::new(&message, [url])
    }

    /// A mechanic whom an admin refused or suspended without an application.
    pub(super) fn approval_ended(&self, tx: &mut Tx<'_>) -> Result<Written, Error> {
        let mechanic = tx.mechanic_by_user(self.recipient.id())?;
        let Some(approval) = mechanic.as_ref().map(accounts::Mechanic::approval) else {
            return Ok(Written::Void("the person is no mechanic"));
        };
        let suspended = match approval.state {
            ApprovalState::Refused => false,
            ApprovalState::Suspended => true,
            ApprovalState::Pending | ApprovalState::Approved => {
                return Ok(Written::Void("an admin has decided otherwise"));
            }
        };
        let reason = approval.reason.clone().unwrap_or_default();
        let message = ApprovalEnded { sender: self.sender(), name: self.name(), suspended, reason };
        Ok(Written::new(&message, []))
    }
}
