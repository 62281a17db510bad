//! How much may be sent, what it costs the server, and that what comes to no end leaves nothing behind.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::pictures::large;
use tests::server::{memory_bytes, run_with};
use tests::{Backend, Person, TestServer, on_both, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::files::{send, send_to, stored};

/// A connection on which an upload has begun that says it is longer than it will be.
async fn begun(server: &TestServer, person: &Person, claimed: usize) -> TcpStream {
    begun_with(server, person, claimed, &large(100_000)).await
}

/// The same with the first bytes of the file.
pub(super) async fn begun_with(
    server: &TestServer,
    person: &Person,
    claimed: usize,
    first: &[u8],
) -> TcpStream {
    let host = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).await.expect("connects");
    let cookie = person.client.cookie().expect("signed in");
    let head = format!(
        "POST /api/files HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: {claimed}\r\n\
         Content-Type: multipart/form-data; boundary=XX\r\n\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream.write_all(first).await.expect("writes");
    stream
}

async fn is_begun(server: &TestServer) {
    until("the upload to begin", async || (stored(server.folder()) == 1).then_some(())).await;
    assert_eq!(server.database().count("file_arrivals", "1 = 1"), 1);
}

async fn nothing_is_left(server: &TestServer) {
    until("the bytes to go", async || (stored(server.folder()) == 0).then_some(())).await;
    let announced = || server.database().count("file_arrivals", "1 = 1");
    until("the announcement to go", async || (announced() == 0).then_some(())).await;
    assert_eq!(server.database().count("files", "1 = 1"), 0);
}

on_both! {
    async fn an_upload_whose_connection_breaks_off_leaves_nothing(server) {
        let dana = server.customer().await;
        let stream = begun(server, &dana, 500_000).await;
        is_begun(server).await;
        drop(stream);
        until("the bytes to go", async || (stored(server.folder()) == 0).then_some(())).await;
        server.advance_clock(8 * 3600).await;
        nothing_is_left(server).await;
    }

    async fn an_upload_that_ends_before_its_form_does_is_refused(server) {
        let dana = server.customer().await;
        let mut stream = begun(server, &dana, 100_300).await;
        is_begun(server).await;
        // As long as it said, and no end of the form in it.
        stream.write_all(&[7; 300]).await.expect("writes");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 400");
        server.advance_clock(8 * 3600).await;
        nothing_is_left(server).await;
    }
}

async fn killed_midway(server: &mut TestServer) {
    let dana = server.customer().await;
    let stream = begun(server, &dana, 500_000).await;
    is_begun(server).await;
    server.kill9();
    drop(stream);
    assert_eq!(stored(server.folder()), 1, "nobody was left to delete it");
    server.start().await;
    server.advance_clock(8 * 3600).await;
    nothing_is_left(server).await;
}

#[test]
fn a_server_that_is_killed_midway_leaves_nothing_on_sqlite() {
    run_with(Backend::Sqlite, &[], killed_midway);
}

#[test]
fn a_server_that_is_killed_midway_leaves_nothing_on_postgres() {
    run_with(Backend::Postgres, &[], killed_midway);
}

#[test]
fn a_database_that_refuses_the_file_leaves_nothing() {
    run_with(Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        let broken = "CREATE TRIGGER broken BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'broken'); END";
        server.database().execute(broken).expect("a trigger");
        let part = reqwest::multipart::Part::bytes(large(50_000)).file_name("a.png");
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = dana.client.request(Method::POST, "/api/files").multipart(form);
        let answer = dana.client.attempt("POST /api/files".to_owned(), request).await;
        assert!(answer.status >= 500, "{answer:?}");
        nothing_is_left(server).await;
        server.database().execute("DROP TRIGGER broken").expect("it goes");
        send(&dana.client, &[("file", "a.png", &large(50_000))]).await.expect_status(201);
    });
}

#[test]
fn the_files_of_a_session_have_a_limit_together() {
    let settings = [("PITLANE_FILES__SESSION_MAX_BYTES", "10000")];
    run_with(Backend::Sqlite, &settings, async |server| {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let path = format!("/api/sessions/{session}/files");
        send_to(&dana.client, &path, &[("file", "a.png", &large(6_000))]).await.expect_status(201);
        let full = send_to(&max.client, &path, &[("file", "b.png", &large(6_000))]).await;
        full.refused(413, "session_files_full");
        assert_eq!(stored(server.folder()), 1);
        // The same through a message, by REST and by socket; the text alone still goes.
        let file = send(&max.client, &[("file", "c.png", &large(6_000))])
            .await
            .expect_status(201)
            .text_at("file_id");
        let said = json!({ "client_ref": "m1", "text": "See", "file_ids": [file] });
        let answer = max.client.post(&format!("/api/sessions/{session}/messages"), said).await;
        answer.refused(413, "session_files_full");
        let mut socket = max.socket(server).await;
        let channel = format!("session:{session}");
        socket.join(&channel, 0).await;
        socket.send(json!({ "type": "send", "channel": channel, "client_ref": "m2", "text": "See", "file_ids": [file] })).await;
        socket.refused("session_files_full").await;
        socket.say(session, "m3", "See").await;
        let small = send(&max.client, &[("file", "d.png", &large(3_000))])
            .await
            .expect_status(201)
            .text_at("file_id");
        let said = json!({ "client_ref": "m4", "text": "", "file_ids": [small] });
        max.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
    });
}

#[test]
fn one_person_has_a_limit_a_day() {
    let settings = [("PITLANE_FILES__PERSON_DAY_MAX_BYTES", "10000")];
    run_with(Backend::Sqlite, &settings, async |server| {
        let (dana, eve) = (server.customer().await, server.customer().await);
        send(&dana.client, &[("file", "a.png", &large(6_000))]).await.expect_status(201);
        let full = send(&dana.client, &[("file", "b.png", &large(6_000))]).await;
        full.refused(429, "too_much_uploaded");
        let wait: u32 = full.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((86_000..=86_400).contains(&wait), "{wait}");
        send(&eve.client, &[("file", "a.png", &large(6_000))]).await.expect_status(201);
        server.advance_clock(wait + 1).await;
        send(&dana.client, &[("file", "b.png", &large(6_000))]).await.expect_status(201);
    });
}

/// The most memory that the process has had so far, in kibibytes.
fn peak(server: &TestServer) -> u64 {
    memory_bytes(server.process_id(), "VmHWM") / 1_024
}

#[test]
fn a_large_file_takes_little_memory_on_its_way_in_and_out() {
    let settings = [("PITLANE_FILES__MAX_FILE_BYTES", "200000000")];
    run_with(Backend::Sqlite, &settings, async |server| {
        let dana = server.customer().await;
        // Whatever is made at first use is there.
        let small = send(&dana.client, &[("file", "a.png", &large(2_000_000))]).await.expect_status(201);
        let link = dana.client.get(&format!("/api/files/{}", small.text_at("file_id"))).await.location();
        assert_eq!(super::session_files::bytes(&dana.client, &link).await.1.len(), 2_000_045);
        let before = peak(server);
        let file = large(100_000_000);
        let sent = send(&dana.client, &[("file", "a.png", &file)]).await.expect_status(201);
        let between = peak(server);
        let link = dana.client.get(&format!("/api/files/{}", sent.text_at("file_id"))).await.location();
        assert!(super::session_files::bytes(&dana.client, &link).await.1 == file);
        let after = peak(server);
        assert!(between < before + 8_000 && after < between + 8_000, "{before}, {between}, {after} KiB");
    });
}

#[test]
fn a_reader_who_goes_away_is_not_read_for() {
    run_with(Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        let sent = send(&dana.client, &[("file", "a.png", &large(9_000_000))]).await.expect_status(201);
        let link = dana.client.get(&format!("/api/files/{}", sent.text_at("file_id"))).await.location();
        for _ in 0..20 {
            let answer = dana.client.request(Method::GET, &link).send().await.expect("an answer");
            drop(answer);
        }
        let opened = format!("/proc/{}/fd", server.process_id());
        until("the file to be closed", async || {
            let files = std::fs::read_dir(&opened).expect("a process").flatten();
            let names = files.filter_map(|entry| std::fs::read_link(entry.path()).ok());
            (names.filter(|name| name.to_string_lossy().contains("data/files/")).count() == 0).then_some(())
        })
        .await;
        tokio::time::timeout(Duration::from_secs(5), dana.client.get("/api/me"))
            .await
            .expect("it still answers");
    });
}
