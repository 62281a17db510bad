//! The steps of a session, each with its line in the log.

use std::collections::BTreeMap;

use kernel::id::{IntakeId, SessionId, UserId};
use kernel::{Actor, Context, PlanCode, Role, SessionType, Timestamp};
use serde::Serialize;

use crate::chain::Head;
use crate::error::Error;
use crate::event::{ActorRole, Event, EventActor, Kind};
use crate::participant::{Participant, ParticipantRole};
use crate::session::{Session, SessionParts};
use crate::status::{EndReason, Status};
use crate::store::Store;

/// What a paid order asks for.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id it shall have, so that the caller can name it before it exists.
    pub id: SessionId,
    /// Who paid.
    pub customer: UserId,
    /// What was bought.
    pub plan: PlanCode,
    /// What the plan means.
    pub session_type: SessionType,
    /// How long it may take, in minutes; at least 1.
    pub allowance_minutes: u32,
    /// What the customer wrote.
    pub intake: IntakeId,
    /// The version of the price book of the order.
    pub price_book: String,
    /// When it was booked for; `None` for now.
    pub scheduled_for: Option<Timestamp>,
    /// What checkout handed over, for people to read.
    pub metadata: BTreeMap<String, String>,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The session after it.
    pub session: Session,
    /// The status before it.
    pub before: Status,
    /// The lines it added to the log; empty when there was nothing left to do.
    pub events: Vec<Event>,
}

#[derive(Serialize)]
struct Person {
    user_id: UserId,
    role: ParticipantRole,
}

#[derive(Serialize)]
struct Started {
    deadline_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Ended {
    status: Status,
    end_reason: Option<EndReason>,
    duration_seconds: Option<i64>,
}

/// Makes a session of a paid order: `requested`, or `scheduled` when it is booked for later. The customer takes part
/// from the first line on. Opening the same id again gives the session that is there.
///
/// # Errors
/// The storage failed, or the order's allowance is zero.
pub fn open(store: &mut dyn Store, new: NewSession, cx: &Context) -> Result<Session, Error> {
    let id = new.id;
    let customer = new.customer;
    let session = Session::restore(SessionParts {
        id,
        customer,
        plan: new.plan,
        session_type: new.session_type,
        status: if new.scheduled_for.is_some() { Status::Scheduled } else { Status::Requested },
        end_reason: None,
        ended_by: None,
        allowance_minutes: new.allowance_minutes,
        intake: new.intake,
        price_book: new.price_book,
        metadata: new.metadata,
        scheduled_for: new.scheduled_for,
        created_at: cx.now,
        updated_at: cx.now,
        accepted_at: None,
        started_at: None,
        ended_at: None,
        upgraded_at: None,
        head: Head::default(),
    })
    .map_err(|reason| kernel::StoreError::corrupt("new session", reason))?;
    if !store.session_insert(&session)? {
        return store.session_by_id(id)?.ok_or(Error::NotFound);
    }
    add(store, &session, customer, ParticipantRole::Customer, cx)?;
    let actor = EventActor::person(customer, ActorRole::Customer);
    let body = Person { user_id: customer, role: ParticipantRole::Customer };
    let (session, _) = append(store, session, Kind::Joined, actor, &body, cx)?;
    Ok(session)
}

/// A mechanic takes a session: it becomes `accepted` and the mechanic takes part. Whether the request was theirs to
/// take is decided by `dispatch`. Accepting one's own session again changes nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::MechanicTaken`]; [`Error::AlreadyParticipant`]; an illegal step.
pub fn accept(
    store: &mut dyn Store,
    session: SessionId,
    mechanic: UserId,
    cx: &Context,
) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    match mechanic_of(store, session.id())? {
        Some(present) if present != mechanic => return Err(Error::MechanicTaken),
        Some(_) if matches!(before, Status::Accepted | Status::InProgress) => {
            return Ok(Step { session, before, events: Vec::new() });
        }
        Some(_) | None => {}
    }
    let session = session.accept(cx.now)?;
    store.session_update(&session)?;
    let present = mechanic_of(store, session.id())?.is_some();
    if !present {
        add(store, &session, mechanic, ParticipantRole::Mechanic, cx)?;
    }
    let actor = EventActor::person(mechanic, ActorRole::Mechanic);
    let body = Person { user_id: mechanic, role: ParticipantRole::Mechanic };
    let (session, event) = append(store, session, Kind::Joined, actor, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}

/// An admin gives a session to a mechanic by hand, and takes it from the one it had. A `requested` session becomes
/// `accepted`. Assigning the mechanic it has changes nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::SessionClosed`]; [`Error::AlreadyParticipant`] when the person is the customer or
/// watches it.
pub fn assign(
    store: &mut dyn Store,
    session: SessionId,
    mechanic: UserId,
    admin: UserId,
    cx: &Context,
) -> Result<Step, Error> {
    let mut session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    if before.is_ended() {
        return Err(Error::SessionClosed);
    }
    let actor = EventActor::person(admin, ActorRole::Admin);
    let mut events = Vec::new();
    let previous = mechanic_of(store, session.id())?;
    if previous == Some(mechanic) && before != Status::Requested {
        return Ok(Step { session, before, events });
    }
    if before == Status::Requested {
        session = session.accept(cx.now)?;
        store.session_update(&session)?;
    }
    if let Some(gone) = previous.filter(|gone| *gone != mechanic) {
        store.participant_leave(session.id(), gone, cx.now)?;
        let body = Person { user_id: gone, role: ParticipantRole::Mechanic };
        let (next, event) = append(store, session, Kind::Left, actor, &body, cx)?;
        session = next;
        events.push(event);
    }
    if previous != Some(mechanic) {
        add(store, &session, mechanic, ParticipantRole::Mechanic, cx)?;
    }
    let body = Person { user_id: mechanic, role: ParticipantRole::Mechanic };
    let (session, event) = append(store, session, Kind::Joined, actor, &body, cx)?;
    events.push(event);
    Ok(Step { session, before, events })
}

/// The session's mechanic begins. A mechanic who was put into a `requested` session by hand (seed 001 does it in SQL)
/// accepts it by starting.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::WrongRole`]; an illegal step.
pub fn start(store: &mut dyn Store, session: SessionId, by: UserId, cx: &Context) -> Result<Step, Error> {
    let (mut session, role) = locked(store, session, by)?;
    if role != ParticipantRole::Mechanic {
        return Err(Error::WrongRole);
    }
    let before = session.status();
    if before == Status::Requested {
        session = session.accept(cx.now)?;
    }
    let session = session.start(cx.now)?;
    store.session_update(&session)?;
    let body = Started { deadline_at: session.deadline_at() };
    let actor = EventActor::person(by, role.into());
    let (session, event) = append(store, session, Kind::Started, actor, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}

/// Its customer or its mechanic ends a session that is in progress.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::WrongRole`] for an observer; an illegal step.
pub fn end(store: &mut dyn Store, session: SessionId, by: UserId, cx: &Context) -> Result<Step, Error> {
    let (session, role) = locked(store, session, by)?;
    let reason = side(role)?;
    let before = session.status();
    let session = session.complete(reason, Some(by), cx.now)?;
    finish(store, session, before, EventActor::person(by, role.into()), cx)
}

/// Calls a session off before it starts: its customer, its mechanic, an admin, or the system when the payment was
/// taken back.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::WrongRole`] for an observer; an illegal step.
pub fn cancel(store: &mut dyn Store, session: SessionId, by: Actor, cx: &Context) -> Result<Step, Error> {
    let (session, reason, actor) = match by {
        Actor::System => {
            let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
            (session, EndReason::PaymentReversed, EventActor::SYSTEM)
        }
        Actor::Person { id, role: Role::Admin } => {
            let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
            (session, EndReason::Admin, EventActor::person(id, ActorRole::Admin))
        }
        Actor::Person { id, role: Role::Customer | Role::Mechanic | Role::Workshop | Role::Support } => {
            let (session, role) = locked(store, session, id)?;
            (session, side(role)?, EventActor::person(id, role.into()))
        }
    };
    let before = session.status();
    let session = session.cancel(reason, actor.id, cx.now)?;
    finish(store, session, before, actor, cx)
}

/// Nobody accepted the session in time.
///
/// # Errors
/// [`Error::NotFound`]; an illegal step.
pub fn expire(store: &mut dyn Store, session: SessionId, cx: &Context) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    let session = session.expire(cx.now)?;
    finish(store, session, before, EventActor::SYSTEM, cx)
}

/// An admin watches a session. Both sides see it in the log. Watching again changes nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::AlreadyParticipant`] when the admin takes part in another role.
pub fn observe(
    store: &mut dyn Store,
    session: SessionId,
    admin: UserId,
    cx: &Context,
) -> Result<Step, Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let before = session.status();
    match store.seat(session.id(), admin)?.map(|seat| seat.role) {
        Some(ParticipantRole::Observer) => return Ok(Step { session, before, events: Vec::new() }),
        Some(ParticipantRole::Customer | ParticipantRole::Mechanic) => {
            return Err(Error::AlreadyParticipant);
        }
        None => add(store, &session, admin, ParticipantRole::Observer, cx)?,
    }
    let actor = EventActor::person(admin, ActorRole::Observer);
    let body = Person { user_id: admin, role: ParticipantRole::Observer };
    let (session, event) = append(store, session, Kind::ObserverJoined, actor, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}

pub(crate) fn finish(
    store: &mut dyn Store,
    session: Session,
    before: Status,
    actor: EventActor,
    cx: &Context,
) -> Result<Step, Error> {
    store.session_update(&session)?;
    let body = Ended {
        status: session.status(),
        end_reason: session.end_reason(),
        duration_seconds: session.duration_seconds(),
    };
    let (session, event) = append(store, session, Kind::Ended, actor, &body, cx)?;
    Ok(Step { session, before, events: vec![event] })
}

/// The session, locked, for its customer alone: only who pays may change what is paid for.
///
/// # Errors
/// [`Error::NotFound`] for who takes no part; [`Error::WrongRole`] for its mechanic and observers.
pub fn for_customer(store: &mut dyn Store, session: SessionId, by: UserId) -> Result<Session, Error> {
    match locked(store, session, by)? {
        (session, ParticipantRole::Customer) => Ok(session),
        (_, ParticipantRole::Mechanic | ParticipantRole::Observer) => Err(Error::WrongRole),
    }
}

pub(crate) fn locked(
    store: &mut dyn Store,
    session: SessionId,
    user: UserId,
) -> Result<(Session, ParticipantRole), Error> {
    let session = store.session_for_update(session)?.ok_or(Error::NotFound)?;
    let seat = store.seat(session.id(), user)?.ok_or(Error::NotFound)?;
    Ok((session, seat.role))
}

const fn side(role: ParticipantRole) -> Result<EndReason, Error> {
    match role {
        ParticipantRole::Customer => Ok(EndReason::Customer),
        ParticipantRole::Mechanic => Ok(EndReason::Mechanic),
        ParticipantRole::Observer => Err(Error::WrongRole),
    }
}

fn mechanic_of(store: &mut dyn Store, session: SessionId) -> Result<Option<UserId>, Error> {
    let participants = store.participants(session)?;
    Ok(participants.iter().find(|one| one.role == ParticipantRole::Mechanic).map(|one| one.user))
}

fn add(
    store: &mut dyn Store,
    session: &Session,
    user: UserId,
    role: ParticipantRole,
    cx: &Context,
) -> Result<(), Error> {
    let added = store.participant_insert(&Participant {
        session: session.id(),
        user,
        role,
        joined_at: cx.now,
        last_read_seq: 0,
    })?;
    if added { Ok(()) } else { Err(Error::AlreadyParticipant) }
}

pub(crate) fn append(
    store: &mut dyn Store,
    session: Session,
    kind: Kind,
    actor: EventActor,
    body: &impl Serialize,
    cx: &Context,
) -> Result<(Session, Event), Error> {
    let body = serde_json::to_string(body).expect("a struct of plain fields is always JSON");
    let event = Event::next(session.id(), session.head(), kind, actor, body, None, cx);
    if !store.event_append(&event)? {
        return Err(kernel::StoreError::corrupt("session log", "the next line exists").into());
    }
    let session = session.logged(event.head());
    Ok((session, event))
}
