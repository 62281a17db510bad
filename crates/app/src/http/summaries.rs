//! `/api/sessions/{id}/summary`: what the mechanic writes down, and what both sides read.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use kernel::Timestamp;
use kernel::id::{FileId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use sessions::{ParticipantRole, Summary, SummaryDraft, SummaryText};
use store::{Tx, views};

use super::Body;
use super::auth::SignedIn;
use super::idempotency::Keyed;
use super::problem::{ApiResult, Problem};
use super::router::{Access, Router};
use super::sessions::{PersonBody, seen};
use crate::state::Pitlane;
use crate::usecases::{Error, view_summary, write_summary};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/sessions/{id}/summary", Access::SignedIn, read);
    router.post("/api/sessions/{id}/summary", Access::SignedIn, submit);
    router.get("/api/sessions/{id}/summary/draft", Access::SignedIn, draft);
    router.put("/api/sessions/{id}/summary/draft", Access::SignedIn, save_draft);
}

/// What a summary or a draft says. A text that is left out is empty.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBody {
    #[serde(default)]
    findings: String,
    #[serde(default)]
    steps_taken: String,
    #[serde(default)]
    parts_needed: String,
    #[serde(default)]
    next_steps: String,
    #[serde(default)]
    photo_file_ids: Vec<FileId>,
}

impl From<TextBody> for SummaryText {
    fn from(body: TextBody) -> Self {
        let TextBody { findings, steps_taken, parts_needed, next_steps, photo_file_ids: photos } = body;
        Self { findings, steps_taken, parts_needed, next_steps, photos }
    }
}

impl From<SummaryText> for TextBody {
    fn from(text: SummaryText) -> Self {
        let SummaryText { findings, steps_taken, parts_needed, next_steps, photos: photo_file_ids } = text;
        Self { findings, steps_taken, parts_needed, next_steps, photo_file_ids }
    }
}

/// A summary as clients see it.
#[derive(Debug, Serialize)]
pub struct SummaryBody {
    session_id: SessionId,
    mechanic: PersonBody,
    #[serde(flatten)]
    text: TextBody,
    revision: u32,
    submitted_at: Timestamp,
    updated_at: Timestamp,
}

/// A summary that is not handed in.
#[derive(Debug, Serialize)]
pub struct DraftBody {
    session_id: SessionId,
    #[serde(flatten)]
    text: TextBody,
    updated_at: Timestamp,
}

impl From<SummaryDraft> for DraftBody {
    fn from(draft: SummaryDraft) -> Self {
        Self { session_id: draft.session, text: draft.text.into(), updated_at: draft.updated_at }
    }
}

fn body(summary: Summary, name: String) -> SummaryBody {
    SummaryBody {
        session_id: summary.session,
        mechanic: PersonBody::new(summary.author, name),
        text: summary.text.into(),
        revision: summary.revision,
        submitted_at: summary.submitted_at,
        updated_at: summary.updated_at,
    }
}

/// The summary of a session; `None` while there is none.
///
/// # Errors
/// The storage's.
pub fn of(tx: &mut Tx<'_>, session: SessionId) -> Result<Option<SummaryBody>, Error> {
    let Some(summary) = sessions::Store::summary(tx, session)? else { return Ok(None) };
    let name = views::channel::names(tx, session)?.remove(&summary.author).unwrap_or_default();
    Ok(Some(body(summary, name)))
}

/// What this mechanic has written and not handed in; `None` for everybody else, and while there is nothing.
///
/// # Errors
/// The storage's.
pub fn draft_of(tx: &mut Tx<'_>, session: SessionId, by: UserId) -> Result<Option<DraftBody>, Error> {
    let is_mechanic = sessions::Store::participants(tx, session)?
        .iter()
        .any(|one| one.user == by && one.role == ParticipantRole::Mechanic);
    if !is_mechanic {
        return Ok(None);
    }
    Ok(sessions::summary_draft(tx, session, by)?.map(DraftBody::from))
}

async fn read(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<Json<SummaryBody>> {
    let id = *id;
    let view = seen(&app, &person, id, "summary").await?;
    let summary = app.db.read(move |tx| of(tx, id)).await?.ok_or_else(|| {
        let detail = if view.content_dropped {
            "What was written in this session was erased; there is no summary to read."
        } else {
            "The mechanic has not written the summary yet."
        };
        Problem::new(actix_web::http::StatusCode::NOT_FOUND, "summary_not_written", detail)
    })?;
    if view.viewer_role == Some(ParticipantRole::Customer) {
        view_summary::note_view(&app, person.id(), id).await?;
    }
    Ok(Json(summary))
}

async fn submit(
    person: SignedIn,
    id: Path<SessionId>,
    sent: Keyed<TextBody>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = sent;
    let (by, name): (UserId, String) = (person.id(), person.user().name().to_owned());
    key.once(app, by, move |app| async move {
        let submitted = write_summary::submit_summary(&app, by, *id, value.into()).await?;
        let first = submitted.event.is_some() && submitted.summary.revision == 1;
        let mut answer = if first { HttpResponse::Created() } else { HttpResponse::Ok() };
        Ok(answer.json(body(submitted.summary, name)))
    })
    .await
}

async fn draft(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<Json<DraftBody>> {
    let (id, by) = (*id, person.id());
    let draft = app.db.read(move |tx| Ok::<_, Error>(sessions::summary_draft(tx, id, by)?)).await?;
    draft.map(|draft| Json(draft.into())).ok_or_else(Problem::not_found)
}

async fn save_draft(
    person: SignedIn,
    id: Path<SessionId>,
    text: Body<TextBody>,
    app: Data<Pitlane>,
) -> ApiResult<Json<DraftBody>> {
    let draft = write_summary::save_draft(&app, person.id(), *id, text.0.into()).await?;
    Ok(Json(draft.into()))
}
