//! Writes a mail from what it is about, as things stand when it is sent.

use accounts::{Email, Purpose, Status, User};
use kernel::id::{DeliveryId, OneTimeTokenId, OrderId, SessionId};
use kernel::{Actor, Context, Money, PlanCode, Timestamp};
use notifications::{Delivery, DeliveryStatus, Message as Outgoing, Milestone};
use sessions::{Summary, SummaryText};
use store::Tx;
use store::views::mail::Booking;
use store::views::session::SessionView;
use web::mail::{
    AccountNotice, BookingConfirmed, EmailChange, Happening, MagicLink, Mail, MechanicAssigned, Message,
    NextStepsReminder, PasswordReset, Receipt, Sender, SessionEnded, SummaryDelivered, Verification,
};
use web::money::Amount;
use web::plan::ReceiptLine;

use crate::naming;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::mail::{About, link_token};
use crate::usecases::preferences;
use crate::usecases::read_receipt::{Paper, paper};

/// What became of the attempt to write.
pub(crate) enum Letter {
    /// It is written.
    Message(Outgoing),
    /// The delivery has ended already.
    Ended,
    /// There is nobody to send it to, or nothing to tell any more.
    Void(String),
}

/// Writes the mail of a delivery.
///
/// # Errors
/// When the storage fails.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    pitlane: &Pitlane,
    delivery: DeliveryId,
    cx: &Context,
) -> Result<Letter, Error> {
    let Some(delivery) = notifications::Store::delivery_by_id(tx, delivery)? else {
        return Ok(Letter::Void("there is no such delivery".to_owned()));
    };
    match delivery.status() {
        DeliveryStatus::Sent | DeliveryStatus::Failed | DeliveryStatus::Suppressed => {
            return Ok(Letter::Ended);
        }
        DeliveryStatus::Pending | DeliveryStatus::Unknown => {}
    }
    let Some(about) = about(&delivery) else { return Ok(Letter::Ended) };
    let recipient = accounts::UserStore::user_by_id(tx, delivery.stored().recipient)?;
    let Some(recipient) = recipient.filter(|user| user.status() != Status::Erased) else {
        return Ok(Letter::Void("the account is gone".to_owned()));
    };
    let milestone = delivery.stored().milestone;
    let writer = Writer { pitlane, recipient: &recipient, cx, milestone };
    let written = match (milestone, about) {
        (Milestone::Verification, About::Link(id)) => writer.link(tx, Purpose::VerifyEmail, id)?,
        (Milestone::MagicLink, About::Link(id)) => writer.link(tx, Purpose::MagicLink, id)?,
        (Milestone::PasswordReset, About::Link(id)) => writer.link(tx, Purpose::PasswordReset, id)?,
        (Milestone::EmailChange, About::Link(id)) => writer.link(tx, Purpose::ChangeEmail, id)?,
        (Milestone::EmailChanged, About::Link(id)) => writer.email_changed(tx, id)?,
        (milestone, About::Account(_)) => writer.account(milestone, delivery.stored().created_at),
        (Milestone::Refunded, About::Refund(id)) => match store::views::mail::repayment(tx, id)? {
            Some(repayment) => writer.refund(&repayment),
            None => Written::Void("the refund is gone"),
        },
        (Milestone::SessionCancelled, About::Session(id)) => writer.cancelled(tx, id)?,
        (Milestone::SessionEnded, About::Session(id)) => writer.ended(tx, id)?,
        (Milestone::SummaryDelivered, About::Session(id)) => writer.summary_delivered(tx, id)?,
        (Milestone::NextStepsReminder, About::Session(id)) => writer.next_steps(tx, id)?,
        (milestone, About::Session(id)) => {
            let session = store::views::session::any(tx, id, recipient.id())?;
            match (session, store::views::mail::booking(tx, id)?) {
                (Some(session), Some(booking)) => writer.session(milestone, &session, &booking),
                (None, _) | (_, None) => Written::Void("the session is gone"),
            }
        }
        (Milestone::Receipt, About::Order(id)) => writer.order(&paper(tx, writer.reader(), id)?),
        (milestone, About::Application(id)) => writer.application(tx, milestone, id)?,
        (Milestone::WorkshopInvitation, About::Invitation(id)) => return writer.invitation(tx, id),
        (Milestone::AccountSuspended, About::Suspension(_)) => writer.suspension(tx)?,
        (Milestone::AccountRestored, About::Suspension(_)) => writer.restoration(),
        (Milestone::ApprovalEnded, About::Approval(_)) => writer.approval_ended(tx)?,
        (Milestone::StartNudge, About::Notice(id)) => writer.start_nudge(tx, id)?,
        (milestone, About::Alert(id)) => writer.alert(tx, milestone, id)?,
        (
            _,
            About::Link(_)
            | About::Refund(_)
            | About::Order(_)
            | About::Invitation(_)
            | About::Suspension(_)
            | About::Approval(_)
            | About::PhoneCode(_)
            | About::Notice(_),
        ) => Written::Void("the milestone is not about such a thing"),
    };
    match written {
        Written::Void(reason) => Ok(Letter::Void(reason.to_owned())),
        Written::Mail { mail, links, to } => {
            let mail = mail?;
            Ok(Letter::Message(Outgoing {
                to: to.as_ref().unwrap_or(recipient.email()).as_str().to_owned(),
                subject: mail.subject,
                text: mail.text,
                html: Some(mail.html),
                links,
                milestone,
                unsubscribe_url: writer.unsubscribe_url(),
            }))
        }
    }
}

// Without a context it was left unknown for good.
fn about(delivery: &Delivery) -> Option<About> {
    delivery.stored().context.as_deref().and_then(|context| serde_json::from_str(context).ok())
}

pub(super) enum Written {
    /// `to` is the account's address unless it says another.
    Mail {
        mail: Result<Mail, web::Error>,
        links: Vec<String>,
        to: Option<Email>,
    },
    Void(&'static str),
}

impl Written {
    pub(super) fn new(message: &impl Message, links: impl IntoIterator<Item = String>) -> Self {
        Self::Mail { mail: message.compose(), links: links.into_iter().collect(), to: None }
    }

    pub(super) fn sent_to(self, address: Email) -> Self {
        match self {
            Self::Mail { mail, links, .. } => Self::Mail { mail, links, to: Some(address) },
            Self::Void(reason) => Self::Void(reason),
        }
    }
}

pub(super) struct Writer<'a> {
    pub(super) pitlane: &'a Pitlane,
    pub(super) recipient: &'a User,
    pub(super) cx: &'a Context,
    milestone: Milestone,
}

impl Writer<'_> {
    pub(super) fn sender(&self) -> Sender {
        Sender {
            public_url: self.pitlane.settings.server.public_url.clone(),
            support_address: self.pitlane.settings.mail.support_address.clone(),
            time_zone: self.recipient.time_zone().to_owned(),
            unsubscribe_url: self.unsubscribe_url(),
        }
    }

    fn unsubscribe_url(&self) -> Option<String> {
        let topic = self.milestone.topic()?;
        let token = preferences::token(&self.pitlane.settings.auth.secret, self.recipient.id(), topic);
        Some(self.address(&format!("/unsubscribe/{token}")))
    }

    pub(super) fn name(&self) -> String {
        self.recipient.name().to_owned()
    }

    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.pitlane.settings.server.public_url)
    }

    fn link(&self, tx: &mut Tx<'_>, purpose: Purpose, id: OneTimeTokenId) -> Result<Written, Error> {
        let token = link_token(&self.pitlane.settings.auth.secret, id);
        let link = accounts::CredentialStore::one_time_token_by_hash(tx, purpose, &token.hash())?;
        let Some(link) = link else { return Ok(Written::Void("the link was used or replaced")) };
        if link.expires_at <= self.cx.now {
            return Ok(Written::Void("the link has expired"));
        }
        if !link.is_good(self.recipient, self.cx.now) {
            return Ok(Written::Void("the account has another address now, or is closed"));
        }
        let (sender, name, ttl) = (self.sender(), self.name(), purpose.ttl_seconds());
        let url = |folder: &str| self.address(&format!("/auth/{folder}/{}", token.expose()));
        Ok(match purpose {
            Purpose::VerifyEmail => {
                let url = url("verify");
                Written::new(
                    &Verification { sender, name, url: url.clone(), valid_hours: ttl / 3_600 },
                    [url],
                )
            }
            Purpose::ChangeEmail => {
                let url = url("verify");
                let message = EmailChange { sender, name, url: url.clone(), valid_hours: ttl / 3_600 };
                Written::new(&message, [url]).sent_to(link.email)
            }
            Purpose::SecondFactor => Written::Void("the ticket of a sign-in is not mailed"),
            Purpose::FormerEmail => Written::Void("it leads nowhere"),
            Purpose::MagicLink => {
                let url = url("magic");
                Written::new(&MagicLink { sender, url: url.clone(), valid_minutes: ttl / 60 }, [url])
            }
            Purpose::PasswordReset => {
                let url = url("reset");
                Written::new(
                    &PasswordReset { sender, name, url: url.clone(), valid_minutes: ttl / 60 },
                    [url],
                )
            }
        })
    }

    fn account(&self, milestone: Milestone, happened_at: Timestamp) -> Written {
        let happening = match milestone {
            Milestone::PasswordChanged => Happening::PasswordChanged,
            Milestone::EmailChangeAsked => Happening::EmailChangeAsked,
            Milestone::SecondFactorOn => Happening::SecondFactorOn,
            Milestone::SecondFactorOff => Happening::SecondFactorOff,
            Milestone::Verification
            | Milestone::MagicLink
            | Milestone::PasswordReset
            | Milestone::EmailChange
            | Milestone::EmailChanged
            | Milestone::BookingConfirmed
            | Milestone::Receipt
            | Milestone::MechanicAssigned
            | Milestone::SessionEnded
            | Milestone::SummaryDelivered
            | Milestone::NoShow
            | Milestone::SessionCancelled
            | Milestone::Refunded
            | Milestone::ApplicationReceived
            | Milestone::ApplicationArrived
            | Milestone::ApplicationApproved
            | Milestone::ApplicationAsked
            | Milestone::ApplicationRefused
            | Milestone::WorkshopInvitation
            | Milestone::AccountSuspended
            | Milestone::AccountRestored
            | Milestone::ApprovalEnded
            | Milestone::PhoneCode
            | Milestone::SessionUpgraded
            | Milestone::StartNudge
            | Milestone::SupportAlert
            | Milestone::DisputeOpened
            | Milestone::NextStepsReminder => {
                return Written::Void("the milestone is not about an account");
            }
        };
        self.notice(happening, happened_at)
    }

    fn notice(&self, happening: Happening, happened_at: Timestamp) -> Written {
        let account_url = self.address("/account");
        let message = AccountNotice {
            sender: self.sender(),
            name: self.name(),
            happening,
            happened_at: happened_at.to_string(),
            account_url: account_url.clone(),
        };
        // From the earlier address nobody gets in, so that mail has no link.
        let link = (happening != Happening::EmailChanged).then_some(account_url);
        Written::new(&message, link)
    }

    /// The account has another address: to the earlier one, which is not told the new one.
    fn email_changed(&self, tx: &mut Tx<'_>, id: OneTimeTokenId) -> Result<Written, Error> {
        let token = link_token(&self.pitlane.settings.auth.secret, id);
        let former =
            accounts::CredentialStore::one_time_token_by_hash(tx, Purpose::FormerEmail, &token.hash())?;
        Ok(match former {
            Some(former) => self.notice(Happening::EmailChanged, former.created_at).sent_to(former.email),
            None => Written::Void("the earlier address is forgotten"),
        })
    }

    fn session(&self, milestone: Milestone, session: &SessionView, booking: &Booking) -> Written {
        let session_url = self.address(&format!("/chat/{}", session.id));
        let receipt_url = self.receipt_of(session, booking);
        let links: Vec<String> = std::iter::once(session_url.clone()).chain(receipt_url.clone()).collect();
        let (sender, name, vehicle) = (self.sender(), self.name(), booking.vehicle.clone());
        let plan_name = self.plan_now(session);
        let duration_minutes = i64::from(session.allowance_minutes);
        let mechanic_name =
            session.mechanic.as_ref().map_or_else(|| "Your mechanic".to_owned(), |it| it.name.clone());
        match milestone {
            Milestone::BookingConfirmed => {
                let seconds = self.pitlane.settings.dispatch.refund_after_seconds;
                let message = BookingConfirmed {
                    sender,
                    name,
                    plan_name: self.plan_name(&session.price_book, session.plan),
                    duration_minutes,
                    vehicle,
                    total: amount(booking.amount),
                    tax: amount(booking.tax),
                    booked_at: booking.booked_at.unwrap_or(session.created_at).to_string(),
                    refund_after_minutes: i64::from(seconds.div_ceil(60)),
                    session_url,
                    receipt_url,
                };
                Written::new(&message, links)
            }
            Milestone::MechanicAssigned => {
                let message = MechanicAssigned {
                    sender,
                    name,
                    mechanic_name,
                    plan_name,
                    duration_minutes,
                    vehicle,
                    session_url: session_url.clone(),
                };
                Written::new(&message, [session_url])
            }
            Milestone::SessionUpgraded => {
                let message = web::mail::SessionUpgraded {
                    sender,
                    name,
                    customer_name: session.customer.name.clone(),
                    vehicle,
                    session_url: session_url.clone(),
                };
                Written::new(&message, [session_url])
            }
            Milestone::NoShow => self.no_show(session, session_url),
            Milestone::SummaryDelivered
            | Milestone::NextStepsReminder
            | Milestone::SessionEnded
            | Milestone::SessionCancelled
            | Milestone::Receipt
            | Milestone::Verification
            | Milestone::MagicLink
            | Milestone::PasswordReset
            | Milestone::PhoneCode
            | Milestone::EmailChange
            | Milestone::EmailChangeAsked
            | Milestone::EmailChanged
            | Milestone::PasswordChanged
            | Milestone::SecondFactorOn
            | Milestone::SecondFactorOff
            | Milestone::Refunded
            | Milestone::StartNudge
            | Milestone::SupportAlert
            | Milestone::DisputeOpened
            | Milestone::ApplicationReceived
            | Milestone::ApplicationArrived
            | Milestone::ApplicationApproved
            | Milestone::ApplicationAsked
            | Milestone::ApplicationRefused
            | Milestone::WorkshopInvitation
            | Milestone::AccountSuspended
            | Milestone::AccountRestored
            | Milestone::ApprovalEnded => Written::Void("the milestone is not about a session"),
        }
    }

    /// A session that is over. The mail leads to the page with everything: the summary, once it is written, the receipt,
    /// what was said.
    fn ended(&self, tx: &mut Tx<'_>, id: SessionId) -> Result<Written, Error> {
        let (Some(session), Some(booking)) =
            (store::views::session::any(tx, id, self.recipient.id())?, store::views::mail::booking(tx, id)?)
        else {
            return Ok(Written::Void("the session is gone"));
        };
        let Some(ended_at) = session.ended_at else {
            return Ok(Written::Void("the session has not ended"));
        };
        let mechanic = match &session.mechanic {
            Some(mechanic) => accounts::UserStore::user_by_id(tx, mechanic.id)?,
            None => None,
        };
        let is_written = sessions::Store::summary(tx, id)?.is_some();
        let session_url = self.address(&format!("/sessions/{id}/complete"));
        let receipt_url = self.receipt_of(&session, &booking);
        let links: Vec<String> = std::iter::once(session_url.clone()).chain(receipt_url.clone()).collect();
        let message = SessionEnded {
            sender: self.sender(),
            name: self.name(),
            mechanic_name: session
                .mechanic
                .as_ref()
                .map_or_else(|| "Your mechanic".to_owned(), |it| it.name.clone()),
            plan_name: self.plan_now(&session),
            vehicle: booking.vehicle.clone(),
            ended_at: ended_at.to_string(),
            total: amount(Money::new(session.total_price_cents(), session.currency)),
            // Who has left for good writes none.
            summary_follows: !is_written && mechanic.is_some_and(|it| it.status() != Status::Erased),
            session_url,
            receipt_url,
        };
        Ok(Written::new(&message, links))
    }

    fn summary_delivered(&self, tx: &mut Tx<'_>, id: SessionId) -> Result<Written, Error> {
        let session = store::views::session::any(tx, id, self.recipient.id())?;
        let booking = store::views::mail::booking(tx, id)?;
        let summary = sessions::Store::summary(tx, id)?;
        Ok(match (session, booking, summary) {
            (Some(session), Some(booking), Some(summary)) => {
                let author = accounts::UserStore::user_by_id(tx, summary.author)?;
                self.summary(&session, &booking, summary, author.as_ref())
            }
            (None, ..) | (_, None, _) | (.., None) => Written::Void("the summary is gone"),
        })
    }

    fn summary(
        &self,
        session: &SessionView,
        booking: &Booking,
        summary: Summary,
        author: Option<&User>,
    ) -> Written {
        let SummaryText { findings, steps_taken, parts_needed, next_steps, photos } = summary.text;
        let summary_url = self.address(&format!("/sessions/{}/complete", session.id));
        let receipt_url = self.receipt_of(session, booking);
        let links: Vec<String> = std::iter::once(summary_url.clone()).chain(receipt_url.clone()).collect();
        let message = SummaryDelivered {
            sender: self.sender(),
            name: self.name(),
            mechanic_name: author
                .map_or_else(|| "Your mechanic".to_owned(), |author| author.name().to_owned()),
            vehicle: booking.vehicle.clone(),
            findings,
            steps_taken,
            parts_needed,
            next_steps,
            photo_count: photos.len(),
            written_at: summary.submitted_at.to_string(),
            summary_url,
            receipt_url,
        };
        Written::new(&message, links)
    }

    fn next_steps(&self, tx: &mut Tx<'_>, id: SessionId) -> Result<Written, Error> {
        let session = sessions::Store::session_by_id(tx, id)?;
        if !session.is_some_and(|session| session.status() == sessions::Status::Completed) {
            return Ok(Written::Void("the session was not completed"));
        }
        if !self.recipient.email_verified() {
            return Ok(Written::Void("the address was never confirmed"));
        }
        let Some(summary) = sessions::Store::summary(tx, id)? else {
            return Ok(Written::Void("the summary is gone"));
        };
        let SummaryText { next_steps, parts_needed, .. } = summary.text;
        if next_steps.trim().is_empty() {
            return Ok(Written::Void("the summary has no next steps"));
        }
        let author = accounts::UserStore::user_by_id(tx, summary.author)?;
        let summary_url = self.address(&format!("/sessions/{id}/complete"));
        let message = NextStepsReminder {
            sender: self.sender(),
            name: self.name(),
            mechanic_name: author
                .map_or_else(|| "Your mechanic".to_owned(), |author| author.name().to_owned()),
            vehicle: store::views::mail::booking(tx, id)?.and_then(|booking| booking.vehicle),
            next_steps,
            parts_needed,
            written_at: summary.submitted_at.to_string(),
            summary_url: summary_url.clone(),
        };
        Ok(Written::new(&message, std::iter::once(summary_url).chain(self.unsubscribe_url())))
    }

    // Only who paid has a receipt.
    pub(super) fn receipt_of(&self, session: &SessionView, booking: &Booking) -> Option<String> {
        let is_customer = session.customer.id == self.recipient.id();
        booking.order.filter(|_| is_customer && !booking.amount.is_zero()).map(|order| self.receipt(order))
    }

    fn reader(&self) -> Actor {
        Actor::Person { id: self.recipient.id(), role: self.recipient.role() }
    }

    fn order(&self, paper: &Paper) -> Written {
        let receipt = &paper.receipt;
        let receipt_url = self.receipt(receipt.order);
        let plan = self.plan_name(&paper.book, receipt.plan);
        let message = Receipt {
            sender: self.sender(),
            name: self.name(),
            order_id: receipt.order.to_string(),
            lines: vec![ReceiptLine {
                label: naming::bought(paper.kind, &plan).to_owned(),
                amount: amount(receipt.total),
            }],
            tax_rate_bps: i64::from(receipt.tax_rate.points()),
            tax: amount(receipt.tax),
            net: amount(receipt.net),
            total: amount(receipt.total),
            paid_at: receipt.paid_at.unwrap_or(self.cx.now).to_string(),
            receipt_url: receipt_url.clone(),
        };
        Written::new(&message, [receipt_url])
    }

    pub(super) fn receipt(&self, order: OrderId) -> String {
        self.address(&format!("/orders/{order}/receipt"))
    }

    pub(super) fn plan_now(&self, session: &SessionView) -> String {
        naming::plan_now(session, self.plan_name(&session.price_book, session.plan))
    }

    pub(super) fn plan_name(&self, book: &str, plan: PlanCode) -> String {
        let known = self.pitlane.catalog.book(book).and_then(|book| book.plan(plan));
        known.map_or_else(|| "Your session".to_owned(), |plan| plan.name().to_owned())
    }
}

pub(super) fn amount(money: Money) -> Amount {
    Amount::new(money.minor(), money.currency().as_str())
}
