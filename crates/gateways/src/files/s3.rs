//! Amazon's S3, and whatever else speaks it.

use std::sync::Arc;

use async_trait::async_trait;
use hyper::Request;
use intake::FileStorageError;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer};
use object_store::client::HttpRequestBody;
use object_store::multipart::MultipartStore;
use object_store::path::Path;

use super::bucket::{Opened, Uploads, retry};
use super::http::Http;
use super::wire::{self, Unfinished, UnfinishedUpload, told};
use super::{Api, OpenError, Settings};

struct S3 {
    store: AmazonS3,
    http: Http,
    // The bucket's own, without a slash at the end.
    address: String,
    region: String,
}

/// The bucket of that name.
///
/// # Errors
/// [`OpenError::Unusable`].
pub(super) fn open(settings: &Settings, bucket: &str) -> Result<Opened, OpenError> {
    let region = if settings.region.is_empty() { "us-east-1" } else { &settings.region };
    let endpoint = match settings.endpoint.as_str() {
        "" => format!("https://s3.{region}.amazonaws.com"),
        endpoint => endpoint.trim_end_matches('/').to_owned(),
    };
    let http = Http::new();
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(region)
        .with_endpoint(&endpoint)
        .with_access_key_id(&settings.access_key_id)
        .with_secret_access_key(&settings.secret_access_key)
        // Whether it may be so was decided with the configuration.
        .with_allow_http(true)
        // Not every storage deletes many at once, and here is one at a time.
        .with_disable_bulk_delete(true)
        .with_http_connector(http.clone())
        .with_retry(retry());
    if !settings.session_token.is_empty() {
        builder = builder.with_token(&settings.session_token);
    }
    let store = builder.build().map_err(|error| OpenError::Unusable {
        url: settings.url.clone(),
        reason: told(Api::S3, "", &error),
    })?;
    let address = format!("{endpoint}/{bucket}");
    let uploads = S3 { store: store.clone(), http, address, region: region.to_owned() };
    Ok(Opened { store: Arc::new(store), uploads: Box::new(uploads) })
}

#[async_trait]
impl Uploads for S3 {
    async fn unfinished(&self, path: &Path) -> Result<Unfinished, FileStorageError> {
        let mut request = Request::get(wire::uploads_url(&self.address, path))
            .body(HttpRequestBody::empty())
            .map_err(|error| FileStorageError::Failed(error.to_string()))?;
        let failed = |error: object_store::Error| told(Api::S3, "", &error);
        let credential = self.store.credentials().get_credential().await.map_err(failed)?;
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .try_authorize(&mut request, None)
            .map_err(failed)?;
        let (status, body) = self.http.ask(request).await?;
        wire::unfinished(Api::S3, status, &body)
    }

    async fn end(&self, path: &Path, upload: &UnfinishedUpload) -> object_store::Result<()> {
        self.store.abort_multipart(path, &upload.upload_id).await
    }
}
