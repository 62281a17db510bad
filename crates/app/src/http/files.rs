//! Uploaded files: sent before there is a session, and read through links that expire.
//!
//! What somebody uploads is never a page of ours: it has the type that its bytes say, browsers may not guess another, and
//! a policy of its own forbids it to run or to load anything.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE,
};
use actix_web::web::Bytes;
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use futures_util::stream::{self, Fuse};
use intake::{FileReader, FileStorageError, Upload};
use kernel::id::{FileId, UserId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use store::views::file::StoredFile;

use super::auth::SignedIn;
use super::idempotency::Key;
use super::problem::FieldError;
use super::range::{self, Asked};
use super::{Access, ApiResult, Problem, Router, arrival, extract};
use crate::state::Pitlane;
use crate::usecases;
use crate::usecases::read_file::{self, Link};
use crate::usecases::thumbnail::thumbnail;
use crate::usecases::upload_file::Incoming;

/// The form field that carries the file.
const FIELD: &str = "file";
/// How many times as long as the largest file a body is that is refused without being read.
const FAR_TOO_MUCH: u64 = 8;
/// A file is nobody's page: it runs nothing and loads nothing. A browser shows pictures, videos and sounds under it.
const POLICY: &str =
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox";

/// What `filename*` encodes: all but the `attr-char` of RFC 5987.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/files", Access::SignedIn, upload);
    router.get("/api/files/{id}", Access::SignedIn, link);
    router.get("/files/{id}", Access::Signed, download);
}

/// A file as its sender sees it.
#[derive(Serialize)]
struct UploadedBody {
    file_id: FileId,
    name: String,
    content_type: &'static str,
    size_bytes: u64,
    width: Option<u32>,
    height: Option<u32>,
}

impl From<Upload> for UploadedBody {
    fn from(upload: Upload) -> Self {
        Self {
            file_id: upload.id,
            name: upload.name,
            content_type: upload.content_type.as_str(),
            size_bytes: upload.size_bytes,
            width: upload.picture.map(|size| size.width),
            height: upload.picture.map(|size| size.height),
        }
    }
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
        let (upload, _) = incoming.finish(name, None).await?;
        Ok(HttpResponse::Created().json(UploadedBody::from(upload)))
    })
    .await
}

/// Reads a body that is refused to its end, so that the client gets an answer instead of a reset connection.
pub(super) async fn drain(mut payload: Payload) {
    while payload.next().await.is_some_and(|chunk| chunk.is_ok()) {}
}

/// Takes the one file of a form. Whatever is refused, the body is read to its end, unless it is much too long or takes too
/// long.
///
/// # Errors
/// What is wrong with the form or its file.
pub(super) async fn receive(
    pitlane: &Pitlane,
    owner: UserId,
    request: &HttpRequest,
    payload: Payload,
) -> ApiResult<Received> {
    let multipart = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with("multipart/form-data"));
    if !multipart {
        drain(payload).await;
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send a form with one file, with Content-Type: multipart/form-data.",
        ));
    }
    // A little too much is read to its end, so that a browser shows the answer; far too much is not even begun.
    let max_bytes = pitlane.settings.files.max_file_bytes;
    if extract::declared(request).is_some_and(|length| length / FAR_TOO_MUCH > max_bytes) {
        return Err(usecases::Error::from(intake::Error::FileTooLarge { max_bytes }).into());
    }
    arrival::carries_file(request);
    let mut form = Multipart::new(request.headers(), payload);
    let mut taken: Option<ApiResult<Received>> = None;
    while let Some(field) = form.next().await {
        let field = match field {
            Ok(field) => field,
            Err(error) => return Err(first_wrong(taken, &error)),
        };
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
        if let Some(Err(_)) = &taken {
            arrival::is_refused(request);
        }
        while let Some(rest) = field.next().await {
            let Err(error) = rest else { continue };
            return Err(first_wrong(taken, &error));
        }
    }
    taken.unwrap_or_else(|| Err(fault(FIELD, "missing", "Send a file in this field.")))
}

fn file_name(field: &Field) -> Option<String> {
    field.content_disposition().and_then(|value| value.get_filename()).map(decoded)
}

// Browsers encode these three in a form's names and nothing else, not even the percent sign:
// https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
fn decoded(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// All bytes of a file, kept only once the whole form is known to be good.
pub(super) struct Received {
    /// The file.
    pub(super) incoming: Incoming,
    /// Its name as sent, if it had one.
    pub(super) name: Option<String>,
}

async fn take(
    pitlane: &Pitlane,
    owner: UserId,
    name: Option<String>,
    field: &mut Fuse<Field>,
) -> ApiResult<Received> {
    let mut incoming = Incoming::begin(pitlane, owner);
    while let Some(chunk) = field.next().await {
        incoming.push(&chunk.map_err(|error| broken(&error))?).await?;
    }
    incoming.complete().await?;
    Ok(Received { incoming, name })
}

/// How large a picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Size {
    Thumb,
}

#[derive(Deserialize)]
struct SizeQuery {
    size: Option<Size>,
}

async fn link(
    person: SignedIn,
    id: Path<FileId>,
    query: Query<SizeQuery>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let id = id.into_inner();
    let link = read_file::link(&pitlane, person.id(), person.user().role(), id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let size = if query.size.is_some() { "&size=thumb" } else { "" };
    let target = format!("/files/{id}?expires={}&signature={}{size}", link.expires, link.signature);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, target)).finish())
}

#[derive(Deserialize)]
struct LinkQuery {
    expires: i64,
    signature: String,
    size: Option<Size>,
}

async fn download(
    request: HttpRequest,
    id: Path<FileId>,
    query: Query<LinkQuery>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (id, LinkQuery { expires, signature, size }) = (*id, query.into_inner());
    let found = read_file::open(&pitlane, id, &Link { expires, signature }).await?;
    let file = found.ok_or_else(Problem::not_found)?;
    match size {
        Some(Size::Thumb) => small(&request, &pitlane, id, file).await,
        None => whole(&request, &pitlane, file).await,
    }
}

async fn small(
    request: &HttpRequest,
    pitlane: &Pitlane,
    id: FileId,
    file: StoredFile,
) -> ApiResult<HttpResponse> {
    let tag = format!("\"{}-small\"", hex::encode(&file.sha256));
    if has(request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    let made = thumbnail(pitlane, id, &file).await?.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no_thumbnail", "There is no small picture of this file.")
    })?;
    let file = StoredFile { content_type: "image/jpeg".to_owned(), ..file };
    Ok(answer(StatusCode::OK, file, tag).body(made))
}

async fn whole(request: &HttpRequest, pitlane: &Pitlane, file: StoredFile) -> ApiResult<HttpResponse> {
    let tag = format!("\"{}\"", hex::encode(&file.sha256));
    if has(request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    let size = file.size_bytes;
    let is_same = header(request, &IF_RANGE).is_none_or(|known| known == tag);
    let asked =
        header(request, &RANGE).filter(|_| is_same).map_or(Asked::Whole, |text| range::read(text, size));
    let (status, range) = match asked {
        Asked::Whole => (StatusCode::OK, 0..size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => {
            let beyond = HttpResponse::RangeNotSatisfiable()
                .insert_header((CONTENT_TYPE, "text/plain"))
                .insert_header((CONTENT_RANGE, format!("bytes */{size}")))
                .body("There are no such bytes.");
            return Ok(beyond);
        }
    };
    let reader = read_file::bytes(pitlane, &file.storage_key, range.clone()).await?;
    let mut answer = answer(status, file, tag);
    if status == StatusCode::PARTIAL_CONTENT {
        answer.insert_header((CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1)));
    }
    Ok(answer.body(SizedStream::new(range.end - range.start, pieces(reader))))
}

/// The bytes of a reader as a body. A storage that fails midway breaks the connection off: the length was promised.
fn pieces(reader: Box<dyn FileReader>) -> impl futures_util::Stream<Item = Result<Bytes, FileStorageError>> {
    stream::try_unfold(reader, |mut reader| async move {
        let next = reader.next().await.inspect_err(|error| {
            tracing::error!(%error, "a file broke off on its way out");
        });
        Ok(next?.map(|bytes| (Bytes::from(bytes), reader)))
    })
}

fn header<'r>(request: &'r HttpRequest, name: &HeaderName) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

/// Whether the client has the bytes with this tag already.
fn has(request: &HttpRequest, tag: &str) -> bool {
    header(request, &IF_NONE_MATCH)
        .is_some_and(|known| known.split(',').any(|one| matches!(one.trim(), "*") || one.trim() == tag))
}

fn answer(status: StatusCode, file: StoredFile, tag: String) -> actix_web::HttpResponseBuilder {
    let media = ["image/", "video/", "audio/"].iter().any(|kind| file.content_type.starts_with(kind));
    // A document may hold script of its own kind, so it is opened by a program that was chosen for it.
    let disposition = disposition(if media { "inline" } else { "attachment" }, &file.name);
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((CONTENT_TYPE, file.content_type))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "private, max-age=300"))
        .insert_header((ETAG, tag))
        .insert_header((ACCEPT_RANGES, "bytes"))
        // Packed on the way, the bytes of a range would be others.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((CONTENT_DISPOSITION, disposition));
    answer
}

/// `Content-Disposition` with the name to save a file under, as RFC 6266 has it: first for clients that read ASCII alone,
/// then as it is.
fn disposition(kind: &str, name: &str) -> String {
    // Some of those clients take a backslash for a letter and decode what looks encoded (its appendix D).
    let is_safe = |c: char| (c == ' ' || c.is_ascii_graphic()) && !matches!(c, '"' | '\\' | '%');
    let plain: String = name.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    let exact = utf8_percent_encode(name, ENCODED);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

fn fault(field: &str, code: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, code, message)])
}

/// What is told of a form that broke off. One that took too long was read on for the client's sake alone when something
/// was wrong before: that is told.
fn first_wrong(taken: Option<ApiResult<Received>>, error: &MultipartError) -> Problem {
    match taken {
        Some(Err(wrong)) if is_late(error) => wrong,
        Some(_) | None => broken(error),
    }
}

fn is_late(error: &MultipartError) -> bool {
    matches!(error, MultipartError::Payload(error) if arrival::is_late(error))
}

fn broken(error: &MultipartError) -> Problem {
    if is_late(error) {
        return usecases::Error::from(intake::Error::UploadTooSlow).into();
    }
    tracing::debug!(%error, "an upload can't be read");
    Problem::new(StatusCode::BAD_REQUEST, "malformed_multipart", "The form can't be read.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_its_real_name() {
        for (name, expected) in [
            ("dash.png", "filename=\"dash.png\"; filename*=UTF-8''dash.png"),
            ("front left.png", "filename=\"front left.png\"; filename*=UTF-8''front%20left.png"),
            ("17\" wheel.png", "filename=\"17_ wheel.png\"; filename*=UTF-8''17%22%20wheel.png"),
            (
                "Rad für 5 €.png",
                "filename=\"Rad f_r 5 _.png\"; filename*=UTF-8''Rad%20f%C3%BCr%205%20%E2%82%AC.png",
            ),
            ("100%22.png", "filename=\"100_22.png\"; filename*=UTF-8''100%2522.png"),
            ("a\\b;c='d'*.png", "filename=\"a_b;c='d'*.png\"; filename*=UTF-8''a%5Cb%3Bc%3D%27d%27%2A.png"),
        ] {
            assert_eq!(disposition("inline", name), format!("inline; {expected}"));
        }
    }

    #[test]
    fn a_name_is_read_as_browsers_write_it_in_a_form() {
        for (sent, name) in [
            ("17%22 wheel.png", "17\" wheel.png"),
            ("a%0D%0Ab.png", "a\r\nb.png"),
            ("..%2F100%25.png", "..%2F100%25.png"),
        ] {
            assert_eq!(decoded(sent), name);
        }
    }
}
