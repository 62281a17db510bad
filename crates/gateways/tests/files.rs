//! The contract of the file storage, held by a folder and by buckets alike.
//!
//! `cargo xtask test` starts Moto's S3 and says in `PITLANE_TEST_S3` where it is, and where to look behind it. Google's
//! storage and Azure's are stood in for.

#[path = "files/stand_in.rs"]
mod stand_in;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use gateways::files::{Settings, open, probe};
use intake::{FileStorage, FileStorageError};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use stand_in::{Kind, StandIn};

const MEBIBYTE: usize = 1_024 * 1_024;

/// A storage, and a look at what is really there.
struct Place {
    storage: Arc<dyn FileStorage>,
    behind: Behind,
}

enum Behind {
    Folder(TempDir),
    Bucket(String),
    StandIn(StandIn),
}

fn in_folder() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", folder.path().join("data/files").display());
    let storage = open(&Settings { url, ..Settings::default() }).expect("opens");
    Place { storage, behind: Behind::Folder(folder) }
}

async fn in_bucket(prefix: &str) -> Option<Place> {
    let Ok(told) = std::env::var("PITLANE_TEST_S3") else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "PITLANE_TEST_S3 is not set");
        eprintln!("skipped: no S3; `cargo xtask test` starts one");
        return None;
    };
    let [all, _, look] = told.split(' ').collect::<Vec<_>>().try_into().expect("three addresses");
    let (key, host) = all.trim_start_matches("http://").rsplit_once('@').expect("a user");
    let (name, secret) = key.split_once(':').expect("a secret");
    let bucket = format!("contract-{}", Uuid::now_v7());
    let behind = format!("{look}/{bucket}");
    let made = reqwest::Client::new().post(&behind).send().await.expect("an answer");
    assert!(made.status().is_success(), "{made:?}");
    let settings = Settings {
        url: format!("s3://{bucket}{prefix}"),
        endpoint: format!("http://{host}"),
        access_key_id: name.to_owned(),
        secret_access_key: secret.to_owned(),
        ..Settings::default()
    };
    Some(Place { storage: open(&settings).expect("opens"), behind: Behind::Bucket(behind) })
}

fn at_google(prefix: &str) -> Place {
    let stand_in = StandIn::start(Kind::Google);
    // What emulators take for a key.
    let none = r#"{"disable_oauth":true,"private_key":"","private_key_id":"","client_email":""}"#;
    let settings = Settings {
        url: format!("gs://uploads{prefix}"),
        endpoint: stand_in.url.clone(),
        service_account_key: none.to_owned(),
        ..Settings::default()
    };
    Place { storage: open(&settings).expect("opens"), behind: Behind::StandIn(stand_in) }
}

fn at_azure(prefix: &str) -> Place {
    let stand_in = StandIn::start(Kind::Azure);
    let settings = Settings {
        url: format!("az://uploads{prefix}"),
        endpoint: stand_in.url.clone(),
        account_name: "account".to_owned(),
        account_key: "a2V5".to_owned(),
        ..Settings::default()
    };
    Place { storage: open(&settings).expect("opens"), behind: Behind::StandIn(stand_in) }
}

async fn places() -> Vec<Place> {
    let mut places = vec![in_folder(), at_google("/some/where"), at_azure(""), at_azure("/some/where")];
    places.extend(in_bucket("").await);
    places.extend(in_bucket("/some/where").await);
    places
}

impl Place {
    /// How many things are there, whole or half.
    async fn count(&self) -> usize {
        match &self.behind {
            Behind::Folder(folder) => {
                std::fs::read_dir(folder.path().join("data/files")).expect("a folder").count()
            }
            Behind::Bucket(address) => {
                let told: Value = reqwest::get(address).await.expect("an answer").json().await.expect("JSON");
                let count = |name: &str| told[name].as_array().expect("keys").len();
                count("keys") + count("unfinished")
            }
            Behind::StandIn(stand_in) => stand_in.count(),
        }
    }

    async fn becomes_empty(&self) {
        for _ in 0..200 {
            if self.count().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} things stay", self.count().await);
    }

    async fn keep(&self, key: &str, bytes: &[u8]) {
        let mut writer = self.storage.create(key).await.expect("creates");
        // As they come from a connection, in sizes that fit nothing.
        for piece in bytes.chunks(31_337) {
            writer.write(piece).await.expect("writes");
        }
        writer.finish().await.expect("finishes");
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, FileStorageError> {
        let (mut reader, mut whole) = (self.storage.open(key, range).await?, Vec::new());
        while let Some(piece) = reader.next().await? {
            assert!((1..=131_072).contains(&piece.len()), "{} bytes at a time", piece.len());
            whole.extend(piece);
        }
        Ok(whole)
    }
}

#[tokio::test]
async fn bytes_are_there_once_they_are_finished_and_gone_once_they_are_deleted() {
    for place in places().await {
        let mut writer = place.storage.create("a-1").await.expect("creates");
        writer.write(b"one ").await.expect("writes");
        assert!(
            matches!(place.read("a-1", 0..9).await, Err(FileStorageError::Missing(_))),
            "not before it is finished"
        );
        writer.write(b"two").await.expect("writes");
        writer.finish().await.expect("finishes");
        for (range, bytes) in [
            (0..u64::MAX, "one two"),
            (0..3, "one"),
            (4..7, "two"),
            (5..99, "wo"),
            (3..u64::MAX, " two"),
            (7..9, ""),
            (3..3, ""),
        ] {
            let found = place.read("a-1", range.clone()).await.expect("reads");
            assert_eq!(found, bytes.as_bytes(), "{range:?}");
        }
        place.storage.delete("a-1").await.expect("deletes");
        place.storage.delete("a-1").await.expect("nothing there is fine");
        assert!(matches!(place.read("a-1", 0..9).await, Err(FileStorageError::Missing(_))));
        assert_eq!(place.count().await, 0);
    }
}

#[tokio::test]
async fn what_is_large_empty_or_written_again_is_what_was_written_last() {
    for place in places().await {
        let large: Vec<u8> =
            (0..12 * MEBIBYTE + 77).map(|at| u8::try_from(at / 11 % 253).expect("small")).collect();
        place.keep("a", &large).await;
        assert!(place.read("a", 0..u64::MAX).await.expect("reads") == large);
        let border = 5 * MEBIBYTE;
        let range = u64::try_from(border - 9).expect("small")..u64::try_from(border + 9).expect("small");
        assert_eq!(place.read("a", range).await.expect("reads"), &large[border - 9..border + 9]);
        // Exactly what a part holds, and nothing at all.
        for bytes in [&large[..border], &large[..2 * border], &[]] {
            place.keep("a", bytes).await;
            assert!(place.read("a", 0..u64::MAX).await.expect("reads") == bytes);
            assert_eq!(place.count().await, 1);
        }
    }
}

#[tokio::test]
async fn what_is_given_up_leaves_nothing() {
    for place in places().await {
        for size in [4, 11 * MEBIBYTE] {
            let mut writer = place.storage.create("a").await.expect("creates");
            writer.write(&vec![7; size]).await.expect("writes");
            drop(writer);
            place.becomes_empty().await;
        }
    }
}

#[tokio::test]
async fn deleting_takes_what_a_killed_process_left_half_written() {
    for place in places().await {
        place.keep("a-small", b"another").await;
        let mut writer = place.storage.create("a").await.expect("creates");
        writer.write(&vec![7; 11 * MEBIBYTE]).await.expect("writes");
        // A process that is killed drops nothing.
        std::mem::forget(writer);
        assert_eq!(place.count().await, 2);
        place.storage.delete("a").await.expect("deletes");
        assert_eq!(place.count().await, 1);
        assert_eq!(place.read("a-small", 0..99).await.expect("reads"), b"another");
    }
}

#[tokio::test]
async fn every_key_is_told_and_a_probe_is_none() {
    for place in places().await {
        assert_eq!(place.storage.keys().await.expect("reads"), Vec::<String>::new());
        for key in ["b", "a-small", "a"] {
            place.keep(key, b"x").await;
        }
        probe(&*place.storage).await.expect("works");
        let mut keys = place.storage.keys().await.expect("reads");
        keys.sort();
        assert_eq!(keys, ["a", "a-small", "b"]);
    }
}

#[tokio::test]
async fn a_key_never_leads_out_of_its_place() {
    for place in places().await {
        for key in ["", "..", "../a", "/etc/passwd", "a/b", "a.part", "a\0"] {
            let opened = place.storage.open(key, 0..9).await.map(drop);
            assert!(matches!(opened, Err(FileStorageError::Failed(_))), "{key:?}");
            assert!(place.storage.create(key).await.is_err(), "{key:?}");
            assert!(place.storage.delete(key).await.is_err(), "{key:?}");
        }
    }
}
