//! Applying to work, and an admin's decision: written, mailed, audited, and told to whoever has the page open.

use accounts::audit::{self, NewAuditEntry};
use accounts::review::{self, Reviewed};
use accounts::{
    Application, ApplicationKind, ApplicationStore, StepKind, TypedApplication, UserStore, application,
};
use kernel::id::{ApplicationId, UserId};
use kernel::{Actor, Context};
use notifications::Milestone;
use store::Tx;
use store::notice::Side;

use super::mail::{self, About};
use super::{Error, personal};
use crate::state::Pitlane;

/// The most admins who are told of one application.
const ADMINS_TOLD: usize = 20;

/// A person applies. They and the admins get a mail.
///
/// # Errors
/// Fields that are wrong, those of [`review::apply`], or a failure of the storage.
pub async fn apply(
    pitlane: &Pitlane,
    user: UserId,
    kind: ApplicationKind,
    typed: TypedApplication,
) -> Result<Application, Error> {
    let details = typed.check(kind)?;
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let reviewed = review::apply(tx, user, details.clone(), &cx)?;
            let about = About::Application(reviewed.step.id);
            mail::enqueue(tx, Milestone::ApplicationReceived, user, about, &cx)?;
            tell_admins(tx, &reviewed, &cx)?;
            Ok(reviewed.application)
        })
        .await
}

/// The applicant answers a question by sending the application again.
///
/// # Errors
/// Fields that are wrong, those of [`review::answer`], or a failure of the storage.
pub async fn answer(
    pitlane: &Pitlane,
    user: UserId,
    typed: TypedApplication,
    answer: &str,
) -> Result<Application, Error> {
    let latest = mine(pitlane, user).await?.ok_or(accounts::Error::NotFound("application"))?;
    let details = typed.check(latest.kind())?;
    let text = application::words_or_none("answer", answer)?;
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let reviewed = review::answer(tx, user, details.clone(), text.clone(), &cx)?;
            tell_admins(tx, &reviewed, &cx)?;
            Ok(reviewed.application)
        })
        .await
}

fn tell_admins(tx: &mut Tx<'_>, reviewed: &Reviewed, cx: &Context) -> Result<(), Error> {
    for admin in tx.admins()?.into_iter().take(ADMINS_TOLD) {
        let about = About::Application(reviewed.step.id);
        mail::enqueue(tx, Milestone::ApplicationArrived, admin, about, cx)?;
    }
    Ok(())
}

/// The newest application of this person.
///
/// # Errors
/// A failure of the storage.
pub async fn mine(pitlane: &Pitlane, user: UserId) -> Result<Option<Application>, Error> {
    pitlane.db.read(move |tx| Ok(tx.application_latest(user)?)).await
}

/// What an admin does about an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The applicant may work.
    Approve,
    /// The applicant is to answer this.
    Ask(String),
    /// The applicant may not work, for this reason.
    Refuse(String),
}

impl Verdict {
    /// The verdict with its words checked.
    ///
    /// # Errors
    /// [`accounts::Error::Invalid`] for the field `question` or `reason`.
    pub fn checked(self) -> Result<Self, accounts::Error> {
        Ok(match self {
            Self::Approve => Self::Approve,
            Self::Ask(question) => Self::Ask(application::words("question", &question)?),
            Self::Refuse(reason) => Self::Refuse(application::words("reason", &reason)?),
        })
    }

    const fn action(&self) -> &'static str {
        match self {
            Self::Approve => "application.approve",
            Self::Ask(_) => "application.ask",
            Self::Refuse(_) => "application.refuse",
        }
    }
}

/// An admin decides about an application. Of two who decide at once, one does.
///
/// # Errors
/// Words that are wrong, those of [`review`]'s verbs, or a failure of the storage.
pub async fn decide(
    pitlane: &Pitlane,
    id: ApplicationId,
    verdict: Verdict,
    by: UserId,
    actor: Actor,
    address: String,
) -> Result<Application, Error> {
    let verdict = verdict.checked()?;
    let cx = pitlane.context();
    pitlane.db.write(move |tx| decide_in(tx, id, &verdict, by, actor, &address, &cx)).await
}

/// The same inside a transaction, with words that were checked.
///
/// # Errors
/// Those of [`decide`].
pub fn decide_in(
    tx: &mut Tx<'_>,
    id: ApplicationId,
    verdict: &Verdict,
    by: UserId,
    actor: Actor,
    address: &str,
    cx: &Context,
) -> Result<Application, Error> {
    let reviewed = match verdict {
        Verdict::Approve => review::approve(tx, id, by, cx)?,
        Verdict::Ask(question) => review::ask(tx, id, by, question.clone(), cx)?,
        Verdict::Refuse(reason) => review::refuse(tx, id, by, reason.clone(), cx)?,
    };
    let mut entry =
        NewAuditEntry::new(actor, verdict.action(), "application", id).from_address(Some(address));
    entry = entry.with("user_id", reviewed.application.user());
    if !reviewed.step.text.is_empty() {
        entry = entry.with("text", &reviewed.step.text);
    }
    audit::record(tx, entry, cx)?;
    tell_applicant(tx, &reviewed, cx)?;
    Ok(reviewed.application)
}

fn tell_applicant(tx: &mut Tx<'_>, reviewed: &Reviewed, cx: &Context) -> Result<(), Error> {
    let (user, kind) = (reviewed.application.user(), reviewed.application.kind());
    let (milestone, title, message, path) = match reviewed.step.kind {
        StepKind::Approved => {
            let (message, path) = match kind {
                ApplicationKind::Mechanic => ("Go on duty, and requests reach you.", "/mechanic"),
                ApplicationKind::Workshop => ("Invite your mechanics.", "/workshop"),
            };
            (Milestone::ApplicationApproved, "You are approved", message, path)
        }
        StepKind::Asked => {
            let message = "We need to know one more thing about your application.";
            (Milestone::ApplicationAsked, "A question for you", message, "/mechanic/apply")
        }
        StepKind::Refused => {
            let message = "We can't approve you now. The reason is on the page.";
            (Milestone::ApplicationRefused, "About your application", message, "/mechanic/apply")
        }
        StepKind::Submitted | StepKind::Answered | StepKind::Withdrawn => return Ok(()),
    };
    mail::enqueue(tx, milestone, user, About::Application(reviewed.step.id), cx)?;
    personal::notification(tx, user, Side::Mechanic, title, message, "Open the page", path, cx);
    Ok(())
}
