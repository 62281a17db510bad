//! A backup while the server works, and the same server from it on an empty place.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Stdio;

use serde_json::json;
use tests::money::intake_body;
use tests::pictures::large;
use tests::server::{printed, signal};
use tests::{on_both, until};

use super::files::{self, photo};

on_both! {
    async fn a_backup_is_made_while_people_talk_and_a_broken_one_is_refused(server) {
        let dana = server.customer().await;
        let picture = photo(&dana.client).await;
        let session = dana.paid_session("chat10").await;
        let said = json!({ "client_ref": "p", "text": "Schön \"so\"\n\\ 🔧", "file_ids": [picture] });
        dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
        let file = server.folder().join("pitlane.backup");
        let path = file.to_str().expect("a path");
        let mut command = server.command();
        let child = command.args(["backup", path]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        for number in 0..20 {
            dana.say(&session, &format!("meanwhile-{number}"), "Still here?").await.expect_status(201);
        }
        let made = child.and_then(std::process::Child::wait_with_output).expect("the backup");
        assert!(made.status.success(), "{}", printed(&made));
        let again = server.pitlane(&["backup", path]);
        assert!(!again.status.success() && printed(&again).contains("is there already"), "{}", printed(&again));
        let nowhere = printed(&server.pitlane(&["backup", "/nowhere/pitlane.backup"]));
        assert!(nowhere.contains("/nowhere is no folder") && !nowhere.contains("pitlane.db"), "{nowhere}");
        let events = dana.events(&session).await;
        dana.say(&session, "later", "After the backup.").await.expect_status(201);
        let refused = server.pitlane(&["restore", path, "--force"]);
        assert!(!refused.status.success(), "the server is running: {}", printed(&refused));

        // The same archive with one byte of the upload or of the rows changed, and one that was cut off.
        let whole = fs::read(&file).expect("the archive");
        let broken = server.folder().join("broken.backup");
        let place = whole.len() / 3;
        let mut changed = whole.clone();
        changed[place] ^= 1;
        for bytes in [changed, whole[..whole.len() - 4_096].to_vec()] {
            fs::write(&broken, bytes).expect("a file");
            let refused = server.pitlane(&["restore", broken.to_str().expect("a path"), "--force"]);
            assert!(!refused.status.success(), "{}", printed(&refused));
        }
        assert!(dana.events(&session).await.len() > events.len(), "nothing was touched");

        // Bytes that somebody needs and that are not there are no reason to leave them out.
        let uploads = server.data().join("files");
        let upload = fs::read_dir(&uploads).expect("the uploads").flatten().next().expect("an upload").path();
        let aside = server.folder().join("aside");
        fs::rename(&upload, &aside).expect("moved");
        let without = server.folder().join("without.backup");
        let without = without.to_str().expect("a path");
        let refused = server.pitlane(&["backup", without]);
        assert!(!refused.status.success() && printed(&refused).contains("the bytes are gone"), "{}", printed(&refused));
        fs::rename(&aside, &upload).expect("moved back");
    }
}

fn swept_meanwhile(backend: tests::Backend) {
    tests::server::run_with(backend, &[], async |server| {
        let dana = server.customer().await;
        let used = files::send(&dana.client, &[("file", "used.png", &large(9_000_000))]).await;
        let mut body = intake_body("free");
        body["file_ids"] = json!([used.expect_status(201).text_at("file_id")]);
        dana.client.post("/api/intake/start", body).await.expect_status(201);
        photo(&dana.client).await;
        let folder = server.folder().to_owned();
        let uploads = || files::stored(&folder);
        assert_eq!(uploads(), 2);

        let file = folder.join("pitlane.backup");
        let path = file.to_str().expect("a path");
        let mut command = server.command();
        let child = command.args(["backup", path]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.expect("it starts");
        // The archive begins when the picture of the database, which knows both, was taken.
        let archive = folder.join("pitlane.backup.part");
        while !archive.exists() && !file.exists() {
            std::thread::yield_now();
        }
        signal(&child, "STOP");
        assert!(archive.exists(), "it was stopped amid its work");
        server.advance_clock(25 * 3600).await;
        until("the sweep", async || (uploads() == 1).then_some(())).await;
        signal(&child, "CONT");
        let made = child.wait_with_output().expect("it ends");
        assert!(printed(&made).contains("the database and 1 files"), "{}", printed(&made));

        server.stop();
        let restored = server.pitlane(&["restore", path, "--force"]);
        assert!(restored.status.success(), "{}", printed(&restored));
        assert_eq!((uploads(), server.database().count("files", "expires_at IS NULL")), (1, 1));
        // The row of what was swept came back without its bytes, and goes as it would have gone.
        server.start().await;
        server.advance_clock(25 * 3600).await;
        until("the row to go", async || (server.database().count("files", "1 = 1") == 1).then_some(())).await;
    });
}

fn comes_back(backend: tests::Backend) {
    tests::server::run_with(backend, &[], async |server| {
        let dana = server.customer().await;
        let picture = photo(&dana.client).await;
        let session = dana.paid_session("chat10").await;
        let said = json!({ "client_ref": "p", "text": "Schön \"so\"\n\\ 🔧", "file_ids": [picture] });
        dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
        let events = dana.events(&session).await;
        // A job that was being worked on when the picture was taken.
        until("a job to be done", async || {
            (server.database().count("jobs", "status = 'done'") > 0).then_some(())
        })
        .await;
        let taken = server.database().execute(
            "UPDATE jobs SET status = 'running', finished_at = NULL, lease_owner = 'gone',
               lease_until = '2100-01-01T00:00:00.000000Z'
             WHERE id = (SELECT id FROM jobs WHERE status = 'done' AND attempts > 0 LIMIT 1)",
        );
        assert_eq!(taken, Ok(()));
        assert_eq!(server.database().count("jobs", "lease_owner = 'gone'"), 1);
        let file = server.folder().join("pitlane.backup");
        let path = file.to_str().expect("a path").to_owned();
        let made = server.pitlane(&["backup", &path]);
        assert!(made.status.success(), "{}", printed(&made));
        dana.say(&session, "later", "After the backup.").await.expect_status(201);
        server.stop();
        fs::remove_dir_all(server.data().join("files")).expect("the uploads");
        let over = server.pitlane(&["restore", &path]);
        assert!(!over.status.success() && printed(&over).contains("--force"), "{}", printed(&over));
        // The manifest comes last; in it the first migration gets a name from the future.
        let mut newer = fs::read(&path).expect("the archive");
        let at = newer.len() - 8_192;
        let at = at + newer[at..].windows(8).position(|part| part == b"20261121").expect("a migration");
        newer[at..at + 8].copy_from_slice(b"20991121");
        let future = server.folder().join("newer.backup");
        fs::write(&future, newer).expect("a file");
        let refused = server.pitlane(&["restore", future.to_str().expect("a path"), "--force"]);
        assert!(!refused.status.success() && printed(&refused).contains("newer"), "{}", printed(&refused));
        let untouched = server.pitlane(&["doctor"]);
        assert!(untouched.status.success(), "{}", printed(&untouched));
        stays_with_its_owner(server, &path);
        let left_over = server.data().join("files/0198d7a0-0000-7000-8000-00000000000f");
        fs::create_dir_all(server.data().join("files")).expect("a folder");
        fs::write(&left_over, "somebody's photo").expect("an upload of later");
        let restored = server.pitlane(&["restore", &path, "--force"]);
        assert!(restored.status.success(), "{}", printed(&restored));
        assert!(printed(&restored).contains("invariants hold"), "{}", printed(&restored));
        assert!(!left_over.exists(), "no row names it");
        server.start().await;
        until("the work of who is gone to be taken up", async || {
            (server.database().count("jobs", "lease_owner = 'gone'") == 0).then_some(())
        })
        .await;
        assert_eq!(dana.events(&session).await, events, "to the byte, and nothing of later");
        let link = dana.client.get(&format!("/api/files/{picture}")).await.expect_status(303).location();
        server.guest().get(&link).await.expect_status(200);
        dana.say(&session, "on", "It goes on.").await.expect_status(201);
    });
}

/// What root restores into somebody else's folder, that person's server could not open.
fn stays_with_its_owner(server: &tests::TestServer, backup: &str) {
    let data = server.data();
    if fs::metadata(&data).expect("the data").uid() != 0 {
        return; // Only root can write where it owns nothing.
    }
    let places: Vec<_> = fs::read_dir(&data)
        .expect("the data")
        .map(|entry| entry.expect("an entry").path())
        .chain([data])
        .collect();
    let owned_by = |user| places.iter().for_each(|place| chown(place, Some(user), None).expect("root may"));
    owned_by(65_534);
    for arguments in [["restore", backup, "--force"].as_slice(), &["doctor"]] {
        let refused = server.pitlane(arguments);
        let told = printed(&refused);
        assert!(!refused.status.success() && told.contains("the user with the number 65534"), "{told}");
    }
    owned_by(0);
}

#[test]
fn no_command_makes_a_second_database_by_mistake() {
    tests::server::run_with(tests::Backend::Sqlite, &[], async |server| {
        let elsewhere = server.folder().join("elsewhere");
        fs::create_dir(&elsewhere).expect("a folder");
        let target = elsewhere.join("a.backup");
        let create = ["user", "create", "--role", "admin", "--email", "op@example.com"];
        for arguments in [&create[..], &["backup", target.to_str().expect("a path")], &["doctor"]] {
            let mut command = server.command();
            command.current_dir(&elsewhere).env("DATABASE_URL", "sqlite://data/pitlane.db");
            command.env("PITLANE_SERVER__ENVIRONMENT", "production").args(arguments);
            let refused = command.output().expect("the binary runs");
            let told = printed(&refused);
            let place = elsewhere.join("data/pitlane.db");
            assert!(!refused.status.success() && told.contains(place.to_str().expect("a path")), "{told}");
            assert_eq!(
                fs::read_dir(&elsewhere).expect("the folder").count(),
                0,
                "{arguments:?} left something"
            );
        }
    });
}

#[test]
fn a_restored_server_goes_on_where_the_backup_was_made_on_sqlite() {
    comes_back(tests::Backend::Sqlite);
}

#[test]
fn a_restored_server_goes_on_where_the_backup_was_made_on_postgres() {
    comes_back(tests::Backend::Postgres);
}

#[test]
fn an_unused_upload_may_be_swept_while_it_is_backed_up_on_sqlite() {
    swept_meanwhile(tests::Backend::Sqlite);
}

#[test]
fn an_unused_upload_may_be_swept_while_it_is_backed_up_on_postgres() {
    swept_meanwhile(tests::Backend::Postgres);
}
