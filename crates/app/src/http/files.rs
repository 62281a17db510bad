//! Uploaded files: sent before there is a session, and read through links that expire.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, Charset, ContentDisposition, DispositionParam, DispositionType,
    ExtendedValue, LOCATION,
};
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use futures_util::stream::Fuse;
use kernel::id::{FileId, UserId};
use serde::{Deserialize, Serialize};

use super::auth::SignedIn;
use super::idempotency::Key;
use super::problem::FieldError;
use super::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::read_file::{self, Link};
use crate::usecases::upload_file::Incoming;

/// The form field that carries the file.
const FIELD: &str = "file";

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/files", Access::SignedIn, upload);
    router.get("/api/files/{id}", Access::SignedIn, link);
    router.get("/files/{id}", Access::Signed, download);
}

#[derive(Serialize)]
struct UploadedBody {
    file_id: FileId,
}

async fn upload(
    person: SignedIn,
    request: HttpRequest,
    payload: Payload,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Received { incoming, name } = receive(&pitlane, person.id(), &request, payload).await?;
    // The same file in another envelope is the same request: clients draw a new boundary each time.
    let key = Key::of_content(&request, &incoming.fingerprint(name.as_deref()))?;
    key.once(pitlane, person.id(), move |_| async move {
        let file_id = incoming.finish(name).await?.id;
        Ok(HttpResponse::Created().json(UploadedBody { file_id }))
    })
    .await
}

// Whatever is refused, the body is read to its end, so that the client gets an answer instead of a reset connection.
async fn receive(
    pitlane: &Pitlane,
    owner: UserId,
    request: &HttpRequest,
    mut payload: Payload,
) -> ApiResult<Received> {
    let multipart = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with("multipart/form-data"));
    if !multipart {
        while payload.next().await.is_some_and(|chunk| chunk.is_ok()) {}
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send a form with one file, with Content-Type: multipart/form-data.",
        ));
    }
    let mut form = Multipart::new(request.headers(), payload);
    let mut taken: Option<ApiResult<Received>> = None;
    while let Some(field) = form.next().await {
        let field = field.map_err(|error| broken(&error))?;
        let (label, name) = (field.name().map(str::to_owned), file_name(&field));
        // A field panics when it is read beyond its end.
        let mut field = field.fuse();
        taken = Some(match (taken, label.as_deref()) {
            // The first thing that was wrong is told.
            (Some(Err(wrong)), _) => Err(wrong),
            (None, Some(FIELD)) => take(pitlane, owner, name, &mut field).await,
            (Some(Ok(_)), Some(FIELD)) => Err(fault(FIELD, "repeated", "Send one file at a time.")),
            (None | Some(Ok(_)), label) => Err(Problem {
                code: "unknown_field",
                ..fault(label.unwrap_or(""), "unknown_field", "There is no such field.")
            }),
        });
        while let Some(rest) = field.next().await {
            rest.map_err(|error| broken(&error))?;
        }
    }
    taken.unwrap_or_else(|| Err(fault(FIELD, "missing", "Send a file in this field.")))
}

fn file_name(field: &Field) -> Option<String> {
    field.content_disposition().and_then(|value| value.get_filename()).map(str::to_owned)
}

/// All bytes of a file, kept only once the whole form is known to be good.
struct Received {
    incoming: Incoming,
    name: Option<String>,
}

async fn take(
    pitlane: &Pitlane,
    owner: UserId,
    name: Option<String>,
    field: &mut Fuse<Field>,
) -> ApiResult<Received> {
    let mut incoming = Incoming::begin(pitlane, owner).await?;
    while let Some(chunk) = field.next().await {
        incoming.push(&chunk.map_err(|error| broken(&error))?).await?;
    }
    Ok(Received { incoming, name })
}

async fn link(person: SignedIn, id: Path<FileId>, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let id = id.into_inner();
    let link = read_file::link(&pitlane, person.id(), person.user().role(), id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let target = format!("/files/{id}?expires={}&signature={}", link.expires, link.signature);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, target)).finish())
}

#[derive(Deserialize)]
struct LinkQuery {
    expires: i64,
    signature: String,
}

async fn download(
    id: Path<FileId>,
    query: Query<LinkQuery>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let LinkQuery { expires, signature } = query.into_inner();
    let found = read_file::open(&pitlane, id.into_inner(), &Link { expires, signature }).await?;
    let (file, bytes) = found.ok_or_else(Problem::not_found)?;
    // Shown by the browser where it can be, under its own name when it is saved.
    let disposition = ContentDisposition {
        disposition: DispositionType::Inline,
        parameters: vec![DispositionParam::FilenameExt(ExtendedValue {
            charset: Charset::Ext("UTF-8".to_owned()),
            language_tag: None,
            value: file.name.into_bytes(),
        })],
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, file.content_type))
        .insert_header((CACHE_CONTROL, "private, max-age=300"))
        .insert_header(disposition)
        .body(bytes))
}

fn fault(field: &str, code: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, code, message)])
}

fn broken(error: &MultipartError) -> Problem {
    tracing::debug!(%error, "an upload can't be read");
    Problem::new(StatusCode::BAD_REQUEST, "malformed_multipart", "The form can't be read.")
}
