//! What large uploads take of the server's memory, while small ones are what it is used to.

use std::fs;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use tests::bucket::Bucket;
use tests::pictures::large;
use tests::server::memory_bytes;
use tests::{Backend, TestServer};

use crate::memory::settled;
use crate::{Line, Scale};

const SMALL_BYTES: usize = 100_000;
const LARGE_BYTES: usize = 20_000_000;
/// Small ones that come first, as many as there are in an hour or two.
const SMALL_ONES: usize = 40;
/// What is held of an upload into a folder: a few pieces of 64 KiB between connection, form, scrubber and disk.
const FOLDER_BUFFERS: u64 = 4 * 64 * 1_024;
/// And into a bucket besides: one part.
const BUCKET_BUFFERS: u64 = FOLDER_BUFFERS + 5 * 1_024 * 1_024;
const BEYOND_MAX: u64 = 1_000_000;

/// The line of a folder, and that of a bucket where there is an S3.
pub async fn measure(scale: Scale) -> Vec<Line> {
    let folder = growth(scale, &[]).await;
    let mut lines = vec![line(
        "uploads of 20 MB into a folder, one after the other: the server's peak above what it had",
        folder,
        FOLDER_BUFFERS,
        "its buffers: four of 64 KiB",
    )];
    if let Some(bucket) = Bucket::create().await {
        let grown = growth(scale, &bucket.settings()).await;
        lines.push(line(
            "the same into a bucket",
            grown,
            BUCKET_BUFFERS,
            "its buffers: the same and one part of 5 MiB",
        ));
    }
    lines
}

fn line(what: &'static str, grown: u64, buffers: u64, of: &str) -> Line {
    let kibibytes = |bytes: u64| format!("{:.0} KiB", bytes as f64 / 1_024.0);
    Line {
        what,
        measured: kibibytes(grown),
        beside: format!("{} {of}", kibibytes(buffers)),
        ratio: format!("{} beyond them", kibibytes(grown.saturating_sub(buffers))),
        goal: "≤ 1 MB beyond",
        met: grown <= buffers + BEYOND_MAX,
    }
}

async fn growth(scale: Scale, place: &[(&str, String)]) -> u64 {
    let mut settings = vec![
        ("RUST_LOG", "warn"),
        ("PITLANE_LIMITS__PERSON_PER_SECOND", "0"),
        ("PITLANE_FILES__MAX_FILE_BYTES", "30000000"),
        ("PITLANE_FILES__SESSION_MAX_BYTES", "10000000000"),
        ("PITLANE_FILES__PERSON_DAY_MAX_BYTES", "10000000000"),
    ];
    settings.extend(place.iter().map(|(name, value)| (*name, value.as_str())));
    let server = TestServer::spawn(Backend::Sqlite, &settings).await;
    let meeting = server.meeting().await;
    let path = format!("/api/sessions/{}/files", meeting.session);
    let upload = async |bytes: usize| {
        let part = Part::bytes(large(bytes)).file_name("a.png");
        let request =
            meeting.customer.client.request(Method::POST, &path).multipart(Form::new().part("file", part));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
    };
    for _ in 0..SMALL_ONES {
        upload(SMALL_BYTES).await;
    }
    let process = server.process_id();
    let before = settled(process).await;
    // From here on the peak is a new one.
    fs::write(format!("/proc/{process}/clear_refs"), "5").expect("a process of this user");
    for _ in 0..scale.uploads {
        upload(LARGE_BYTES).await;
    }
    memory_bytes(process, "VmHWM").saturating_sub(before)
}
