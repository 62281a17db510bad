//! What somebody can take along.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::MetadataExt;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::pictures::{self, PNG, large, tells_the_place};
use tests::server::{memory_bytes, printed, run_with};
use tests::{Backend, Client, TestServer, on_both, until};
use zip::{CompressionMethod, ZipArchive};

use super::applications::sent;
use super::files::{photo, send, send_to};
use super::session_files::bytes;

const ZIP: &str = "/api/me/export?format=zip";

/// The entries of a ZIP, by their names. The reader holds their bytes against the checksums.
type Entries = BTreeMap<String, Vec<u8>>;

fn unpacked(zip: Vec<u8>) -> Entries {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a ZIP");
    let mut entries = Entries::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        assert_eq!(entry.compression(), CompressionMethod::Stored);
        let name = entry.name().expect("a name").into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        assert!(entries.insert(name.clone(), bytes).is_none(), "{name} is there twice");
    }
    entries
}

/// The archive as a person's browser saves it.
pub(super) async fn archive_of(client: &Client) -> Entries {
    let (headers, zip) = bytes(client, ZIP).await;
    assert_eq!(headers["content-type"], "application/zip", "{}", String::from_utf8_lossy(&zip));
    assert_eq!(headers["content-disposition"], "attachment; filename=\"pitlane-export.zip\"");
    assert_eq!(headers["content-length"].to_str().expect("text"), zip.len().to_string());
    unpacked(zip)
}

/// The archive as an operator writes it.
fn written(server: &TestServer, email: &str, name: &str) -> Entries {
    let file = server.folder().join(name);
    let done = server.pitlane(&["user", "export", email, file.to_str().expect("a path")]);
    assert!(done.status.success(), "{}", printed(&done));
    assert_eq!(fs::metadata(&file).expect("the file").mode() & 0o777, 0o600);
    unpacked(fs::read(&file).expect("the file"))
}

fn document(archive: &Entries) -> Value {
    serde_json::from_slice(&archive["export.json"]).expect("JSON")
}

async fn downloaded(client: &Client, file: &str) -> Vec<u8> {
    let link = client.get(&format!("/api/files/{file}")).await.expect_status(303).location();
    bytes(client, &link).await.1
}

/// What the server has open in its folder of data and nobody else can open.
fn nameless(server: &TestServer) -> usize {
    let opened = fs::read_dir(format!("/proc/{}/fd", server.process_id())).expect("a process").flatten();
    let names = opened.filter_map(|entry| fs::read_link(entry.path()).ok());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.contains("/data/") && name.ends_with("(deleted)")).count()
}

on_both! {
    async fn an_export_holds_everything_of_a_person_and_nothing_of_another(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let picture = photo(&dana.client).await;
        let said = json!({ "client_ref": "1", "text": "It shakes at idle.", "file_ids": [picture] });
        dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
        max.say(session, "2", "Since when?").await.expect_status(201);
        let summary = json!({ "findings": "The third coil." });
        max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
        let draft = json!({ "findings": "A second look." });
        let late = dana.paid_session("video15").await;
        max.accept(&late).await;
        max.step(&late, "start").await.expect_status(200);
        let path = format!("/api/sessions/{late}/summary/draft");
        max.client.send(reqwest::Method::PUT, &path, Some(draft)).await.expect_status(200);
        let car = json!({ "year": 2001, "make": "Lancia", "model": "Lybra" });
        let car = dana.client.post("/api/me/vehicles", car).await.expect_status(201).text_at("id");
        dana.client.send(reqwest::Method::DELETE, &format!("/api/me/vehicles/{car}"), None).await.expect_status(204);
        dana.checkout("diagnostic").await;
        server.admin().await.client.get(&format!("/api/crm/interactions?customer_id={}", dana.id)).await.expect_status(200);
        let complained = format!(
            "INSERT INTO suppressions (channel, address, reason, created_at)
             VALUES ('mail', '{}', 'complained', '2026-11-01T00:00:00.000000Z')",
            dana.email
        );
        server.database().execute(&complained).expect("a complaint");
        let other = server.customer().await;
        other.paid_session("chat10").await;

        let answer = dana.client.get("/api/me/export").await.expect_status(200);
        assert!(answer.headers["content-disposition"].to_str().expect("text").starts_with("attachment"));
        let archive = &answer.body;
        assert_eq!(archive["user"]["email"], dana.email.as_str());
        assert_eq!(archive["vehicles"][0]["make"], "Honda");
        assert!(archive["intakes"][0]["concern"].as_str().expect("text").contains("grinding"), "{archive}");
        assert!(archive["intakes"][0]["waiver"]["version"].is_string());
        assert_eq!(archive["orders"][0]["total_cents"], 999);
        assert_eq!(archive["files"][0]["id"], picture.as_str());
        let sessions = archive["sessions"].as_array().expect("a list");
        assert_eq!(sessions.len(), 2);
        assert!(sessions.iter().all(|one| one["summary_draft"].is_null()), "what the mechanic has not handed in is the mechanic's");
        assert_eq!(archive["removed_vehicles"][0]["vehicle"], "2001 Lancia Lybra");
        assert_eq!((&archive["unpaid_orders"][0]["plan"], &archive["unpaid_orders"][0]["status"]), (&json!("diagnostic"), &json!("open")));
        assert_eq!(archive["suppression"]["reason"], "complained");
        assert_eq!((&archive["audit"][0]["action"], &archive["audit"][0]["by_role"]), (&json!("customer.read"), &json!("admin")));
        let texts: Vec<_> = sessions[1]["events"].as_array().expect("a list").iter()
            .filter_map(|event| event["body"]["text"].as_str()).collect();
        assert_eq!(texts, ["It shakes at idle.", "Since when?"]);
        assert_eq!(sessions[1]["summary"]["findings"], "The third coil.");
        assert!(!archive["journey"].as_array().expect("a list").is_empty());
        let milestones: Vec<&str> = archive["deliveries"].as_array().expect("a list").iter()
            .filter_map(|sent| sent["milestone"].as_str()).collect();
        assert!(milestones.contains(&"verification") && milestones.contains(&"booking_confirmed"), "{milestones:?}");
        assert_eq!((&archive["cards"], &archive["suspensions"], &archive["mechanic"]), (&json!([]), &json!([]), &json!(null)));
        assert!(!answer.text.contains(&other.email) && !answer.text.contains(&other.id));
        assert!(!answer.text.contains("password") && !answer.text.contains("token_hash"));
        let sam = server.register("mechanic", "Sam Okafor").await;
        sam.client.post("/api/mechanics/apply", sent(&sam).await).await.expect_status(201);
        let sams = sam.client.get("/api/me/export").await.expect_status(200);
        assert_eq!(sams.body["applications"][0]["phone"], "+15550100199");
        assert_eq!(archive["applications"], json!([]));
        let his = max.client.get("/api/me/export").await.expect_status(200);
        assert_eq!(his.body["sessions"].as_array().map(Vec::len), Some(2));
        assert_eq!(his.body["sessions"][0]["summary_draft"]["findings"], "A second look.");
        assert_eq!(his.body["orders"], json!([]), "he paid for nothing");
        assert_eq!((&his.body["mechanic"]["approval"], &his.body["mechanic"]["on_duty"]), (&json!("approved"), &json!(true)));
        server.guest().get("/api/me/export").await.refused(401, "not_signed_in");
    }

    async fn a_zip_holds_the_bytes_of_every_file_of_a_person_and_of_nobody_else(server) {
        let meeting = server.meeting().await;
        let (dana, max) = (&meeting.customer, &meeting.mechanic);
        let path = format!("/api/sessions/{}/files", meeting.session);
        let name = "../17%22 Rad f\u{fc}r ..vorn.png";
        let unused = send(&dana.client, &[("file", name, PNG)]).await.expect_status(201).text_at("file_id");
        let used = send_to(&dana.client, &path, &[("file", "dash.jpg", &pictures::photo(64, 48))]).await;
        let used = used.expect_status(201).text_at("id");
        let his = send_to(&max.client, &path, &[("file", "plan.pdf", b"%PDF-1.7\n1 0 obj")]).await;
        let his = his.expect_status(201).text_at("id");
        photo(&server.customer().await.client).await;

        let archive = archive_of(&dana.client).await;
        let told = document(&archive);
        let entries = [format!("files/{unused}-17_ Rad f\u{fc}r _vorn.png"), format!("files/{used}-dash.jpg")];
        let listed: Vec<(&Value, &Value)> = told["files"].as_array().expect("a list").iter()
            .map(|file| (&file["id"], &file["entry"])).collect();
        assert_eq!(listed, [(&json!(unused), &json!(entries[0])), (&json!(used), &json!(entries[1]))]);
        assert_eq!(archive.keys().filter(|name| *name != "export.json").count(), 2, "{:?}", archive.keys());
        for (file, entry) in [&unused, &used].into_iter().zip(&entries) {
            let kept = downloaded(&dana.client, file).await;
            assert!(!kept.is_empty() && archive[entry] == kept, "{entry}");
            assert!(!tells_the_place(&kept), "{entry}");
        }
        for name in archive.keys() {
            assert!(!name.contains("..") && !name.starts_with('/') && !name.contains(['\\', '"', ':']), "{name}");
        }
        let of_max = archive_of(&max.client).await;
        let names: Vec<&String> = of_max.keys().collect();
        assert_eq!(names, ["export.json", &format!("files/{his}-plan.pdf")]);

        // Held against the description, both of them.
        dana.client.get(ZIP).await.expect_status(200);
        let plain = dana.client.get("/api/me/export?format=json").await.expect_status(200);
        assert_eq!((&plain.body["user"], &plain.body["vehicles"]), (&told["user"], &told["vehicles"]));
        assert!(plain.body["files"][0].get("entry").is_none(), "{}", plain.body["files"]);
        for format in ["xml", "", "ZIP", "zip&format=zip"] {
            dana.client.get(&format!("/api/me/export?format={format}")).await.refused(422, "invalid");
        }
        server.guest().get(ZIP).await.refused(401, "not_signed_in");

        let at_once = join_all((0..5).map(|_| archive_of(&dana.client))).await;
        let written = written(server, &dana.email, "dana.zip");
        assert_eq!(document(&written)["files"], told["files"]);
        for again in at_once.iter().chain([&written]) {
            assert_eq!(again.len(), 3);
            assert!(entries.iter().all(|entry| again[entry] == archive[entry]));
        }
        until("the archives to go", async || (nameless(server) == 0).then_some(())).await;
    }

    async fn what_is_gone_is_left_out_of_a_zip_and_told(server) {
        let dana = server.customer().await;
        let (gone, kept) = (photo(&dana.client).await, photo(&dana.client).await);
        fs::remove_file(server.data().join("files").join(&gone)).expect("the bytes");
        let archive = archive_of(&dana.client).await;
        let told = document(&archive);
        let entry = format!("files/{kept}-dash.png");
        assert_eq!((&told["files"][0]["id"], &told["files"][0]["entry"]), (&json!(gone), &json!(null)));
        assert_eq!((&told["files"][1]["id"], &told["files"][1]["entry"]), (&json!(kept), &json!(entry)));
        assert!(archive.len() == 2 && archive.contains_key(&entry), "{:?}", archive.keys());

        server.advance_clock(25 * 3_600).await;
        until("the sweep", async || (server.database().count("files", "1 = 1") == 0).then_some(())).await;
        let archive = archive_of(&dana.client).await;
        assert_eq!((archive.len(), &document(&archive)["files"]), (1, &json!([])));
    }
}

#[test]
fn an_operator_packs_without_a_server() {
    run_with(Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        let file = photo(&dana.client).await;
        let kept = downloaded(&dana.client, &file).await;
        server.stop();
        let archive = written(server, &dana.email, "dana.ZIP");
        assert!(archive.len() == 2 && archive[&format!("files/{file}-dash.png")] == kept);
        let nowhere = server.folder().join("nobody.zip");
        let path = nowhere.to_str().expect("a path");
        let nobody = server.pitlane(&["user", "export", "nobody@example.com", path]);
        assert!(!nobody.status.success() && !nowhere.exists(), "{}", printed(&nobody));
        server.start().await;
    });
}

#[test]
fn a_zip_of_large_files_takes_little_memory() {
    let settings = [("PITLANE_FILES__MAX_FILE_BYTES", "200000000")];
    run_with(Backend::Sqlite, &settings, async |server| {
        let dana = server.customer().await;
        let file = large(40_000_000);
        let sent = send(&dana.client, &[("file", "a.png", &file)]).await.expect_status(201);
        // Whatever is made at first use is there.
        let eve = server.customer().await;
        photo(&eve.client).await;
        archive_of(&eve.client).await;
        let peak = || memory_bytes(server.process_id(), "VmHWM") / 1_024;
        let before = peak();
        let archive = archive_of(&dana.client).await;
        let after = peak();
        assert!(archive[&format!("files/{}-a.png", sent.text_at("file_id"))] == file);
        assert!(after < before + 8_000, "{before}, {after} KiB");
    });
}

#[test]
fn whoever_goes_away_leaves_no_archive_behind() {
    run_with(Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        send(&dana.client, &[("file", "a.png", &large(20_000_000))]).await.expect_status(201);
        let begun = async || {
            let answer = dana.client.request(Method::GET, ZIP).send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            answer
        };
        let answer = begun().await;
        assert_eq!(nameless(server), 1, "it is there while it is sent");
        drop(answer);
        for _ in 0..4 {
            drop(begun().await);
        }
        until("the archives to go", async || (nameless(server) == 0).then_some(())).await;
    });
}
