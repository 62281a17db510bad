//! Google Cloud Storage, by its XML API, which is almost that of S3.

use std::sync::Arc;
use std::{fs, io};

use async_trait::async_trait;
use hyper::Request;
use hyper::header::AUTHORIZATION;
use intake::FileStorageError;
use object_store::client::HttpRequestBody;
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::multipart::MultipartStore;
use object_store::path::Path;

use super::bucket::{Opened, Uploads, retry};
use super::http::Http;
use super::wire::{self, Unfinished, UnfinishedUpload, told};
use super::{Api, OpenError, Settings};

const ENDPOINT: &str = "https://storage.googleapis.com";

struct Google {
    store: GoogleCloudStorage,
    http: Http,
    // The bucket's own, without a slash at the end.
    address: String,
}

/// The bucket of that name. Reads the files that hold keys.
///
/// # Errors
/// [`OpenError::Key`].
pub(super) fn open(settings: &Settings, bucket: &str) -> Result<Opened, OpenError> {
    let endpoint = match settings.endpoint.trim_end_matches('/') {
        "" => ENDPOINT,
        endpoint => endpoint,
    };
    let http = Http::new();
    let builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        // Said in any case, because a key may name another.
        .with_base_url(endpoint)
        .with_http_connector(http.clone())
        .with_retry(retry());
    let (key, builder, right) = with_key(settings, builder)?;
    // The crate's words may hold a piece of what it could not read.
    let store =
        builder.build().map_err(|_| OpenError::Key { key, reason: format!("this is not {right}") })?;
    let uploads = Google { store: store.clone(), http, address: format!("{endpoint}/{bucket}") };
    Ok(Opened { store: Arc::new(store), uploads: Box::new(uploads) })
}

const ACCOUNT: &str = "the key of a service account, in JSON as Google gives it";
const PERSON: &str =
    "the key of a service account or the credentials of a person, in JSON as gcloud writes them";

/// The builder with the first key that there is, the setting that it comes from, and what it should be. Without one the
/// crate would ask the machine that it runs on.
fn with_key(
    settings: &Settings,
    builder: GoogleCloudStorageBuilder,
) -> Result<(&'static str, GoogleCloudStorageBuilder, &'static str), OpenError> {
    let read = |key: &'static str, path: &str| {
        let unread =
            |error: io::Error| OpenError::Key { key, reason: format!("{path} can't be read: {error}") };
        fs::read_to_string(path).map_err(unread)
    };
    if !settings.service_account_key.is_empty() {
        let builder = builder.with_service_account_key(&settings.service_account_key);
        return Ok(("files.service_account_key", builder, ACCOUNT));
    }
    if !settings.service_account.is_empty() {
        let key = "files.service_account";
        let text = read(key, &settings.service_account)?;
        return Ok((key, builder.with_service_account_key(text), ACCOUNT));
    }
    if !settings.application_credentials.is_empty() {
        let key = "files.application_credentials";
        read(key, &settings.application_credentials)?;
        let builder = builder.with_application_credentials(&settings.application_credentials);
        return Ok((key, builder, PERSON));
    }
    let reason = "write the file that holds the key of a service account".to_owned();
    Err(OpenError::Key { key: "files.service_account", reason })
}

#[async_trait]
impl Uploads for Google {
    async fn unfinished(&self, path: &Path) -> Result<Unfinished, FileStorageError> {
        let credential = self.store.credentials().get_credential().await;
        let credential = credential.map_err(|error| told(Api::Google, "", &error))?;
        let request = Request::get(wire::uploads_url(&self.address, path))
            .header(AUTHORIZATION, format!("Bearer {}", credential.bearer))
            .body(HttpRequestBody::empty())
            .map_err(|error| FileStorageError::Failed(error.to_string()))?;
        let (status, body) = self.http.ask(request).await?;
        wire::unfinished(Api::Google, status, &body)
    }

    async fn end(&self, path: &Path, upload: &UnfinishedUpload) -> object_store::Result<()> {
        self.store.abort_multipart(path, &upload.upload_id).await
    }
}
