//! Uploads in a bucket: the same for people as in a folder, and the same care when something is cut off.

use std::fs;

use reqwest::Method;
use reqwest::header::RANGE;
use serde_json::json;
use tests::bucket::{Bucket, Held};
use tests::pictures::{PNG, large, photo};
use tests::server::{printed, run_with};
use tests::{Answer, Backend, Person, TestServer, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::export::archive_of;
use super::file_limits::begun_with;
use super::files::{send, send_to};
use super::session_files::bytes;

const MEBIBYTE: usize = 1_024 * 1_024;

fn run_in_bucket(body: impl AsyncFnOnce(&mut TestServer, Bucket)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let Some(bucket) = runtime.block_on(Bucket::create()) else { return };
    drop(runtime);
    let mut settings = bucket.settings();
    settings.push(("PITLANE_FILES__MAX_FILE_BYTES", "30000000".to_owned()));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run_with(Backend::Sqlite, &settings, async |server| body(server, bucket).await);
}

/// A picture of that many bytes and a few, no two stretches of which are alike.
fn varied(size: usize) -> Vec<u8> {
    let mut picture = large(size);
    for (place, byte) in picture.iter_mut().enumerate().skip(PNG.len() + 8) {
        *byte = u8::try_from((place / 7 + place / 65_537) % 251).expect("small");
    }
    picture
}

async fn link(person: &Person, file: &str) -> String {
    person.client.get(&format!("/api/files/{file}")).await.expect_status(303).location()
}

/// Asks for a file, where an error of the server may be the answer.
async fn ask(person: &Person, path: &str) -> Answer {
    person.client.attempt(format!("GET {path}"), person.client.request(Method::GET, path)).await
}

async fn upload(person: &Person, picture: Vec<u8>) -> Answer {
    let part = reqwest::multipart::Part::bytes(picture).file_name("a.png");
    let form = reqwest::multipart::Form::new().part("file", part);
    let request = person.client.request(Method::POST, "/api/files").multipart(form);
    person.client.attempt("POST /api/files".to_owned(), request).await
}

fn unavailable(answer: &Answer) {
    answer.refused(503, "unavailable");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}

/// Waits until that many objects and one upload are there, and two parts of the upload.
async fn two_parts_come(bucket: &Bucket, objects: usize) {
    until("two parts to be there", async || {
        let held = bucket.held().await;
        let found = (held.keys.len(), held.unfinished.len(), held.parts);
        (found == (objects, 1, 2)).then_some(())
    })
    .await;
}

async fn nothing_is_left(server: &TestServer, bucket: &Bucket) {
    until("the bucket to be empty", async || (bucket.counts().await == (0, 0)).then_some(())).await;
    let announced = || server.database().count("file_arrivals", "1 = 1");
    until("the announcement to go", async || (announced() == 0).then_some(())).await;
    assert_eq!(server.database().count("files", "1 = 1"), 0);
}

#[test]
fn photos_and_large_files_lie_in_a_bucket_as_in_a_folder() {
    run_in_bucket(async |server, bucket| {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        let path = format!("/api/sessions/{session}/files");
        let picture = photo(640, 480);
        let small = send_to(&dana.client, &path, &[("file", "dash.jpg", &picture)]).await;
        let small = small.expect_status(201).text_at("id");
        let video = varied(20 * MEBIBYTE);
        let whole = send_to(&dana.client, &path, &[("file", "large.png", &video)]).await;
        let whole = whole.expect_status(201).text_at("id");
        assert_eq!(bucket.counts().await, (2, 0));
        let keys = bucket.held().await.keys;
        assert!(keys.iter().all(|key| key.starts_with("up/loads/")), "{keys:?}");
        let listed = meeting.mechanic.client.get(&path).await.expect_status(200);
        assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(2), "{listed:?}");

        let address = link(dana, &whole).await;
        assert!(address.starts_with("/files/"), "links are ours: {address}");
        let (headers, got) = bytes(&dana.client, &address).await;
        assert_eq!(headers["content-type"], "image/png");
        assert!(headers["content-security-policy"].to_str().expect("text").contains("sandbox"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(got == video, "{} bytes of {}", got.len(), video.len());
        let part = 5 * MEBIBYTE;
        for (asked, from, to) in [
            ("bytes=0-0".to_owned(), 0, 1),
            (format!("bytes={}-{}", part - 3, part + 2), part - 3, part + 3),
            ("bytes=-7".to_owned(), video.len() - 7, video.len()),
            (format!("bytes={}-", video.len() - 9), video.len() - 9, video.len()),
        ] {
            let answer = dana.client.request(Method::GET, &address).header(RANGE, &asked).send().await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status(), 206, "{asked}");
            assert_eq!(answer.bytes().await.expect("a body"), &video[from..to], "{asked}");
        }
        let (headers, thumb) = bytes(&dana.client, &format!("{}&size=thumb", link(dana, &small).await)).await;
        assert_eq!(headers["content-type"], "image/jpeg");
        assert!(!thumb.is_empty() && thumb.len() < picture.len(), "{}", thumb.len());
        let kept = bucket.held().await.keys;
        assert!(kept.contains(&format!("up/loads/{small}-small")), "{kept:?}");
        let again = bytes(&dana.client, &format!("{}&size=thumb", link(dana, &small).await)).await;
        assert!(again.1 == thumb);
    });
}

#[test]
fn what_nobody_used_is_swept_from_a_bucket() {
    run_in_bucket(async |server, bucket| {
        let dana = server.customer().await;
        let file = send(&dana.client, &[("file", "a.jpg", &photo(320, 240))]).await;
        let file = file.expect_status(201).text_at("file_id");
        dana.client.get(&format!("{}&size=thumb", link(&dana, &file).await)).await.expect_status(200);
        assert_eq!(bucket.counts().await, (2, 0), "the photo and its small picture");
        server.advance_clock(25 * 3_600).await;
        nothing_is_left(server, &bucket).await;
    });
}

#[test]
fn an_upload_into_a_bucket_that_breaks_off_or_is_killed_leaves_nothing() {
    run_in_bucket(async |server, bucket| {
        let dana = server.customer().await;
        let begun = async |server: &TestServer| {
            let stream = begun_with(server, &dana, 25_000_000, &large(11 * MEBIBYTE)).await;
            two_parts_come(&bucket, 0).await;
            stream
        };
        drop(begun(server).await);
        until("the parts to go at once", async || (bucket.counts().await == (0, 0)).then_some(())).await;

        let stream = begun(server).await;
        server.kill9();
        drop(stream);
        assert_eq!(bucket.counts().await, (0, 1), "nobody was left to end it");
        server.start().await;
        server.advance_clock(8 * 3_600).await;
        nothing_is_left(server, &bucket).await;
    });
}

/// What is wrong, the settings that make it so, and what the message holds.
type Refused<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn a_bucket_that_goes_away_is_told_and_everything_goes_on_when_it_is_back() {
    run_in_bucket(async |server, bucket| {
        let dana = server.customer().await;
        let kept = send(&dana.client, &[("file", "a.png", &large(50_000))]).await.expect_status(201);
        let kept = link(&dana, &kept.text_at("file_id")).await;
        let whole = large(17 * MEBIBYTE);
        let (first, rest) = whole.split_at(11 * MEBIBYTE);
        let mut stream = begun_with(server, &dana, whole.len() + 200, first).await;
        two_parts_come(&bucket, 1).await;
        bucket.connect(false);
        stream.write_all(rest).await.expect("writes");
        stream.write_all(b"\r\n--XX--\r\n").await.expect("writes");
        stream.write_all(&[b' '; 400]).await.expect("writes");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 503");
        unavailable(&upload(&dana, large(50_000)).await);
        unavailable(&upload(&dana, large(7 * MEBIBYTE)).await);
        let page = ask(&dana, &kept).await;
        assert!(page.status == 503 && page.headers.contains_key("retry-after"), "{page:?}");
        let ready = server.guest();
        let ready = ready.attempt("GET /readyz".to_owned(), ready.request(Method::GET, "/readyz")).await;
        assert_eq!((ready.status, &ready.body["checks"]["files"]["ok"]), (503, &json!(false)), "{ready:?}");
        // The rest of the product does without.
        dana.client.get("/api/me").await.expect_status(200);

        bucket.connect(true);
        dana.client.get(&kept).await.expect_status(200);
        until("it to be ready again", async || {
            let ready = server.guest();
            let asked = ready.attempt("GET /readyz".to_owned(), ready.request(Method::GET, "/readyz")).await;
            (asked.status == 200).then_some(())
        })
        .await;
        assert_eq!(upload(&dana, large(7 * MEBIBYTE)).await.status, 201);
        assert_eq!(server.database().count("files", "1 = 1"), 2, "nothing half-written is one");
        server.advance_clock(25 * 3_600).await;
        nothing_is_left(server, &bucket).await;
    });
}

#[test]
fn a_bucket_that_can_not_be_used_keeps_the_server_from_starting_and_says_why() {
    run_in_bucket(async |server, bucket| {
        let (reader, secret) = bucket.reader();
        let (url, unknown) = ("PITLANE_FILES__URL", "s3://nowhere-at-all");
        let (key, hidden) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        let fresh = format!("sqlite://{}", server.data().join("fresh.db").display());
        // The running server holds the other one, and what is migrated is told.
        let migrated = server.command().arg("migrate").env("DATABASE_URL", &fresh).output();
        assert!(migrated.is_ok_and(|output| output.status.success()));
        let cases: [Refused<'_>; 7] = [
            ("no such bucket", &[(url, unknown)], &["files.url", unknown, "NoSuchBucket", "make the bucket"]),
            ("a wrong secret", &[(hidden, "hush-hush")], &["SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"]),
            ("an unknown key", &[(key, "AKIAUNKNOWN")], &["files.url", "AWS_ACCESS_KEY_ID"]),
            ("may not write", &[(key, reader), (hidden, secret)], &["AccessDenied", "what this key may do"]),
            ("nobody there", &[("AWS_ENDPOINT", "http://127.0.0.1:1")], &["files.url", "can't be reached"]),
            ("no key", &[(hidden, "")], &["files.secret_access_key", "AWS_SECRET_ACCESS_KEY"]),
            ("an unknown scheme", &[(url, "ftp://uploads")], &["files.url", "ftp://uploads", "s3://BUCKET"]),
        ];
        for (name, changes, says) in cases {
            let mut changes = changes.to_vec();
            changes.push(("DATABASE_URL", &fresh));
            for says in says {
                server.refuses_to_start(name, &changes, says);
            }
        }
        assert!(!server.log().contains(secret) && !server.log().contains("hush-hush"));
        assert_eq!(bucket.counts().await, (0, 0), "no probe stays");
    });
}

#[test]
fn a_backup_holds_what_lies_in_a_bucket_and_goes_back_into_it_or_into_a_folder() {
    run_in_bucket(async |server, bucket| {
        let meeting = server.meeting().await;
        let (dana, path) = (&meeting.customer, format!("/api/sessions/{}/files", meeting.session));
        let picture = varied(6 * MEBIBYTE);
        let file = send_to(&dana.client, &path, &[("file", "a.png", &picture)]).await;
        let file = file.expect_status(201).text_at("id");
        let target = server.folder().join("a.backup");
        let target = target.to_str().expect("a path");
        let made = server.pitlane(&["backup", target]);
        assert!(made.status.success(), "{}", printed(&made));
        let later = send_to(&dana.client, &path, &[("file", "b.png", &large(50_000))]).await;
        later.expect_status(201);
        bucket.put("up/loads/others-notes").await;
        bucket.put("elsewhere").await;
        server.stop();
        let ours = format!("up/loads/{file}");
        let restored = server.pitlane(&["restore", target, "--force"]);
        assert!(restored.status.success(), "{}", printed(&restored));
        let keys = ["elsewhere", &ours, "up/loads/others-notes"].map(str::to_owned).to_vec();
        let held = bucket.held().await;
        let mut found = held.keys.clone();
        found.sort();
        assert_eq!(
            found,
            {
                let mut keys = keys;
                keys.sort();
                keys
            },
            "what came later is gone, what is others' stays"
        );
        assert_eq!(held.unfinished, Vec::<String>::new());
        server.start().await;
        assert!(bytes(&dana.client, &link(dana, &file).await).await.1 == picture);
        server.stop();

        // A storage that is away keeps everything as it was.
        bucket.connect(false);
        let refused = server.pitlane(&["restore", target, "--force"]);
        let told = printed(&refused);
        assert!(!refused.status.success() && told.contains("can't be reached"), "{told}");
        bucket.connect(true);
        let Held { keys, .. } = bucket.held().await;
        assert!(keys.contains(&ours), "{keys:?}");

        // The same backup, into a folder.
        server.set("PITLANE_FILES__URL", "file://data/files");
        let restored = server.pitlane(&["restore", target, "--force"]);
        assert!(restored.status.success(), "{}", printed(&restored));
        server.start().await;
        assert!(bytes(&dana.client, &link(dana, &file).await).await.1 == picture);
        assert!(fs::exists(server.data().join("files").join(&file)).expect("a folder"));
    });
}

#[test]
fn a_zip_of_everything_holds_what_lies_in_a_bucket_and_is_refused_while_that_is_away() {
    run_in_bucket(async |server, bucket| {
        let dana = server.customer().await;
        let picture = varied(20 * MEBIBYTE);
        let file = send(&dana.client, &[("file", "a.png", &picture)]).await.expect_status(201);
        let entry = format!("files/{}-a.png", file.text_at("file_id"));
        assert!(archive_of(&dana.client).await[&entry] == picture);
        bucket.connect(false);
        unavailable(&ask(&dana, "/api/me/export?format=zip").await);
        dana.client.get("/api/me/export").await.expect_status(200);
        let target = server.folder().join("dana.zip");
        let refused = server.pitlane(&["user", "export", &dana.email, target.to_str().expect("a path")]);
        let told = printed(&refused);
        assert!(!refused.status.success() && told.contains("can't be reached"), "{told}");
        assert!(!target.exists(), "half an archive is none");
        bucket.connect(true);
        assert!(archive_of(&dana.client).await[&entry] == picture);
    });
}
