//! One mail a milestone, as subject, plain text and HTML.
//!
//! Colours come from the page's tokens and stand inline, because mail programs know no custom properties. Every
//! address stands in full in the plain text.

use std::collections::HashMap;
use std::sync::LazyLock;

use askama::Template;

use crate::Error;
use crate::money::{Amount, percent};
use crate::plan::ReceiptLine;
use crate::summary::{Fact, facts};

/// A mail that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// One line without control characters.
    pub subject: String,
    /// The plain twin of `html`.
    pub text: String,
    /// A whole document with inline style and no images.
    pub html: String,
}

/// What every mail needs to know about the server that sends it, and about whom it is for.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// Where the pages are, without a slash at the end.
    pub public_url: String,
    /// Where an answer goes.
    pub support_address: String,
    /// Where one click stops mails of this kind; `None` for what can't be switched off.
    pub unsubscribe_url: Option<String>,
    /// The reader's zone, an IANA name. Times are told in it.
    pub time_zone: String,
}

impl Sender {
    fn tell(&self, instant: &str) -> String {
        crate::clock::long_text(instant, &self.time_zone)
    }
}

/// A mail that can be written. Implemented by every struct of this module but [`Mail`] and [`Sender`].
pub trait Message {
    /// Writes the mail.
    ///
    /// # Errors
    /// [`Error`] if a template can't be rendered.
    fn compose(&self) -> Result<Mail, Error>;
}

macro_rules! message {
    ($message:ident, $html:ident = $html_path:literal, $text:ident = $text_path:literal, |$this:ident| $subject:expr) => {
        #[derive(Template)]
        #[template(path = $html_path)]
        struct $html<'a> {
            m: &'a $message,
        }

        #[derive(Template)]
        #[template(path = $text_path)]
        struct $text<'a> {
            m: &'a $message,
        }

        impl Message for $message {
            fn compose(&self) -> Result<Mail, Error> {
                let $this = self;
                Ok(Mail {
                    subject: one_line(&$subject),
                    text: Template::render(&$text { m: self })?,
                    html: Template::render(&$html { m: self })?,
                })
            }
        }
    };
}

mod called_off;
mod staff;
mod watch;

pub use called_off::{CancelledBy, NoShow, Refund, RefundReason, SessionCancelled};
pub use staff::{
    AccountRestored, AccountSuspended, ApplicationApproved, ApplicationArrived, ApplicationAsked,
    ApplicationReceived, ApplicationRefused, ApprovalEnded, WorkshopInvitation,
};
pub use watch::{DisputeOpened, StartNudge, SupportAlert};

/// Milestone `verification`: confirm a mail address.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Who sends it.
    pub sender: Sender,
    /// The receiver's name.
    pub name: String,
    /// `…/auth/verify/{token}`.
    pub url: String,
    /// How long the link works.
    pub valid_hours: i64,
}

/// Milestone `magic_link`: sign in without a password.
#[derive(Clone, Debug, Default)]
pub struct MagicLink {
    /// Who sends it.
    pub sender: Sender,
    /// `…/auth/magic/{token}`.
    pub url: String,
    /// How long the link works.
    pub valid_minutes: i64,
}

/// Milestone `password_reset`: choose a new password.
#[derive(Clone, Debug, Default)]
pub struct PasswordReset {
    /// Who sends it.
    pub sender: Sender,
    /// The receiver's name.
    pub name: String,
    /// `…/auth/reset/{token}`.
    pub url: String,
    /// How long the link works.
    pub valid_minutes: i64,
}

/// Milestone `email_change`: confirm the address that the account is to have.
#[derive(Clone, Debug, Default)]
pub struct EmailChange {
    /// Who sends it.
    pub sender: Sender,
    /// The receiver's name.
    pub name: String,
    /// `…/auth/verify/{token}`.
    pub url: String,
    /// How long the link works.
    pub valid_hours: i64,
}

/// Milestones `email_change_asked`, `email_changed`, `password_changed`, `second_factor_on`, `second_factor_off`: what
/// happened to the account, for the person who may not have done it.
#[derive(Clone, Debug, Default)]
pub struct AccountNotice {
    /// Who sends it.
    pub sender: Sender,
    /// The receiver's name.
    pub name: String,
    /// What happened.
    pub happening: Happening,
    /// RFC 3339: when.
    pub happened_at: String,
    /// The account page.
    pub account_url: String,
}

/// What can happen to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Happening {
    /// It has another password.
    #[default]
    PasswordChanged,
    /// Somebody asked for another address.
    EmailChangeAsked,
    /// It has another address; for the earlier one.
    EmailChanged,
    /// An authenticator app was set up.
    SecondFactorOn,
    /// The authenticator app was turned off.
    SecondFactorOff,
}

impl AccountNotice {
    pub(crate) fn title(&self) -> &'static str {
        match self.happening {
            Happening::PasswordChanged => "Your password was changed",
            Happening::EmailChangeAsked => "Another e-mail address was asked for",
            Happening::EmailChanged => "Your e-mail address was changed",
            Happening::SecondFactorOn => "Your authenticator app is set up",
            Happening::SecondFactorOff => "Your authenticator app was turned off",
        }
    }

    pub(crate) fn what(&self) -> &'static str {
        match self.happening {
            Happening::PasswordChanged => {
                "The password of your account is another one now, and every other device was signed out."
            }
            Happening::EmailChangeAsked => {
                "Your account is to have another e-mail address. It gets it once the link in the mail to that \
                 address is opened; until then this one stays."
            }
            Happening::EmailChanged => {
                "Your account has another e-mail address now, and this one no longer belongs to it."
            }
            Happening::SecondFactorOn => {
                "From now on signing in asks for a code of your authenticator app. Keep your recovery codes where \
                 you find them without your phone."
            }
            Happening::SecondFactorOff => {
                "Signing in asks for no code of an authenticator app any more, and your recovery codes stopped \
                 working."
            }
        }
    }

    /// What to do for who did not do it. From the earlier address nobody gets into the account any more.
    pub(crate) fn if_not(&self) -> String {
        let support = &self.sender.support_address;
        match (self.leads_in(), support.is_empty()) {
            (true, true) => "choose a new password now".to_owned(),
            (true, false) => format!("choose a new password now and write to {support}"),
            (false, true) => "answer this mail now".to_owned(),
            (false, false) => format!("write to {support} now"),
        }
    }

    /// Whether whoever reads the mail can sign in with its address.
    pub(crate) fn leads_in(&self) -> bool {
        self.happening != Happening::EmailChanged
    }

    pub(crate) fn when(&self) -> String {
        crate::clock::long_text(&self.happened_at, &self.sender.time_zone)
    }
}

/// Milestone `booking_confirmed`: the session is paid and mechanics are being asked.
#[derive(Clone, Debug, Default)]
pub struct BookingConfirmed {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// The plan's name.
    pub plan_name: String,
    /// How long the session lasts.
    pub duration_minutes: i64,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// What was paid, tax included.
    pub total: Amount,
    /// The tax inside `total`.
    pub tax: Amount,
    /// RFC 3339: when it was paid.
    pub booked_at: String,
    /// After how long a request that nobody took is refunded.
    pub refund_after_minutes: i64,
    /// The room.
    pub session_url: String,
    /// The receipt; `None` if nothing was paid.
    pub receipt_url: Option<String>,
}

/// Milestone `receipt`: what was paid, line by line.
#[derive(Clone, Debug, Default)]
pub struct Receipt {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// The order's id.
    pub order_id: String,
    /// What was bought; the amounts add up to `total`, tax included.
    pub lines: Vec<ReceiptLine>,
    /// The tax rate that was in force, in basis points.
    pub tax_rate_bps: i64,
    /// The tax inside `total`.
    pub tax: Amount,
    /// `total` without the tax.
    pub net: Amount,
    /// What was paid.
    pub total: Amount,
    /// RFC 3339: when it was paid.
    pub paid_at: String,
    /// The receipt's page.
    pub receipt_url: String,
}

/// Milestone `mechanic_assigned`: somebody has taken the request.
#[derive(Clone, Debug, Default)]
pub struct MechanicAssigned {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// The mechanic's name.
    pub mechanic_name: String,
    /// The plan's name.
    pub plan_name: String,
    /// How long the session lasts.
    pub duration_minutes: i64,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// The room.
    pub session_url: String,
}

/// Milestone `session_upgraded`: to the mechanic whose open page did not show it. The subject is the first seed's.
#[derive(Clone, Debug, Default)]
pub struct SessionUpgraded {
    /// Who sends it.
    pub sender: Sender,
    /// The mechanic's name.
    pub name: String,
    /// The customer's name.
    pub customer_name: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// The room.
    pub session_url: String,
}

/// Milestone `session_ended`.
#[derive(Clone, Debug, Default)]
pub struct SessionEnded {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// The mechanic's name.
    pub mechanic_name: String,
    /// The plan's name.
    pub plan_name: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// RFC 3339.
    pub ended_at: String,
    /// What was paid in all.
    pub total: Amount,
    /// Whether the mechanic still has to write the summary.
    pub summary_follows: bool,
    /// The room, where everything that was said can be read.
    pub session_url: String,
    /// The receipt; `None` if nothing was paid.
    pub receipt_url: Option<String>,
}

/// Milestone `summary_delivered`: the mechanic has written down what came of it.
#[derive(Clone, Debug, Default)]
pub struct SummaryDelivered {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// The mechanic's name.
    pub mechanic_name: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// What is wrong with the car.
    pub findings: String,
    /// What was tried; may be empty, as may the two below.
    pub steps_taken: String,
    /// What has to be bought.
    pub parts_needed: String,
    /// What to do now.
    pub next_steps: String,
    /// How many photos are on the page.
    pub photo_count: usize,
    /// RFC 3339.
    pub written_at: String,
    /// The page with all of it.
    pub summary_url: String,
    /// The receipt; `None` if nothing was paid.
    pub receipt_url: Option<String>,
}

/// Milestone `next_steps_reminder`: what the mechanic advised, a week later.
#[derive(Clone, Debug, Default)]
pub struct NextStepsReminder {
    /// Who sends it.
    pub sender: Sender,
    /// The customer's name.
    pub name: String,
    /// The mechanic's name.
    pub mechanic_name: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// What to do now.
    pub next_steps: String,
    /// What has to be bought; may be empty.
    pub parts_needed: String,
    /// RFC 3339: when the summary was written.
    pub written_at: String,
    /// The page with the whole summary.
    pub summary_url: String,
}

message!(
    Verification,
    VerificationHtml = "mail/verification.html",
    VerificationText = "mail/verification.txt",
    |_m| { "Confirm your e-mail address".to_owned() }
);
message!(MagicLink, MagicLinkHtml = "mail/magic_link.html", MagicLinkText = "mail/magic_link.txt", |_m| {
    "Your sign-in link".to_owned()
});
message!(
    PasswordReset,
    PasswordResetHtml = "mail/password_reset.html",
    PasswordResetText = "mail/password_reset.txt",
    |_m| { "Choose a new password".to_owned() }
);
message!(
    EmailChange,
    EmailChangeHtml = "mail/email_change.html",
    EmailChangeText = "mail/email_change.txt",
    |_m| { "Confirm your new e-mail address".to_owned() }
);
message!(
    AccountNotice,
    AccountNoticeHtml = "mail/account_notice.html",
    AccountNoticeText = "mail/account_notice.txt",
    |m| { m.title().to_owned() }
);
message!(
    BookingConfirmed,
    BookingConfirmedHtml = "mail/booking_confirmed.html",
    BookingConfirmedText = "mail/booking_confirmed.txt",
    |m| { format!("Booked: {}", m.plan_name) }
);
message!(
    MechanicAssigned,
    MechanicAssignedHtml = "mail/mechanic_assigned.html",
    MechanicAssignedText = "mail/mechanic_assigned.txt",
    |m| { format!("{} has taken your request", m.mechanic_name) }
);
message!(
    SessionUpgraded,
    SessionUpgradedHtml = "mail/session_upgraded.html",
    SessionUpgradedText = "mail/session_upgraded.txt",
    |_m| { "Session Upgraded to Video".to_owned() }
);
message!(
    SessionEnded,
    SessionEndedHtml = "mail/session_ended.html",
    SessionEndedText = "mail/session_ended.txt",
    |m| { format!("Your session with {} is over", m.mechanic_name) }
);
message!(Receipt, ReceiptHtml = "mail/receipt.html", ReceiptText = "mail/receipt.txt", |m| format!(
    "Receipt: {} paid",
    m.total
));
message!(
    SummaryDelivered,
    SummaryDeliveredHtml = "mail/summary_delivered.html",
    SummaryDeliveredText = "mail/summary_delivered.txt",
    |m| { format!("{}’s summary of your session", m.mechanic_name) }
);
message!(
    NextStepsReminder,
    NextStepsReminderHtml = "mail/next_steps_reminder.html",
    NextStepsReminderText = "mail/next_steps_reminder.txt",
    |m| {
        match &m.vehicle {
            Some(vehicle) => format!("Next steps for your {vehicle}"),
            None => "Next steps for your car".to_owned(),
        }
    }
);

impl BookingConfirmed {
    pub(crate) fn booked(&self) -> String {
        self.sender.tell(&self.booked_at)
    }
}

impl SessionEnded {
    pub(crate) fn ended(&self) -> String {
        self.sender.tell(&self.ended_at)
    }
}

impl Receipt {
    pub(crate) fn paid(&self) -> String {
        self.sender.tell(&self.paid_at)
    }

    pub(crate) fn tax_rate(&self) -> String {
        percent(self.tax_rate_bps)
    }
}

impl SummaryDelivered {
    pub(crate) fn written(&self) -> String {
        self.sender.tell(&self.written_at)
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        facts(&self.findings, &self.steps_taken, &self.parts_needed, &self.next_steps)
    }

    /// What a mail program shows beside the subject: the beginning of the findings, on one line.
    pub(crate) fn preview(&self) -> String {
        let words: Vec<&str> = self.findings.split_whitespace().collect();
        words.join(" ").chars().take(120).collect()
    }
}

impl NextStepsReminder {
    pub(crate) fn written(&self) -> String {
        crate::clock::long_date(&self.written_at, &self.sender.time_zone)
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        facts("", "", "", &self.next_steps).chain(facts("", "", &self.parts_needed, ""))
    }

    pub(crate) fn preview(&self) -> String {
        one_line(&self.next_steps).chars().take(120).collect()
    }
}

/// A subject can't hold a line break: names come from people, and a break would start a new header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// The light and dark value of every colour token, read from the style sheet of the pages.
static TOKENS: LazyLock<HashMap<&'static str, (&'static str, &'static str)>> = LazyLock::new(|| {
    let css = include_str!("../static/css/tokens.css");
    css.lines()
        .filter_map(|line| {
            let (name, value) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
            let (light, dark) = value.split(");").next()?.split_once(", ")?;
            Some((name, (light, dark)))
        })
        .collect()
});

/// The light value of a colour token, for a `style` attribute. Empty if there is no such token.
pub(crate) fn light(name: &str) -> &'static str {
    TOKENS.get(name).map_or("", |(light, _)| light)
}

/// The dark value of a colour token.
pub(crate) fn dark(name: &str) -> &'static str {
    TOKENS.get(name).map_or("", |(_, dark)| dark)
}

#[cfg(test)]
mod tests {
    use super::{MechanicAssigned, Message, dark, light};

    #[test]
    fn colours_come_from_the_tokens() {
        assert_eq!(light("ink"), "#0f172a");
        assert_eq!(dark("accent"), "#ff8a3d");
        assert_eq!(light("nonsense"), "");
    }

    #[test]
    fn a_name_can_neither_start_a_header_nor_markup() {
        let mail = MechanicAssigned {
            mechanic_name: "Eve\r\nBcc: everyone@example.com <b>".to_owned(),
            session_url: "https://pitlane.example/chat/1?a=1&b=2".to_owned(),
            ..MechanicAssigned::default()
        }
        .compose()
        .unwrap();
        assert!(!mail.subject.contains(['\r', '\n']));
        assert!(!mail.html.contains("<b>"));
        assert!(mail.text.contains("https://pitlane.example/chat/1?a=1&b=2"));
    }
}
