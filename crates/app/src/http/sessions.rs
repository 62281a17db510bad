//! `/api/sessions`: one's own sessions, their steps, their log.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use kernel::id::{FileId, SessionId, UserId};
use kernel::{Modality, PlanCode, SessionType, Timestamp};
use pricing::can_upgrade;
use serde::{Deserialize, Serialize};
use sessions::{EndReason, MessageDraft, Status, Step};
use store::views;
use store::views::session::{Person, SessionView};

use super::auth::SignedIn;
use super::idempotency::{Key, Keyed};
use super::list::{self, List};
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use crate::realtime::protocol::EventWire;
use crate::state::Pitlane;
use crate::usecases::note_read::{Read, note_read};
use crate::usecases::upgrade_session::stage;
use crate::usecases::{Error, cancel_session, end_session, post_message, start_session};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/sessions", Access::SignedIn, mine);
    router.get("/api/sessions/{id}", Access::SignedIn, one);
    router.post("/api/sessions/{id}/start", Access::SignedIn, start);
    router.post("/api/sessions/{id}/end", Access::SignedIn, end);
    router.post("/api/sessions/{id}/cancel", Access::SignedIn, cancel);
    router.get("/api/sessions/{id}/events", Access::SignedIn, events);
    router.post("/api/sessions/{id}/messages", Access::SignedIn, say);
}

/// Somebody in a session.
#[derive(Debug, Serialize)]
pub struct PersonBody {
    id: UserId,
    name: String,
}

impl PersonBody {
    /// A person by name.
    pub const fn new(id: UserId, name: String) -> Self {
        Self { id, name }
    }
}

impl From<Person> for PersonBody {
    fn from(person: Person) -> Self {
        Self { id: person.id, name: person.name }
    }
}

/// A session as clients see it.
#[derive(Debug, Serialize)]
pub struct SessionBody {
    id: SessionId,
    session_type: SessionType,
    modality: Modality,
    status: Status,
    end_reason: Option<EndReason>,
    plan: PlanCode,
    currency: &'static str,
    base_price_cents: i64,
    upgrade_price_cents: Option<i64>,
    extension_price_cents: i64,
    total_price_cents: i64,
    payment_status: &'static str,
    customer: PersonBody,
    mechanic: Option<PersonBody>,
    created_at: Timestamp,
    scheduled_for: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    upgraded_at: Option<Timestamp>,
    deadline_at: Option<Timestamp>,
    last_seq: u64,
    can_upgrade: bool,
    upgrade_reason: Option<String>,
}

impl From<SessionView> for SessionBody {
    fn from(view: SessionView) -> Self {
        let refusal = can_upgrade(view.session_type, stage(view.status)).err();
        Self {
            total_price_cents: view.total_price_cents(),
            id: view.id,
            session_type: view.session_type,
            modality: view.session_type.modality(),
            status: view.status,
            end_reason: view.end_reason,
            plan: view.plan,
            currency: view.currency.as_str(),
            base_price_cents: view.base_price_cents,
            upgrade_price_cents: view.upgrade_price_cents,
            extension_price_cents: view.extension_price_cents,
            payment_status: view.payment_status.as_str(),
            customer: view.customer.into(),
            mechanic: view.mechanic.map(PersonBody::from),
            created_at: view.created_at,
            scheduled_for: view.scheduled_for,
            started_at: view.started_at,
            ended_at: view.ended_at,
            upgraded_at: view.upgraded_at,
            deadline_at: view.deadline_at,
            last_seq: view.last_seq,
            can_upgrade: refusal.is_none(),
            upgrade_reason: refusal.map(|reason| reason.to_string()),
        }
    }
}

/// What `GET /api/sessions` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MineQuery {
    status: Option<String>,
    #[serde(default, deserialize_with = "list::number")]
    limit: Option<u64>,
    cursor: Option<String>,
}

async fn mine(
    person: SignedIn,
    query: Query<MineQuery>,
    app: Data<Pitlane>,
) -> ApiResult<Json<List<SessionBody>>> {
    let statuses = statuses(query.status.as_deref())?;
    let (viewer, limit) = (person.id(), list::limit(query.limit));
    let before = list::cursor(query.cursor.as_deref())?;
    let read = app
        .db
        .read(move |tx| views::session::mine(tx, viewer, &statuses, before, limit + 1).map_err(Error::from))
        .await?;
    Ok(Json(List::of(read, limit, |view| view.id, SessionBody::from)))
}

/// The statuses of a list separated by commas.
fn statuses(asked: Option<&str>) -> ApiResult<Vec<Status>> {
    let names = asked.unwrap_or("").split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            Status::parse(name).ok_or_else(|| {
                let message = format!("There is no status {name:?}.");
                Problem::invalid(vec![FieldError::new("status", "unknown_status", message)])
            })
        })
        .collect()
}

async fn one(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<Json<SessionBody>> {
    Ok(Json(seen(&app, &person, *id, "session").await?.into()))
}

/// The session, if this person may see it. What one of the staff reads who takes no part is noted in the audit log first.
///
/// # Errors
/// 404 for everybody else.
pub async fn seen(
    app: &Data<Pitlane>,
    person: &SignedIn,
    id: SessionId,
    what: &'static str,
) -> ApiResult<SessionView> {
    let viewer = person.id();
    let view = app
        .db
        .glance(move |tx| views::session::any(tx, id, viewer).map_err(Error::from))
        .await?
        .ok_or_else(Problem::not_found)?;
    if view.viewer_role.is_none() {
        if !person.user().role().is_staff() {
            return Err(Problem::not_found());
        }
        note_read(app, person.actor(), Read::Session(id, what)).await?;
    }
    Ok(view)
}

/// The session after a step, for who took it.
///
/// # Errors
/// The storage's.
pub async fn after(app: &Data<Pitlane>, viewer: UserId, step: Step) -> ApiResult<SessionBody> {
    shown(app, viewer, step.session.id()).await
}

/// The session as it is now, for somebody who may see it.
///
/// # Errors
/// The storage's.
pub async fn shown(app: &Data<Pitlane>, viewer: UserId, id: SessionId) -> ApiResult<SessionBody> {
    let view = app.db.glance(move |tx| views::session::any(tx, id, viewer).map_err(Error::from)).await?;
    view.map(SessionBody::from).ok_or_else(Problem::not_found)
}

async fn start(
    person: SignedIn,
    id: Path<SessionId>,
    key: Key,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let viewer = person.id();
    let work = move |app: Data<Pitlane>| async move {
        let step = start_session::start_session(&app, viewer, *id).await?;
        Ok(HttpResponse::Ok().json(after(&app, viewer, step).await?))
    };
    key.once(app, viewer, work).await
}

async fn end(person: SignedIn, id: Path<SessionId>, key: Key, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let viewer = person.id();
    let work = move |app: Data<Pitlane>| async move {
        let step = end_session::end_session(&app, viewer, *id).await?;
        Ok(HttpResponse::Ok().json(after(&app, viewer, step).await?))
    };
    key.once(app, viewer, work).await
}

async fn cancel(
    person: SignedIn,
    id: Path<SessionId>,
    key: Key,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (viewer, actor) = (person.id(), person.actor());
    let work = move |app: Data<Pitlane>| async move {
        let step = cancel_session::cancel_session(&app, actor, *id).await?;
        Ok(HttpResponse::Ok().json(after(&app, viewer, step).await?))
    };
    key.once(app, viewer, work).await
}

/// What `GET /api/sessions/{id}/events` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    #[serde(default)]
    after_seq: u64,
    #[serde(default, deserialize_with = "list::number")]
    limit: Option<u64>,
}

#[derive(Serialize)]
struct EventList<'a> {
    items: Vec<EventWire<'a>>,
    last_seq: u64,
}

async fn events(
    person: SignedIn,
    id: Path<SessionId>,
    query: Query<EventsQuery>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (id, after_seq, limit) = (*id, query.after_seq, list::limit(query.limit));
    let last_seq = seen(&app, &person, id, "events").await?.last_seq;
    let (events, names) = app
        .db
        .read(move |tx| {
            let events = sessions::Store::events_after(tx, id, after_seq, limit)?;
            Ok::<_, Error>((events, views::channel::names(tx, id)?))
        })
        .await?;
    let name = |user: UserId| names.get(&user).map(String::as_str);
    let items: Vec<_> =
        events.iter().map(|event| EventWire::new(event, event.actor.id.and_then(name))).collect();
    // A line that was added between the two reads belongs to the log as well.
    let last_seq = last_seq.max(events.last().map_or(0, |event| event.seq));
    Ok(HttpResponse::Ok().json(EventList { items, last_seq }))
}

/// What `POST /api/sessions/{id}/messages` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SayBody {
    client_ref: String,
    text: String,
    #[serde(default)]
    file_ids: Vec<FileId>,
}

async fn say(
    person: SignedIn,
    id: Path<SessionId>,
    body: Keyed<SayBody>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Keyed { value: SayBody { client_ref, text, file_ids: files }, key } = body;
    let (sender, name) = (person.id(), person.user().name().to_owned());
    let draft = MessageDraft { client_ref, text, files };
    key.once(app, sender, move |app| async move {
        let posted = post_message::post_message(&app, sender, *id, draft).await?;
        let mut answer = if posted.fresh { HttpResponse::Created() } else { HttpResponse::Ok() };
        Ok(answer.json(EventWire::new(&posted.event, Some(&name))))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_by_name_and_live_is_in_progress() {
        let check = |text: &str| statuses(Some(text)).map_err(|problem| problem.code);
        assert_eq!(check("live"), Ok(vec![Status::InProgress]));
        assert_eq!(check("requested, accepted"), Ok(vec![Status::Requested, Status::Accepted]));
        assert_eq!(check(""), Ok(vec![]));
        assert_eq!(check("paused"), Err("invalid"));
    }
}
