//! A disk that is full or read-only, before the start and while the server runs: one clear line or the contract's
//! error, no panic, and nothing lost when there is space again.

use reqwest::Method;
use serde_json::{Value, json};
use tests::disk::{Disk, make_read_only, make_writable, with_own_mounts};
use tests::money::intake_body;
use tests::people::{PASSWORD, Person};
use tests::pictures::PNG;
use tests::server::{printed, run_prepared};
use tests::{Answer, Backend, TestServer};

const DISK_KIB: u32 = 48 * 1_024;

fn run_on_disk(test: &str, body: impl AsyncFnOnce(&mut TestServer, Disk)) {
    with_own_mounts(&format!("blackbox::disk::{test}"), || {
        run_prepared(Backend::Sqlite, &[], |server| Disk::mount(&server.data(), DISK_KIB), body);
    });
}

/// Asks, and takes an error of the server for an answer.
async fn ask(person: &Person, method: Method, path: &str, body: Option<Value>) -> Answer {
    let asked = format!("{method} {path}");
    let mut request = person.client.request(method, path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    person.client.attempt(asked, request).await
}

async fn say(person: &Person, session: &str, client_ref: &str) -> Answer {
    let body = json!({ "client_ref": client_ref, "text": "x".repeat(3_900) });
    ask(person, Method::POST, &format!("/api/sessions/{session}/messages"), Some(body)).await
}

fn is_unavailable(answer: &Answer) {
    answer.refused(503, "unavailable");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}

/// The doctor, beside a stopped server.
fn examined(server: &TestServer) {
    let doctor = server.pitlane(&["doctor"]);
    assert!(doctor.status.success(), "{}", printed(&doctor));
}

#[test]
fn a_full_disk_keeps_the_server_from_starting_and_harms_nothing() {
    run_on_disk("a_full_disk_keeps_the_server_from_starting_and_harms_nothing", async |server, disk| {
        let session = server.demo("customer").await.paid_session("chat10").await;
        server.stop();
        for left in [0, 4_096] {
            disk.fill(left);
            server.refuses_to_start(&format!("{left} bytes left"), &[], "is full: free some space");
            disk.free();
        }
        disk.fill(0);
        // Where there is no database yet, none is left half-made.
        let fresh = format!("sqlite://{}", server.data().join("fresh.db").display());
        server.refuses_to_start(
            "a full disk without a database",
            &[("DATABASE_URL", &fresh)],
            "is full: free some space",
        );
        disk.free();
        examined(server);
        let mut fresh_doctor = server.command();
        let migrated =
            fresh_doctor.arg("migrate").env("DATABASE_URL", &fresh).output().expect("the binary runs");
        assert!(migrated.status.success(), "{}", printed(&migrated));
        server.start().await;
        assert_eq!(server.demo("customer").await.session(&session).await["payment_status"], "paid");
    });
}

#[test]
fn a_read_only_disk_or_file_keeps_the_server_from_starting_and_harms_nothing() {
    let test = "a_read_only_disk_or_file_keeps_the_server_from_starting_and_harms_nothing";
    run_on_disk(test, async |server, disk| {
        let session = server.demo("customer").await.paid_session("chat10").await;
        server.stop();
        disk.set_writable(false);
        server.refuses_to_start("a read-only disk", &[], "can't be written");
        disk.set_writable(true);
        let file = server.data().join("pitlane.db");
        make_read_only(&file);
        server.refuses_to_start("a read-only file", &[], "can't be written");
        make_writable(&file);
        examined(server);
        server.start().await;
        assert_eq!(server.demo("customer").await.session(&session).await["payment_status"], "paid");
    });
}

#[test]
fn a_disk_that_fills_up_is_told_and_everything_goes_on_when_there_is_space_again() {
    let test = "a_disk_that_fills_up_is_told_and_everything_goes_on_when_there_is_space_again";
    run_on_disk(test, async |server, disk| {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, meeting.session.as_str());
        let mut socket = meeting.mechanic.socket(server).await;
        socket.join(&format!("session:{session}"), 0).await;
        disk.fill(0);
        // What the files of the database have allocated already is still written to.
        let mut said = 0;
        let refused = loop {
            let answer = say(dana, session, &format!("d{said}")).await;
            if answer.status != 201 {
                break answer;
            }
            said += 1;
            assert!(said < 20_000, "the disk is not full");
        };
        is_unavailable(&refused);
        is_unavailable(&ask(dana, Method::POST, "/api/intake/start", Some(intake_body("chat10"))).await);
        is_unavailable(&ask(dana, Method::PATCH, "/api/me", Some(json!({ "name": "Dana D." }))).await);
        let login = json!({ "email": dana.email, "password": PASSWORD });
        is_unavailable(&ask(dana, Method::POST, "/api/auth/login", Some(login)).await);
        let photo = [PNG, b"\0\x03\0\0IDAT", &[0; 196_612]].concat();
        let part = reqwest::multipart::Part::bytes(photo)
            .file_name("brake.png")
            .mime_str("image/png")
            .expect("a type");
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = dana.client.request(Method::POST, "/api/files").multipart(form);
        is_unavailable(&dana.client.attempt("POST /api/files".to_owned(), request).await);
        socket.send(json!({ "type": "send", "channel": format!("session:{session}"), "client_ref": "m1", "text": "x".repeat(3_900) })).await;
        socket.refused("unavailable").await;
        // Reading goes on.
        dana.client.get("/api/me").await.expect_status(200);
        dana.client.get("/healthz").await.expect_status(200);
        assert_eq!(dana.session(session).await["status"], "in_progress");
        // The clock goes on as well, and with it the jobs, which can't write what became of them.
        server.advance_clock(60).await;
        dana.client.get("/api/me").await.expect_status(200);
        let lines = server.log().lines().count();
        assert!(lines < 20 * said + 5_000, "a full disk is told {lines} times");

        disk.free();
        // The client sends again what it got no answer for, and it is there once.
        let again = say(dana, session, &format!("d{said}")).await.expect_status(201);
        let last = again.body["seq"].clone();
        assert_eq!(say(dana, session, &format!("d{said}")).await.expect_status(200).body["seq"], last);
        assert_eq!(last.as_u64(), u64::try_from(said + 5).ok());
        socket.say(session, "m1", "there again").await;
        let messages = server.database().count("session_events", "kind = 'message'");
        assert_eq!(messages, i64::try_from(said).expect("few") + 2);
        assert_eq!(server.database().count("intakes", "1 = 1"), 1);
        dana.step(session, "end").await.expect_status(200);
        dana.paid_session("chat10").await;
        server.stop();
        examined(server);
        server.start().await;
        assert_eq!(dana.session(session).await["status"], "completed");
    });
}
