//! Azure's Blob Storage.
//!
//! A large blob is made of blocks, which lie beside it until a list says that they are it. There is no name for the
//! upload as a whole and no call that ends one: blocks that no list has named are dropped a week later, or by the next
//! list that does not name them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use hyper::{Request, Uri};
use intake::FileStorageError;
use object_store::azure::{AzureAuthorizer, AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::HttpRequestBody;
use object_store::multipart::MultipartStore;
use object_store::path::Path;

use super::bucket::{Opened, Uploads, retry};
use super::http::Http;
use super::wire::{self, Unfinished, UnfinishedUpload, told};
use super::{Api, OpenError, Settings};

struct Azure {
    store: MicrosoftAzure,
    http: Http,
    account: String,
    // The container's own, without a slash at the end.
    address: String,
}

/// The container of that name.
///
/// # Errors
/// [`OpenError::Key`].
pub(super) fn open(settings: &Settings, container: &str) -> Result<Opened, OpenError> {
    let refused = |key: &'static str, reason: &str| OpenError::Key { key, reason: reason.to_owned() };
    let (account, http) = (&settings.account_name, Http::new());
    if account.is_empty() {
        return Err(refused("files.account_name", "write the name of the storage account"));
    }
    let service = service(account, &settings.endpoint);
    let builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(container)
        .with_endpoint(service.clone())
        // Whether it may be so was decided with the configuration.
        .with_allow_http(true)
        .with_http_connector(http.clone())
        .with_retry(retry());
    // Without either the crate would ask the machine that it runs on.
    let (key, builder, right) = if !settings.account_key.is_empty() {
        let builder = builder.with_access_key(&settings.account_key);
        ("files.account_key", builder, "this is not the key of a storage account, which is base64")
    } else if !settings.sas_token.is_empty() {
        let builder = builder.with_config(AzureConfigKey::SasKey, &settings.sas_token);
        ("files.sas_token", builder, "this is not a shared access signature, such as sv=…&sp=rcwdl&sig=…")
    } else {
        return Err(refused("files.account_key", "write a key of the account, or files.sas_token"));
    };
    let store = builder.build().map_err(|_| refused(key, right))?;
    let address = format!("{service}/{container}");
    let uploads = Azure { store: store.clone(), http, account: account.clone(), address };
    Ok(Opened { store: Arc::new(store), uploads: Box::new(uploads) })
}

/// Where an account's blobs are, without a slash at the end. Each account has a name of its own in the net; an emulator
/// has one for all, and takes the account in the path.
fn service(account: &str, endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.is_empty() {
        return format!("https://{account}.blob.core.windows.net");
    }
    let uri: Option<Uri> = endpoint.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let is_emulator = !host.contains('.') || host.parse::<Ipv4Addr>().is_ok();
    if is_emulator { format!("{endpoint}/{account}") } else { endpoint.to_owned() }
}

#[async_trait]
impl Uploads for Azure {
    async fn unfinished(&self, path: &Path) -> Result<Unfinished, FileStorageError> {
        let url = format!("{}/{path}?comp=blocklist&blocklisttype=uncommitted", self.address);
        let mut request = Request::get(url)
            .body(HttpRequestBody::empty())
            .map_err(|error| FileStorageError::Failed(error.to_string()))?;
        let failed = |error: object_store::Error| told(Api::Azure, "", &error);
        let credential = self.store.credentials().get_credential().await.map_err(failed)?;
        AzureAuthorizer::new(&credential, &self.account).try_authorize(&mut request).map_err(failed)?;
        let (status, body) = self.http.ask(request).await?;
        wire::uncommitted(path, status, &body)
    }

    // An empty list names no block. What it makes is an empty blob, which is deleted next.
    async fn end(&self, path: &Path, upload: &UnfinishedUpload) -> object_store::Result<()> {
        self.store.complete_multipart(path, &upload.upload_id, Vec::new()).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_has_one_name_for_all_accounts() {
        for (endpoint, expected) in [
            ("", "https://pitlane.blob.core.windows.net"),
            ("https://pitlane.blob.core.chinacloudapi.cn/", "https://pitlane.blob.core.chinacloudapi.cn"),
            ("https://blobs.example.com", "https://blobs.example.com"),
            ("http://127.0.0.1:10000", "http://127.0.0.1:10000/pitlane"),
            ("http://[::1]:10000", "http://[::1]:10000/pitlane"),
            ("http://azurite:10000", "http://azurite:10000/pitlane"),
            ("http://localhost:10000", "http://localhost:10000/pitlane"),
        ] {
            assert_eq!(service("pitlane", endpoint), expected, "{endpoint}");
        }
    }
}
