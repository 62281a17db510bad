//! What a storage that speaks S3 answers, as pure functions.

use std::error::Error;

use intake::FileStorageError;
use object_store::client::HttpError;
use serde::Deserialize;

use crate::https;

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

/// The answer to `GET /BUCKET?uploads`.
///
/// # Errors
/// It is none.
pub(super) fn unfinished(body: &[u8]) -> Result<Unfinished, FileStorageError> {
    let text = String::from_utf8_lossy(body);
    quick_xml::de::from_str(&text)
        .map_err(|error| FileStorageError::Failed(format!("the list of unfinished uploads: {error}")))
}

/// What a failure means for who asked for the bytes under `key`, told without the request: its headers are signed.
pub(super) fn told(key: &str, error: &object_store::Error) -> FileStorageError {
    if let Some(reason) = unanswered(error) {
        return FileStorageError::Away(reason);
    }
    let text = error.to_string();
    if text.contains("Received redirect without LOCATION") {
        return FileStorageError::Failed("the bucket is in another region; check AWS_REGION".to_owned());
    }
    match text.split_once("status code: ").map(|(_, rest)| rest) {
        Some(rest) => answered(key, rest.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0), rest),
        None => FileStorageError::Failed(shortened(&text)),
    }
}

/// What an answer that is no success means. Its body is XML with a code and a sentence, if it is anything.
pub(super) fn answered(key: &str, status: u16, body: &str) -> FileStorageError {
    let (code, message) = (element(body, "Code"), element(body, "Message"));
    let said = match (code, message) {
        (Some(code), Some(message)) => format!("{status} {code}: {}", shortened(message)),
        (Some(code), None) => format!("{status} {code}"),
        (None, _) => status.to_string(),
    };
    match (status, code) {
        (404, None | Some("NoSuchKey")) => FileStorageError::Missing(key.to_owned()),
        (404, Some("NoSuchBucket")) => {
            FileStorageError::Failed(format!("{said}; make the bucket, or check files.url and AWS_REGION"))
        }
        (301 | 307 | 308, _) | (400, Some("AuthorizationHeaderMalformed")) => {
            FileStorageError::Failed(format!("{said}; check AWS_REGION and AWS_ENDPOINT"))
        }
        (401 | 403, _) => FileStorageError::Failed(format!(
            "{said}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what this key may do"
        )),
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
        assert_eq!(unfinished(body).expect("a list"), Unfinished { uploads, is_truncated: false });
        let none =
            b"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>";
        assert_eq!(unfinished(none).expect("a list"), Unfinished { uploads: vec![], is_truncated: true });
        assert!(unfinished(b"<html>").is_err());
    }

    #[test]
    fn an_answer_says_what_to_do() {
        let xml = |code: &str| format!("<Error><Code>{code}</Code><Message>It\nis  so.</Message></Error>");
        let cases = [
            (404, "NoSuchKey", "missing"),
            (404, "NoSuchBucket", "failed 404 NoSuchBucket: It is so.; make the bucket"),
            (
                403,
                "SignatureDoesNotMatch",
                "failed 403 SignatureDoesNotMatch: It is so.; check AWS_ACCESS_KEY_ID",
            ),
            (301, "PermanentRedirect", "failed 301 PermanentRedirect: It is so.; check AWS_REGION"),
            (503, "SlowDown", "away 503 SlowDown: It is so."),
            (507, "XMinioStorageFull", "full"),
            (400, "InvalidRequest", "failed 400 InvalidRequest: It is so."),
        ];
        let shown = |error: &FileStorageError| match error {
            FileStorageError::Full => "full".to_owned(),
            FileStorageError::Away(reason) => format!("away {reason}"),
            FileStorageError::Missing(_) => "missing".to_owned(),
            FileStorageError::Failed(reason) => format!("failed {reason}"),
        };
        for (status, code, expected) in cases {
            let direct = answered("a", status, &xml(code));
            assert!(shown(&direct).starts_with(expected), "{direct:?}");
            let source = format!(
                "Error performing PUT https://x/a in 1ms - Server returned non-2xx status code: {status} X: {}",
                xml(code)
            );
            let through = told("a", &error(source));
            assert!(shown(&through).starts_with(expected), "{through:?}");
        }
        assert!(matches!(answered("a", 404, ""), FileStorageError::Missing(_)));
    }

    #[test]
    fn no_answer_is_a_storage_that_is_away() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let away = told("a", &error(HttpError::new(HttpErrorKind::Connect, refused)));
        assert!(
            matches!(&away, FileStorageError::Away(reason) if reason.contains("connection refused")),
            "{away:?}"
        );
    }
}
