//! `/sessions/{id}/summary`: the mechanic writes it, both sides read it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use intake::Store as _;
use kernel::UserId;
use kernel::id::{FileId, SessionId};
use serde::Deserialize;
use sessions::summary::{SUMMARY_MAX_PHOTOS, SUMMARY_TEXT_MAX_CHARS};
use sessions::{Invalid, ParticipantRole, Status, Summary, SummaryText};
use store::Tx;
use store::views::requests::VehicleView;
use store::views::room::{self, FileView};
use store::views::session::SessionView;
use url::form_urlencoded;
use web::chat::FileLink;
use web::form::Errors;
use web::frame::Nav;
use web::summary::{PhotoChoice, SummaryForm, SummaryPage, SummarySession, SummaryView, WrittenSummary};

use super::chat::file;
use super::frame::{frame, go, show};
use super::{rows, start};
use crate::http::auth::SignedIn;
use crate::http::sessions::seen;
use crate::http::{Access, ApiResult, Problem, Router, extract};
use crate::state::Pitlane;
use crate::usecases::{Error, view_summary, write_summary};

/// Adds the page and what its form posts to.
pub fn routes(router: &mut Router) {
    router.get("/sessions/{id}/summary", Access::SignedIn, open);
    router.post("/sessions/{id}/summary", Access::SignedIn, send);
}

#[derive(Deserialize)]
struct Wanted {
    edit: Option<String>,
}

/// What the page is made of.
pub(super) struct Papers {
    pub(super) summary: Option<Summary>,
    pub(super) author: String,
    pub(super) files: Vec<FileView>,
    pub(super) vehicle: Option<VehicleView>,
    pub(super) concern: String,
}

/// Reads the summary with its photos and its car.
///
/// # Errors
/// The storage's.
pub(super) fn papers(tx: &mut Tx<'_>, id: SessionId) -> Result<Papers, Error> {
    let summary = sessions::Store::summary(tx, id)?;
    let author = match &summary {
        Some(summary) => store::views::channel::names(tx, id)?.remove(&summary.author).unwrap_or_default(),
        None => String::new(),
    };
    let files = room::files_of(tx, id)?;
    let (vehicle, concern) = match room::background(tx, id)? {
        Some(told) => (Some(told.vehicle), told.concern),
        None => (None, String::new()),
    };
    Ok(Papers { summary, author, files, vehicle, concern })
}

async fn open(
    person: SignedIn,
    id: Path<SessionId>,
    wanted: Query<Wanted>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let id = *id;
    let view = seen(&app, &person, id, "summary").await?;
    let papers = app.db.read(move |tx| papers(tx, id)).await?;
    let mine = view.viewer_role == Some(ParticipantRole::Mechanic);
    let writable = mine && sessions::may_summarise(view.status, view.content_dropped).is_ok();
    if papers.summary.is_some() && view.viewer_role == Some(ParticipantRole::Customer) {
        view_summary::note_view(&app, person.id(), id).await?;
    }
    let shown = match &papers.summary {
        Some(summary) if !(writable && wanted.edit.is_some()) => {
            let summary = Box::new(written(summary, &papers));
            SummaryView::Written { summary, mine: writable }
        }
        _ if writable => {
            let (by, now) = (person.id(), app.clock.now());
            let draft = app.db.read(move |tx| Ok::<_, Error>(sessions::summary_draft(tx, id, by)?)).await?;
            let kept_at = draft.as_ref().map(|draft| draft.updated_at.to_string());
            let text = draft.map(|draft| draft.text);
            let text = text.or_else(|| papers.summary.as_ref().map(|summary| summary.text.clone()));
            let text = text.unwrap_or_default();
            let uploads = uploads(&app, by, &text.photos, now).await?;
            let form = SummaryForm { draft_saved_at: kept_at, ..form(&app, &papers, text, uploads) };
            SummaryView::Writing(Box::new(form))
        }
        _ if view.content_dropped => SummaryView::Gone,
        _ => match view.status {
            Status::Cancelled | Status::Expired => SummaryView::Never,
            Status::Requested
            | Status::Scheduled
            | Status::Accepted
            | Status::InProgress
            | Status::Completed => SummaryView::Waiting,
        },
    };
    let page = SummaryPage {
        frame: frame(&app, Some(&person.0), Nav::None),
        session: heading(&app, &view, papers.vehicle.as_ref()),
        view: shown,
        errors: Errors::default(),
    };
    show(&page, StatusCode::OK)
}

async fn send(
    person: SignedIn,
    id: Path<SessionId>,
    request: HttpRequest,
    payload: Payload,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (id, by) = (*id, person.id());
    let body = extract::collect(&request, payload.into_inner()).await?;
    let (text, known) = typed(&body);
    let outcome = if known {
        write_summary::submit_summary(&app, by, id, text.clone()).await.map(drop)
    } else {
        Err(sessions::Error::Invalid(Invalid::Photo(FileId::new(uuid::Uuid::nil()))).into())
    };
    let Err(failure) = outcome else { return Ok(go(&format!("/sessions/{id}/summary"))) };
    let (problem, errors) = start::faults(&failure)?;
    let view = seen(&app, &person, id, "summary").await?;
    if view.viewer_role != Some(ParticipantRole::Mechanic) {
        return Err(Problem::from(failure));
    }
    let papers = app.db.read(move |tx| papers(tx, id)).await?;
    let uploads = uploads(&app, by, &text.photos, app.clock.now()).await?;
    let page = SummaryPage {
        frame: frame(&app, Some(&person.0), Nav::None),
        session: heading(&app, &view, papers.vehicle.as_ref()),
        view: SummaryView::Writing(Box::new(form(&app, &papers, text, uploads))),
        errors,
    };
    show(&page, problem.status)
}

/// The form as it was typed, and whether every photo's id is one.
fn typed(body: &[u8]) -> (SummaryText, bool) {
    let (mut text, mut known) = (SummaryText::default(), true);
    for (name, value) in form_urlencoded::parse(body) {
        // Forms send line breaks as two characters.
        let value = value.replace("\r\n", "\n");
        match name.as_ref() {
            "findings" => text.findings = value,
            "steps_taken" => text.steps_taken = value,
            "parts_needed" => text.parts_needed = value,
            "next_steps" => text.next_steps = value,
            "file_ids" => match value.parse() {
                Ok(photo) => text.photos.push(photo),
                Err(_) => known = false,
            },
            // Browsers and their extensions add fields of their own.
            _ => {}
        }
    }
    (text, known)
}

/// Those of these photos that wait to be used, with their names.
async fn uploads(
    app: &Pitlane,
    owner: UserId,
    photos: &[FileId],
    now: kernel::Timestamp,
) -> ApiResult<Vec<FileLink>> {
    // More than may be sent are shown as well, so that some can be taken away.
    let photos: Vec<FileId> = photos.iter().copied().take(4 * SUMMARY_MAX_PHOTOS).collect();
    Ok(app
        .db
        .read(move |tx| {
            let mut found = Vec::new();
            for photo in photos {
                found.extend(tx.upload_waiting(photo, owner, now)?.map(|upload| FileLink {
                    id: upload.id.to_string(),
                    name: upload.name,
                    bytes: i64::try_from(upload.size_bytes).unwrap_or(i64::MAX),
                    picture: true,
                    content_type: upload.content_type.as_str().to_owned(),
                    pixels: upload.picture.map(|size| (size.width, size.height)),
                }));
            }
            Ok::<_, Error>(found)
        })
        .await?)
}

fn form(app: &Pitlane, papers: &Papers, text: SummaryText, uploads: Vec<FileLink>) -> SummaryForm {
    let choice = |view: &FileView| PhotoChoice { chosen: text.photos.contains(&view.id), file: file(view) };
    SummaryForm {
        session_photos: papers
            .files
            .iter()
            .filter(|view| view.content_type.starts_with("image/"))
            .map(choice)
            .collect(),
        uploads,
        draft_saved_at: None,
        corrects: papers.summary.is_some(),
        max_chars: i64::try_from(SUMMARY_TEXT_MAX_CHARS).unwrap_or(i64::MAX),
        max_photos: i64::try_from(SUMMARY_MAX_PHOTOS).unwrap_or(i64::MAX),
        max_file_bytes: i64::try_from(app.settings.files.max_file_bytes).unwrap_or(i64::MAX),
        findings: text.findings,
        steps_taken: text.steps_taken,
        parts_needed: text.parts_needed,
        next_steps: text.next_steps,
    }
}

/// A summary as pages show it.
pub(super) fn written(summary: &Summary, papers: &Papers) -> WrittenSummary {
    let text = &summary.text;
    let photo = |id: &FileId| papers.files.iter().find(|view| view.id == *id).map(file);
    WrittenSummary {
        mechanic_name: papers.author.clone(),
        findings: text.findings.clone(),
        steps_taken: text.steps_taken.clone(),
        parts_needed: text.parts_needed.clone(),
        next_steps: text.next_steps.clone(),
        photos: text.photos.iter().filter_map(photo).collect(),
        submitted_at: summary.submitted_at.to_string(),
        corrected_at: (summary.revision > 1).then(|| summary.updated_at.to_string()),
    }
}

/// What stands above a summary.
pub(super) fn heading(app: &Pitlane, view: &SessionView, vehicle: Option<&VehicleView>) -> SummarySession {
    SummarySession {
        id: view.id.to_string(),
        plan_name: rows::plan_now(app, view),
        duration_minutes: i64::from(view.allowance_minutes),
        status: rows::status(view.status),
        customer_name: view.customer.name.clone(),
        mechanic_name: view.mechanic.as_ref().map(|mechanic| mechanic.name.clone()).unwrap_or_default(),
        vehicle: vehicle.map(described),
        started_at: rows::instant(view.started_at),
        ended_at: rows::instant(view.ended_at),
    }
}

/// Year, make and model, and the mileage where it is known.
fn described(vehicle: &VehicleView) -> String {
    match vehicle.mileage.and_then(|miles| u64::try_from(miles).ok()) {
        Some(miles) => format!("{}, {} miles", vehicle.title(), web::money::grouped(miles)),
        None => vehicle.title(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_sends_it() {
        let id = FileId::new(uuid::Uuid::from_u128(7));
        let body = format!("findings=The+coil%0D%0Afails&next_steps=Change+it&file_ids={id}&other=1");
        let (text, known) = typed(body.as_bytes());
        assert_eq!(
            (text.findings.as_str(), text.next_steps.as_str(), known),
            ("The coil\nfails", "Change it", true)
        );
        assert_eq!(text.photos, [id]);
        assert!(!typed(b"findings=x&file_ids=nonsense").1);
    }
}
