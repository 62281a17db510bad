//! Where uploads lie: a folder, or a bucket of Google's, of Azure's or of whatever speaks S3.
//!
//! | module | holds |
//! |---|---|
//! | `folder` | the folder |
//! | `place` | the address of a bucket |
//! | `bucket` | the bucket, over the `object_store` crate: what all of them have in common |
//! | `s3`, `google`, `azure` | what they have not: where they are, their keys, and uploads that came to no end |
//! | `http` | how the bucket's requests go out |
//! | `wire` | what a storage answers, read without a network |

mod azure;
mod bucket;
mod folder;
mod google;
mod http;
mod place;
mod s3;
mod wire;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use intake::{FileStorage, FileStorageError};

pub use bucket::Bucket;
pub use folder::FileFolder;
pub use place::{Api, Place, bucket_of};

/// How long a storage may take to prove that it works.
const PROBE_PATIENCE: Duration = Duration::from_secs(20);

/// Where uploads lie, and what opens it. Whatever is not `url` is for buckets alone.
#[derive(Clone, Default)]
pub struct Settings {
    /// `file://FOLDER`, or `s3://BUCKET`, `gs://BUCKET` or `az://CONTAINER`, with `/PREFIX` behind where it is shared.
    pub url: String,
    /// The origin of the storage's API, without a slash at the end; when empty that of Amazon in `region`, of Google, or
    /// of the account at Azure.
    pub endpoint: String,
    /// S3: the bucket's region; `us-east-1` when empty, which storages elsewhere take.
    pub region: String,
    /// S3: the name of the key.
    pub access_key_id: String,
    /// S3: the key.
    pub secret_access_key: String,
    /// S3: what a key of limited life needs besides; empty for one that lasts.
    pub session_token: String,
    /// Google: the file that holds the key of a service account. One of the three is needed.
    pub service_account: String,
    /// Google: the text of that file.
    pub service_account_key: String,
    /// Google: a file that holds such a key, or the credentials of a person, as `gcloud` writes them.
    pub application_credentials: String,
    /// Azure: the storage account.
    pub account_name: String,
    /// Azure: a key of the account. This or the next is needed.
    pub account_key: String,
    /// Azure: a shared access signature, as the portal writes it.
    pub sas_token: String,
}

/// Why uploads can't be kept at the configured place.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a place that this version knows.
    #[error(
        "files.url: {0:?} can't be used; write file://FOLDER, s3://BUCKET, gs://BUCKET or az://CONTAINER"
    )]
    Unknown(String),
    /// What should open it is no key.
    #[error("{key}: {reason}")]
    Key {
        /// The key of the configuration.
        key: &'static str,
        /// What is wrong with it; nothing of what it holds.
        reason: String,
    },
    /// The folder can't be made or used.
    #[error("files.url: the folder {folder} can't be used: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        reason: String,
    },
    /// There is a place, and it does not do what it has to.
    #[error("files.url: {url} can't be used: {reason}")]
    Unusable {
        /// The place.
        url: String,
        /// What it says, or what was wrong with it.
        reason: FileStorageError,
    },
}

/// The storage of these settings; a folder is made when it is not there. Nothing is asked of a bucket yet. Blocks.
///
/// # Errors
/// [`OpenError`], with what would be right.
pub fn open(settings: &Settings) -> Result<Arc<dyn FileStorage>, OpenError> {
    match settings.url.strip_prefix("file://") {
        Some(folder) if !folder.is_empty() => Ok(Arc::new(FileFolder::open(Path::new(folder))?)),
        Some(_) => Err(OpenError::Unknown(settings.url.clone())),
        None => Ok(Arc::new(Bucket::open(settings)?)),
    }
}

/// Stores, reads and deletes a few bytes under a key of their own, so that whatever would keep an upload from its end
/// shows now.
///
/// # Errors
/// What would.
pub async fn probe(storage: &dyn FileStorage) -> Result<(), FileStorageError> {
    // Other nodes may do the same at the same time, and one that breaks off leaves no more than this behind.
    static KEY: LazyLock<String> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("probe-{}-{}", std::process::id(), since.as_nanos())
    });
    let proven = tokio::time::timeout(PROBE_PATIENCE, prove(storage, &KEY)).await;
    proven.unwrap_or_else(|_| {
        Err(FileStorageError::Away(format!("no answer within {} seconds", PROBE_PATIENCE.as_secs())))
    })
}

async fn prove(storage: &dyn FileStorage, key: &str) -> Result<(), FileStorageError> {
    let mut writer = storage.create(key).await?;
    writer.write(key.as_bytes()).await?;
    writer.finish().await?;
    let (mut reader, mut read) = (storage.open(key, 0..u64::MAX).await?, Vec::new());
    while let Some(piece) = reader.next().await? {
        read.extend(piece);
    }
    storage.delete(key).await?;
    if read != key.as_bytes() {
        return Err(FileStorageError::Failed("what was read is not what was written".to_owned()));
    }
    // A small picture that was never made must be known by its absence.
    match storage.open(key, 0..u64::MAX).await.map(drop) {
        Err(FileStorageError::Missing(_)) => Ok(()),
        Err(FileStorageError::Failed(reason)) => Err(FileStorageError::Failed(format!(
            "it does not say that something is not there, for which a key must be allowed to list what is (at Amazon \
             s3:ListBucket): {reason}"
        ))),
        Err(other) => Err(other),
        Ok(()) => Err(FileStorageError::Failed("what was deleted can still be read".to_owned())),
    }
}

/// Keys are made by this program. Nothing else is one, so that no key leads out of its place.
pub fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_place_is_refused() {
        for url in
            ["data/files", "file://", "", "ftp://bucket", "s3://", "s3:///prefix", "gs://no", "az://a b c"]
        {
            let settings = Settings { url: url.to_owned(), ..Settings::default() };
            assert!(matches!(open(&settings), Err(OpenError::Unknown(_))), "{url}");
        }
    }

    // The key that is missing or wrong, and none of what it holds.
    fn refused(change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::default();
        change(&mut settings);
        match open(&settings) {
            Err(error @ OpenError::Key { .. }) => {
                let told = error.to_string();
                assert!(!told.contains("hush"), "{told}");
                told
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it opens"),
        }
    }

    #[test]
    fn what_should_open_a_bucket_and_is_no_key_is_named() {
        let google = |change: fn(&mut Settings)| {
            refused(|settings| {
                settings.url = "gs://uploads".to_owned();
                change(settings);
            })
        };
        assert!(google(|_| ()).starts_with("files.service_account: "));
        let missing = google(|settings| settings.service_account = "/nowhere/key.json".to_owned());
        assert!(missing.starts_with("files.service_account: /nowhere/key.json can't be read: "), "{missing}");
        let missing = google(|settings| settings.application_credentials = "/nowhere/adc.json".to_owned());
        assert!(missing.starts_with("files.application_credentials: /nowhere/adc.json"), "{missing}");
        for wrong in
            ["hush", r#""hush""#, r#"{"private_key":"hush","private_key_id":"1","client_email":"a@b"}"#]
        {
            let told = refused(|settings| {
                settings.url = "gs://uploads".to_owned();
                settings.service_account_key = wrong.to_owned();
            });
            assert!(told.starts_with("files.service_account_key: this is not the key of a service account"));
        }
        let azure = |change: fn(&mut Settings)| {
            refused(|settings| {
                settings.url = "az://uploads".to_owned();
                settings.account_name = "pitlane".to_owned();
                change(settings);
            })
        };
        assert!(azure(|_| ()).starts_with("files.account_key: "));
        assert!(azure(|settings| settings.account_name.clear()).starts_with("files.account_name: "));
        assert!(
            azure(|settings| settings.account_key = "hush, hush".to_owned()).contains("files.account_key: ")
        );
        assert!(azure(|settings| settings.sas_token = "hush".to_owned()).starts_with("files.sas_token: "));
    }

    #[test]
    fn nothing_is_asked_of_a_bucket_that_is_only_opened() {
        let azure = Settings {
            url: "az://uploads/here".to_owned(),
            account_name: "pitlane".to_owned(),
            sas_token: "?sv=2023-11-03&sp=rwdl&sig=a%2Bb%3D".to_owned(),
            ..Settings::default()
        };
        assert!(open(&azure).is_ok());
        let key = Settings { account_key: "aHVzaA==".to_owned(), sas_token: String::new(), ..azure };
        assert!(open(&key).is_ok());
        // As emulators take it.
        let none = r#"{"disable_oauth":true,"private_key":"","private_key_id":"","client_email":""}"#;
        let google = Settings {
            url: "gs://uploads".to_owned(),
            service_account_key: none.to_owned(),
            ..Settings::default()
        };
        assert!(open(&google).is_ok());
    }
}
