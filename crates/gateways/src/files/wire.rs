//! What a storage answers, as pure functions.

use std::error::Error;

use intake::FileStorageError;
use object_store::client::HttpError;
use object_store::path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::place::Api;
use crate::https;

/// What S3 leaves alone in a query that is signed; a query written in another way has another signature.
const SIGNED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the bucket at `address` tells of uploads below a path that have come to no end. S3 and Google know the same
/// question (<https://cloud.google.com/storage/docs/xml-api/get-bucket-uploads>).
pub(super) fn uploads_url(address: &str, path: &Path) -> String {
    format!("{address}?prefix={}&uploads=", utf8_percent_encode(path.as_ref(), SIGNED))
}

/// Uploads in parts that have come to no end.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Unfinished {
    #[serde(default, rename = "Upload")]
    pub(super) uploads: Vec<UnfinishedUpload>,
    /// Whether there are more.
    #[serde(default)]
    pub(super) is_truncated: bool,
}

/// One of them.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UnfinishedUpload {
    pub(super) key: String,
    pub(super) upload_id: String,
}

/// The answer to [`uploads_url`].
///
/// # Errors
/// It is none.
pub(super) fn unfinished(api: Api, status: u16, body: &[u8]) -> Result<Unfinished, FileStorageError> {
    let text = String::from_utf8_lossy(body);
    if !(200..300).contains(&status) {
        return Err(answered(api, "", status, &text));
    }
    quick_xml::de::from_str(&text)
        .map_err(|error| FileStorageError::Failed(format!("the list of unfinished uploads: {error}")))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BlockList {
    uncommitted_blocks: Blocks,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Blocks {
    #[serde(rename = "Block")]
    blocks: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "Name")]
    _name: String,
}

/// The answer to `GET /CONTAINER/BLOB?comp=blocklist&blocklisttype=uncommitted`: the upload under `path` that has come to
/// no end, if its blocks belong to no blob yet.
///
/// # Errors
/// It is none.
pub(super) fn uncommitted(path: &Path, status: u16, body: &[u8]) -> Result<Unfinished, FileStorageError> {
    let text = String::from_utf8_lossy(body);
    if !(200..300).contains(&status) {
        let failure = answered(Api::Azure, path.as_ref(), status, &text);
        let is_none = matches!(failure, FileStorageError::Missing(_));
        return if is_none { Ok(Unfinished::default()) } else { Err(failure) };
    }
    let list: BlockList = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| FileStorageError::Failed(format!("the list of uncommitted blocks: {error}")))?;
    if list.uncommitted_blocks.blocks.is_empty() {
        return Ok(Unfinished::default());
    }
    let upload = UnfinishedUpload { key: path.to_string(), upload_id: String::new() };
    Ok(Unfinished { uploads: vec![upload], is_truncated: false })
}

/// What to look at when a storage says no.
struct Advice {
    bucket: &'static str,
    address: &'static str,
    key: &'static str,
}

const fn advice(api: Api) -> Advice {
    match api {
        Api::S3 => Advice {
            bucket: "make the bucket, or check files.url and AWS_REGION",
            address: "check AWS_REGION and AWS_ENDPOINT",
            key: "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what this key may do",
        },
        Api::Google => Advice {
            bucket: "make the bucket, or check files.url",
            address: "check files.url and files.endpoint",
            key: "check GOOGLE_SERVICE_ACCOUNT, or what stands in its place, and what this account may do",
        },
        Api::Azure => Advice {
            bucket: "make the container, or check files.url and AZURE_STORAGE_ACCOUNT_NAME",
            address: "check AZURE_STORAGE_ACCOUNT_NAME and files.endpoint",
            key: "check AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, and what \
                  this may do",
        },
    }
}

/// What a failure means for who asked for the bytes under `key`, told without the request: its headers are signed.
pub(super) fn told(api: Api, key: &str, error: &object_store::Error) -> FileStorageError {
    if let Some(reason) = unanswered(error) {
        return FileStorageError::Away(reason);
    }
    let text = error.to_string();
    if text.contains("Received redirect without LOCATION") {
        return FileStorageError::Failed(format!("the bucket is in another region; {}", advice(api).address));
    }
    // The second is how Azure's answer to one of many is told, of which there is always one here.
    match ["status code: ", "(code: "].into_iter().find_map(|before| text.split_once(before)) {
        Some((_, rest)) => {
            answered(api, key, rest.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0), rest)
        }
        None => FileStorageError::Failed(shortened(&text)),
    }
}

/// What an answer that is no success means. Its body is XML with a code and a sentence, if it is anything; Google adds
/// who was not allowed what.
pub(super) fn answered(api: Api, key: &str, status: u16, body: &str) -> FileStorageError {
    let code = element(body, "Code");
    let words: Vec<&str> =
        ["Message", "Details"].into_iter().filter_map(|name| element(body, name)).collect();
    let said = match code {
        Some(code) if words.is_empty() => format!("{status} {code}"),
        Some(code) => format!("{status} {code}: {}", shortened(&words.join(" "))),
        None => status.to_string(),
    };
    let failed = |look: &str| FileStorageError::Failed(format!("{said}; {look}"));
    match (status, code) {
        (404, None | Some("NoSuchKey" | "BlobNotFound")) => FileStorageError::Missing(key.to_owned()),
        (404, Some("NoSuchBucket" | "ContainerNotFound" | "ResourceNotFound")) => failed(advice(api).bucket),
        (301 | 307 | 308, _) | (400, Some("AuthorizationHeaderMalformed")) => failed(advice(api).address),
        (401 | 403, _) => failed(advice(api).key),
        (507, _) | (_, Some("XMinioStorageFull" | "QuotaExceeded" | "InsufficientCapacity")) => {
            FileStorageError::Full
        }
        (408 | 429 | 500..=599, _) => FileStorageError::Away(said),
        _ => FileStorageError::Failed(said),
    }
}

/// Why there was no answer, if there was none.
fn unanswered(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(http) = inner.downcast_ref::<HttpError>() {
            return Some(chain(http));
        }
        cause = inner.source();
    }
    None
}

/// An error with its causes, on one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    shortened(&https::chain(error))
}

fn element<'b>(body: &'b str, name: &str) -> Option<&'b str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

// On one line, because that is what an operator is told in.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpErrorKind;

    use super::*;

    fn error(source: impl Into<Box<dyn Error + Send + Sync>>) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: source.into() }
    }

    fn shown(error: &FileStorageError) -> String {
        match error {
            FileStorageError::Full => "full".to_owned(),
            FileStorageError::Away(reason) => format!("away {reason}"),
            FileStorageError::Missing(_) => "missing".to_owned(),
            FileStorageError::Failed(reason) => format!("failed {reason}"),
        }
    }

    #[test]
    fn unfinished_uploads_are_read() {
        let body = br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Bucket>pitlane</Bucket><KeyMarker/><MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>
              <Upload><Key>a/1</Key><UploadId>x</UploadId><Initiator><ID>me</ID></Initiator></Upload>
              <Upload><Key>a/1-small</Key><UploadId>y</UploadId></Upload>
            </ListMultipartUploadsResult>"#;
        let upload = |key: &str, id: &str| UnfinishedUpload { key: key.to_owned(), upload_id: id.to_owned() };
        let uploads = vec![upload("a/1", "x"), upload("a/1-small", "y")];
        let list = |body: &[u8]| unfinished(Api::S3, 200, body);
        assert_eq!(list(body).expect("a list"), Unfinished { uploads, is_truncated: false });
        let none =
            b"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>";
        assert_eq!(list(none).expect("a list"), Unfinished { uploads: vec![], is_truncated: true });
        assert!(list(b"<html>").is_err());
        assert!(matches!(unfinished(Api::Google, 503, b""), Err(FileStorageError::Away(_))));
        let url = uploads_url("https://storage.googleapis.com/pitlane", &Path::from("up/a-1"));
        assert_eq!(url, "https://storage.googleapis.com/pitlane?prefix=up%2Fa-1&uploads=");
    }

    #[test]
    fn blocks_that_belong_to_no_blob_are_an_upload_without_an_end() {
        let path = Path::from("a/1");
        let list = |status, body: &str| uncommitted(&path, status, body.as_bytes());
        let blocks = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><UncommittedBlocks>\
                      <Block><Name>YQ==</Name><Size>5242880</Size></Block>\
                      <Block><Name>Yg==</Name><Size>7</Size></Block></UncommittedBlocks></BlockList>";
        let upload = UnfinishedUpload { key: "a/1".to_owned(), upload_id: String::new() };
        let one = Unfinished { uploads: vec![upload], is_truncated: false };
        assert_eq!(list(200, blocks).expect("a list"), one);
        for none in
            ["<BlockList><UncommittedBlocks /></BlockList>", "<BlockList></BlockList>", "<BlockList />"]
        {
            assert_eq!(list(200, none).expect("a list"), Unfinished::default(), "{none}");
        }
        let missing = "<Error><Code>BlobNotFound</Code><Message>The blob does not exist.</Message></Error>";
        assert_eq!(list(404, missing).expect("nothing is there"), Unfinished::default());
        let gone = "<Error><Code>ContainerNotFound</Code><Message>No.</Message></Error>";
        assert!(matches!(list(404, gone), Err(FileStorageError::Failed(_))));
        assert!(list(200, "<html>").is_err());
    }

    #[test]
    fn an_answer_says_what_to_do() {
        let xml = |code: &str| format!("<Error><Code>{code}</Code><Message>It\nis  so.</Message></Error>");
        let cases = [
            (Api::S3, 404, "NoSuchKey", "missing"),
            (Api::S3, 404, "NoSuchBucket", "failed 404 NoSuchBucket: It is so.; make the bucket"),
            (
                Api::S3,
                403,
                "SignatureDoesNotMatch",
                "failed 403 SignatureDoesNotMatch: It is so.; check AWS_ACCESS_KEY_ID",
            ),
            (Api::S3, 301, "PermanentRedirect", "failed 301 PermanentRedirect: It is so.; check AWS_REGION"),
            (Api::S3, 503, "SlowDown", "away 503 SlowDown: It is so."),
            (Api::S3, 507, "XMinioStorageFull", "full"),
            (Api::S3, 400, "InvalidRequest", "failed 400 InvalidRequest: It is so."),
            (Api::Google, 404, "NoSuchKey", "missing"),
            (
                Api::Google,
                403,
                "AccessDenied",
                "failed 403 AccessDenied: It is so.; check GOOGLE_SERVICE_ACCOUNT",
            ),
            (Api::Azure, 404, "BlobNotFound", "missing"),
            (
                Api::Azure,
                404,
                "ContainerNotFound",
                "failed 404 ContainerNotFound: It is so.; make the container",
            ),
            (
                Api::Azure,
                403,
                "AuthenticationFailed",
                "failed 403 AuthenticationFailed: It is so.; check AZURE_STORAGE_ACCOUNT_NAME",
            ),
            (Api::Azure, 503, "ServerBusy", "away 503 ServerBusy: It is so."),
        ];
        for (api, status, code, expected) in cases {
            let direct = answered(api, "a", status, &xml(code));
            assert!(shown(&direct).starts_with(expected), "{direct:?}");
            let source = format!(
                "Error performing PUT https://x/a in 1ms - Server returned non-2xx status code: {status} X: {}",
                xml(code)
            );
            let through = told(api, "a", &error(source));
            assert!(shown(&through).starts_with(expected), "{through:?}");
        }
        assert!(matches!(answered(Api::S3, "a", 404, ""), FileStorageError::Missing(_)));
    }

    #[test]
    fn google_says_who_was_not_allowed_what() {
        let body = "<Error><Code>AccessDenied</Code><Message>Access denied.</Message><Details>me@x does not have \
                    storage.objects.create access.</Details></Error>";
        let told = shown(&answered(Api::Google, "a", 403, body));
        assert!(told.contains("Access denied. me@x does not have storage.objects.create access.;"), "{told}");
    }

    #[test]
    fn one_of_many_that_azure_did_not_delete_is_told_as_one() {
        let missing = object_store::Error::NotFound {
            path: "a".to_owned(),
            source: "Bulk delete request failed for key a: The blob does not exist. (code: 404)".into(),
        };
        assert!(matches!(told(Api::Azure, "a", &missing), FileStorageError::Missing(_)));
        let refused = error("Bulk delete request failed for key a: It is not allowed. (code: 403)");
        let told = shown(&told(Api::Azure, "a", &refused));
        assert!(told.starts_with("failed 403; check AZURE_STORAGE_ACCOUNT_NAME"), "{told}");
    }

    #[test]
    fn no_answer_is_a_storage_that_is_away() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let away = told(Api::S3, "a", &error(HttpError::new(HttpErrorKind::Connect, refused)));
        assert!(
            matches!(&away, FileStorageError::Away(reason) if reason.contains("connection refused")),
            "{away:?}"
        );
    }
}
