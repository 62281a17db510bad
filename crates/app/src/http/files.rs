//! Files that are sent before there is a session.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use kernel::id::{FileId, UserId};
use serde::Serialize;

use super::auth::SignedIn;
use super::problem::FieldError;
use super::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::upload_file::Incoming;

/// The form field that carries the file.
const FIELD: &str = "file";

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/files", Access::SignedIn, upload);
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
    let file_id = receive(&pitlane, person.id(), &request, payload).await?;
    Ok(HttpResponse::Created().json(UploadedBody { file_id }))
}

// Whatever is refused, the body is read to its end, so that the client gets an answer instead of a reset connection.
async fn receive(
    pitlane: &Pitlane,
    owner: UserId,
    request: &HttpRequest,
    mut payload: Payload,
) -> ApiResult<FileId> {
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
    let mut taken: Option<ApiResult<FileId>> = None;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|error| broken(&error))?;
        let answer = match (&taken, field.name()) {
            (None, Some(FIELD)) => take(pitlane, owner, &mut field).await,
            (Some(Err(_)), _) => Err(Problem::internal()),
            (Some(Ok(_)), Some(FIELD)) => Err(fault(FIELD, "repeated", "Send one file at a time.")),
            (None | Some(Ok(_)), name) => Err(Problem {
                code: "unknown_field",
                ..fault(name.unwrap_or(""), "unknown_field", "There is no such field.")
            }),
        };
        while let Some(rest) = field.next().await {
            rest.map_err(|error| broken(&error))?;
        }
        // The first thing that was wrong is told.
        if !matches!(taken, Some(Err(_))) {
            taken = Some(answer);
        }
    }
    taken.unwrap_or_else(|| Err(fault(FIELD, "missing", "Send a file in this field.")))
}

async fn take(pitlane: &Pitlane, owner: UserId, field: &mut Field) -> ApiResult<FileId> {
    let name = field.content_disposition().and_then(|value| value.get_filename()).map(str::to_owned);
    let mut incoming = Incoming::begin(pitlane, owner).await?;
    while let Some(chunk) = field.next().await {
        incoming.push(&chunk.map_err(|error| broken(&error))?).await?;
    }
    Ok(incoming.finish(name).await?.id)
}

fn fault(field: &str, code: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, code, message)])
}

fn broken(error: &MultipartError) -> Problem {
    tracing::debug!(%error, "an upload can't be read");
    Problem::new(StatusCode::BAD_REQUEST, "malformed_multipart", "The form can't be read.")
}
