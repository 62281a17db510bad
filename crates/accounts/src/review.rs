//! Applying, asking, answering, deciding.

use kernel::{ApplicationId, ApplicationStepId, Context, FileId, ProviderId, Role, UserId};

use crate::application::{Application, ApplicationKind, ApplicationStep, Details, StepKind, Trade};
use crate::error::Error;
use crate::profile::AccountType;
use crate::provider::{self, ApprovalState, Provider, ProviderKind};
use crate::store::Store;
use crate::user::{User, UserRecord};

/// An application after a step, and the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The application now.
    pub application: Application,
    /// What happened.
    pub step: ApplicationStep,
}

/// A person applies as a mechanic or as a workshop. The files are in use from now on.
///
/// # Errors
/// [`Error::AlreadyApproved`] when there is nothing to apply for, [`Error::ApplicationOpen`], [`Error::ApplyLater`]
/// within thirty days of a refusal, [`Error::InvalidTransition`] for a mechanic who was suspended, [`Error::Invalid`]
/// for a file that can't be used, or a failure of the store.
pub fn apply(store: &mut dyn Store, user: UserId, details: Details, cx: &Context) -> Result<Reviewed, Error> {
    // The lock makes two applications at once come one after the other.
    let person = store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    if person.role() != Role::Mechanic {
        return Err(Error::AlreadyApproved);
    }
    let mechanic = store.mechanic_by_user(user)?.ok_or(Error::NotFound("mechanic"))?;
    match mechanic.approval().state {
        ApprovalState::Pending | ApprovalState::Refused => {}
        ApprovalState::Approved => return Err(Error::AlreadyApproved),
        ApprovalState::Suspended => {
            return Err(Error::InvalidTransition { from: "suspended", to: "submitted" });
        }
    }
    if let Some(last) = store.application_latest(user)? {
        if last.status().is_open() {
            return Err(Error::ApplicationOpen);
        }
        if let Some(from) = last.reapply_from(cx.now) {
            return Err(Error::ApplyLater { from });
        }
    }
    let application = Application::submitted(ApplicationId::new(cx.id()), user, details, cx.now);
    if !store.application_insert(&application)? {
        return Err(Error::ApplicationOpen);
    }
    keep_files(store, &application, cx)?;
    let step = step(store, &application, StepKind::Submitted, user, String::new(), cx)?;
    Ok(Reviewed { application, step })
}

fn keep_files(store: &mut dyn Store, application: &Application, cx: &Context) -> Result<(), Error> {
    match store.application_files_put(application, cx.now)? {
        None => Ok(()),
        Some(unusable) => Err(unusable_file(unusable)),
    }
}

/// A file that is gone, somebody else's, in use elsewhere, or of another type.
fn unusable_file(_file: FileId) -> Error {
    let message = "One of the files can't be used. Send photos (JPEG, PNG, WebP) or PDF files that you have uploaded \
                   yourself.";
    Error::invalid("file_ids", "unusable_file", message)
}

fn step(
    store: &mut dyn Store,
    application: &Application,
    kind: StepKind,
    by: UserId,
    text: String,
    cx: &Context,
) -> Result<ApplicationStep, Error> {
    let id = ApplicationStepId::new(cx.id());
    let step = ApplicationStep { id, application: application.id(), kind, by, at: cx.now, text };
    store.application_step_insert(&step)?;
    Ok(step)
}

/// The applicant answers an admin's question by sending the application again, with a word about it.
///
/// # Errors
/// [`Error::NotFound`] without an open application, those of [`Application::answered`], [`Error::Invalid`] for a file
/// that can't be used, or a failure of the store.
pub fn answer(
    store: &mut dyn Store,
    user: UserId,
    details: Details,
    text: String,
    cx: &Context,
) -> Result<Reviewed, Error> {
    let last = store.application_latest(user)?.ok_or(Error::NotFound("application"))?;
    let found = store.application_for_update(last.id())?.ok_or(Error::NotFound("application"))?;
    let application = found.answered(details, cx.now)?;
    store.application_update(&application)?;
    keep_files(store, &application, cx)?;
    let step = step(store, &application, StepKind::Answered, user, text, cx)?;
    Ok(Reviewed { application, step })
}

/// An admin asks the applicant something.
///
/// # Errors
/// [`Error::NotFound`], those of [`Application::asked`], or a failure of the store.
pub fn ask(
    store: &mut dyn Store,
    application: ApplicationId,
    by: UserId,
    question: String,
    cx: &Context,
) -> Result<Reviewed, Error> {
    let found = store.application_for_update(application)?.ok_or(Error::NotFound("application"))?;
    let application = found.asked(cx.now)?;
    store.application_update(&application)?;
    let step = step(store, &application, StepKind::Asked, by, question, cx)?;
    Ok(Reviewed { application, step })
}

/// An admin approves: the mechanic may work, or the account becomes that of a workshop. Of two admins who decide at
/// once, exactly one does.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDecided`], [`Error::InvalidTransition`] for a mechanic whose approval can't
/// become one, or a failure of the store.
pub fn approve(
    store: &mut dyn Store,
    application: ApplicationId,
    by: UserId,
    cx: &Context,
) -> Result<Reviewed, Error> {
    let found = store.application_for_update(application)?.ok_or(Error::NotFound("application"))?;
    let application = found.decided(true, by, cx.now)?;
    store.application_update(&application)?;
    match &application.details().trade {
        Trade::Mechanic { .. } => {
            provider::decide(store, application.user(), ApprovalState::Approved, Some(by), None, cx)?;
        }
        Trade::Workshop { business_name, .. } => {
            become_workshop(store, application.user(), business_name.as_str(), cx)?;
        }
    }
    let step = step(store, &application, StepKind::Approved, by, String::new(), cx)?;
    Ok(Reviewed { application, step })
}

/// The account of somebody who never worked as a mechanic becomes that of a workshop, with a provider of its own.
fn become_workshop(store: &mut dyn Store, user: UserId, name: &str, cx: &Context) -> Result<(), Error> {
    let person = store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    let mechanic = store.mechanic_for_update(user)?.ok_or(Error::NotFound("mechanic"))?;
    match mechanic.approval().state {
        ApprovalState::Pending | ApprovalState::Refused => {}
        state @ (ApprovalState::Approved | ApprovalState::Suspended) => {
            return Err(Error::InvalidTransition { from: state.as_str(), to: "workshop" });
        }
    }
    store.mechanic_delete(user)?;
    store.provider_delete(ProviderId::new(user.uuid()))?;
    let provider = Provider {
        id: ProviderId::new(cx.id()),
        kind: ProviderKind::Workshop,
        name: name.to_owned(),
        owner: user,
        created_at: cx.now,
    };
    store.provider_insert(&provider)?;
    let workshop = User::stored(UserRecord {
        role: Role::Workshop,
        account_type: AccountType::Business,
        updated_at: cx.now,
        ..person.record().clone()
    });
    store.user_update(&workshop)?;
    // Sockets were opened by a mechanic.
    store.sockets_end(user)?;
    Ok(())
}

/// An admin refuses, for a reason that the applicant reads.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDecided`], or a failure of the store.
pub fn refuse(
    store: &mut dyn Store,
    application: ApplicationId,
    by: UserId,
    reason: String,
    cx: &Context,
) -> Result<Reviewed, Error> {
    let found = store.application_for_update(application)?.ok_or(Error::NotFound("application"))?;
    let application = found.decided(false, by, cx.now)?;
    store.application_update(&application)?;
    if application.kind() == ApplicationKind::Mechanic {
        let reason = Some(reason.clone());
        provider::decide(store, application.user(), ApprovalState::Refused, Some(by), reason, cx)?;
    }
    let step = step(store, &application, StepKind::Refused, by, reason, cx)?;
    Ok(Reviewed { application, step })
}

/// Takes back the open application of somebody who joins a workshop; `None` when there is none.
///
/// # Errors
/// A failure of the store.
pub fn withdraw(store: &mut dyn Store, user: UserId, cx: &Context) -> Result<Option<Reviewed>, Error> {
    let Some(open) = store.application_latest(user)?.filter(|last| last.status().is_open()) else {
        return Ok(None);
    };
    let found = store.application_for_update(open.id())?.ok_or(Error::NotFound("application"))?;
    let application = found.withdrawn(cx.now)?;
    store.application_update(&application)?;
    let step = step(store, &application, StepKind::Withdrawn, user, String::new(), cx)?;
    Ok(Some(Reviewed { application, step }))
}
