//! `/api/sessions/{id}/files`: files that are handed in by themselves, and all files of a session.

use actix_web::web::{Data, Json, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use kernel::Timestamp;
use kernel::id::{FileId, SessionId, UserId};
use serde::Serialize;
use sessions::AddedFile;
use store::views;
use store::views::room::{self, FileView};

use super::auth::SignedIn;
use super::files::{Received, drain, receive};
use super::idempotency::Key;
use super::list::{List, Paging};
use super::problem::{ApiResult, Problem};
use super::router::{Access, Router};
use super::sessions::{PersonBody, seen};
use crate::state::Pitlane;
use crate::usecases::{Error, upload_file};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/sessions/{id}/files", Access::SignedIn, list);
    router.post("/api/sessions/{id}/files", Access::SignedIn, add);
}

/// A file of a session.
#[derive(Debug, Serialize)]
struct FileBody {
    id: FileId,
    name: String,
    content_type: String,
    size_bytes: u64,
    width: Option<u32>,
    height: Option<u32>,
    sender: PersonBody,
    of_intake: bool,
    created_at: Timestamp,
}

/// A file that was added, and the number of its line in the log.
#[derive(Debug, Serialize)]
struct AddedBody {
    #[serde(flatten)]
    file: FileBody,
    seq: u64,
}

impl FileBody {
    fn of(view: FileView, name: String) -> Self {
        Self {
            id: view.id,
            name: view.name,
            content_type: view.content_type,
            size_bytes: u64::try_from(view.size_bytes).unwrap_or(0),
            width: view.picture.map(|size| size.width),
            height: view.picture.map(|size| size.height),
            sender: PersonBody::new(view.sender, name),
            of_intake: view.of_intake,
            created_at: view.sent_at,
        }
    }

    fn added(added: AddedFile, sender: PersonBody) -> AddedBody {
        let AddedFile { file, event } = added;
        let file = Self {
            id: file.id,
            name: file.name,
            content_type: file.content_type,
            size_bytes: file.size_bytes,
            width: file.width,
            height: file.height,
            sender,
            of_intake: false,
            created_at: event.created_at,
        };
        AddedBody { file, seq: event.seq }
    }
}

async fn list(
    person: SignedIn,
    id: Path<SessionId>,
    paging: Query<Paging>,
    app: Data<Pitlane>,
) -> ApiResult<Json<List<FileBody>>> {
    let id = *id;
    seen(&app, &person, id, "files").await?;
    let (files, names) = app
        .db
        .read(move |tx| Ok::<_, Error>((room::files_of(tx, id)?, views::channel::names(tx, id)?)))
        .await?;
    let name = |sender: UserId| names.get(&sender).cloned().unwrap_or_default();
    let page = List::counted(files, &paging, |view| {
        let name = name(view.sender);
        FileBody::of(view, name)
    })?;
    Ok(Json(page))
}

async fn add(
    person: SignedIn,
    id: Path<SessionId>,
    request: HttpRequest,
    payload: Payload,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (session, sender, name) = (*id, person.id(), person.user().name().to_owned());
    if let Err(refusal) = upload_file::may_upload(&app, sender, session).await {
        drain(payload).await;
        return Err(refusal.into());
    }
    let Received { incoming, name: file_name } = receive(&app, sender, &request, payload).await?;
    let key = Key::of_content(&request, &incoming.fingerprint(file_name.as_deref()))?;
    key.once(app, sender, move |_| async move {
        let (_, added) = incoming.finish(file_name, Some(session)).await?;
        let added = added.ok_or_else(Problem::internal)?;
        Ok(HttpResponse::Created().json(FileBody::added(added, PersonBody::new(sender, name))))
    })
    .await
}
