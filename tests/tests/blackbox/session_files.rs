//! Files in a session: who may hand them in and when, who sees them, and what stays of them.

use serde_json::{Value, json};
use tests::pictures::{PNG, decoded, photo, tells_the_place};
use tests::{Client, on_both};

use super::files::{self, send, send_to};

fn path(session: &str) -> String {
    format!("/api/sessions/{session}/files")
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["kind"].as_str()).collect()
}

/// The bytes behind an address, and the headers that came with them.
pub(super) async fn bytes(client: &Client, address: &str) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let answer = client.request(reqwest::Method::GET, address).send().await.expect("an answer");
    let headers = answer.headers().clone();
    (headers, answer.bytes().await.expect("a body").to_vec())
}

on_both! {
    async fn a_file_that_is_handed_in_is_seen_live_by_both(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let mut sockets = [dana.socket(server).await, max.socket(server).await];
        for socket in &mut sockets {
            socket.join(&format!("session:{session}"), 0).await;
        }
        let added = send_to(&dana.client, &path(session), &[("file", "dash.jpg", &photo(64, 48))]).await;
        let added = added.expect_status(201).body;
        assert_eq!((&added["name"], &added["content_type"]), (&json!("dash.jpg"), &json!("image/jpeg")));
        assert_eq!((&added["width"], &added["height"]), (&json!(48), &json!(64)), "as it is shown");
        assert_eq!((&added["sender"]["id"], &added["of_intake"]), (&json!(dana.id), &json!(false)));
        for socket in &mut sockets {
            let event = socket.event("file").await;
            assert_eq!((&event["seq"], &event["actor"]["id"]), (&added["seq"], &json!(dana.id)));
            let file = &event["body"]["file"];
            for field in ["id", "name", "content_type", "size_bytes", "width", "height"] {
                assert_eq!(file[field], added[field], "{field}");
            }
        }
        let handed = send_to(&max.client, &path(session), &[("file", "plan.pdf", b"%PDF-1.7\n1 0 obj")]).await;
        let handed = handed.expect_status(201).body;
        assert!(handed["width"].is_null());
        assert_eq!(kinds(&dana.events(session).await), ["joined", "payment", "joined", "started", "file", "file"]);
        for person in [dana, max] {
            let list = person.client.get(&path(session)).await.expect_status(200);
            let ids: Vec<&Value> = list.body["items"].as_array().expect("a list").iter().map(|one| &one["id"]).collect();
            assert_eq!(ids, [&added["id"], &handed["id"]]);
            person.client.get(&format!("/api/files/{}", added["id"].as_str().expect("an id"))).await.expect_status(303);
            let room = person.client.get(&format!("/chat/{session}")).await.expect_status(200);
            assert!(room.text.contains("dash.jpg") && room.text.contains("plan.pdf"));
            let transcript = person.client.get(&format!("/sessions/{session}/transcript")).await.expect_status(200);
            for file in [&added, &handed] {
                let (id, name) = (file["id"].as_str().expect("an id"), file["name"].as_str().expect("a name"));
                let link = format!("<a href=\"/api/files/{id}\">{name}</a>");
                assert!(transcript.text.contains(&link), "no {link} in {}", transcript.text);
            }
        }
        max.step(session, "end").await.expect_status(200);
    }

    async fn only_who_may_write_hands_in_files(server) {
        let (dana, eve, max) = (server.customer().await, server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        let path = path(&session);
        let hand_in = async |client: &Client| send_to(client, &path, &[("file", "dash.png", PNG)]).await;
        hand_in(&dana.client).await.expect_status(201);
        for stranger in [&eve.client, &max.client] {
            hand_in(stranger).await.refused(404, "not_found");
            stranger.get(&path).await.refused(404, "not_found");
        }
        assert_eq!(hand_in(&server.guest()).await.status, 401);
        max.accept(&session).await;
        hand_in(&max.client).await.expect_status(201);
        let admin = server.admin().await;
        hand_in(&admin.client).await.refused(404, "not_found");
        let looks = || server.database().count("audit_log", "action = 'session.read'");
        let before = looks();
        let list = admin.client.get(&path).await.expect_status(200);
        assert_eq!(list.body["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(looks(), before + 1, "an admin's look is written down");
        admin.client.post(&format!("/api/admin/sessions/{session}/observe"), json!({})).await.expect_status(200);
        hand_in(&admin.client).await.refused(403, "wrong_role");
        max.step(&session, "start").await.expect_status(200);
        dana.step(&session, "end").await.expect_status(200);
        for person in [&dana, &max] {
            hand_in(&person.client).await.refused(409, "session_closed");
            assert_eq!(person.client.get(&path).await.expect_status(200).body["items"].as_array().map(Vec::len), Some(2));
        }
        assert_eq!(server.database().count("files", "1 = 1"), 2);
        assert_eq!(files::stored(server.folder()), 2, "what was refused left nothing");
    }

    async fn a_list_of_files_is_paged_with_those_of_the_intake_first(server) {
        let dana = server.customer().await;
        let told = files::photo(&dana.client).await;
        let mut body = tests::money::intake_body("free");
        body["file_ids"] = json!([told]);
        let session = dana.client.post("/api/intake/start", body).await.expect_status(201).text_at("session_id");
        let mut expected = vec![told];
        for name in ["one.png", "two.png"] {
            let added = send_to(&dana.client, &path(&session), &[("file", name, PNG)]).await.expect_status(201);
            expected.push(added.text_at("id"));
        }
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = dana.client.get(&format!("{}?limit=2{cursor}", path(&session))).await.expect_status(200).body;
            for item in page["items"].as_array().expect("a list") {
                assert_eq!(item["of_intake"], found.is_empty());
                found.push(item["id"].as_str().expect("an id").to_owned());
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected);
    }

    async fn a_file_sent_twice_with_one_key_is_handed_in_once(server) {
        let dana = server.customer().await;
        let session = dana.paid_session("chat10").await;
        let send = async |name: &str| {
            let part = reqwest::multipart::Part::bytes(photo(32, 24)).file_name(name.to_owned());
            let form = reqwest::multipart::Form::new().part("file", part);
            let request = dana.client.request(reqwest::Method::POST, &path(&session));
            let request = request.header("idempotency-key", "scan").multipart(form);
            dana.client.perform(format!("POST {}", path(&session)), request).await
        };
        let first = send("scan.jpg").await.expect_status(201);
        assert_eq!(send("scan.jpg").await.expect_status(201).body, first.body);
        send("other.jpg").await.refused(422, "idempotency_mismatch");
        assert_eq!(kinds(&dana.events(&session).await), ["joined", "payment", "file"]);
        assert_eq!(server.database().count("files", "1 = 1"), 1);
        assert_eq!(files::stored(server.folder()), 1);
    }

    async fn a_photo_keeps_its_pixels_and_not_where_it_was_taken(server) {
        let dana = server.customer().await;
        let original = photo(320, 240);
        assert!(tells_the_place(&original));
        let sent = send(&dana.client, &[("file", "dash.jpg", &original)]).await.expect_status(201);
        assert_eq!((&sent.body["width"], &sent.body["height"]), (&json!(240), &json!(320)));
        let link = dana.client.get(&format!("/api/files/{}", sent.text_at("file_id"))).await.location();
        let (_, kept) = bytes(&dana.client, &link).await;
        assert!(!tells_the_place(&kept));
        assert_eq!(sent.body["size_bytes"].as_u64(), u64::try_from(kept.len()).ok());
        assert!(decoded(&original) == decoded(&kept), "every pixel is the same");
        let name = std::fs::read_dir(server.folder().join("data/files")).expect("a folder").next();
        let stored = std::fs::read(name.expect("a file").expect("an entry").path()).expect("its bytes");
        assert!(!tells_the_place(&stored), "nor is it kept anywhere");
    }

    async fn a_small_picture_is_made_once_and_goes_with_the_large_one(server) {
        let dana = server.customer().await;
        let sent = send(&dana.client, &[("file", "dash.jpg", &photo(1_600, 1_200))]).await.expect_status(201);
        let address = format!("/api/files/{}?size=thumb", sent.text_at("file_id"));
        let link = dana.client.get(&address).await.expect_status(303).location();
        let (headers, small) = bytes(&dana.client, &link).await;
        assert_eq!(headers["content-type"], "image/jpeg");
        assert_eq!(decoded(&small).1, 384, "512 high, turned upright");
        assert!(small.len() < 60_000 && !tells_the_place(&small));
        assert_eq!(files::stored(server.folder()), 2, "it is kept");
        assert_eq!(bytes(&dana.client, &link).await.1, small);
        let again = dana.client.request(reqwest::Method::GET, &link);
        let again = again.header("if-none-match", &headers["etag"]).send().await.expect("an answer");
        assert_eq!(again.status(), 304);
        let pdf = send(&dana.client, &[("file", "a.pdf", b"%PDF-1.7")]).await.expect_status(201).text_at("file_id");
        let link = dana.client.get(&format!("/api/files/{pdf}?size=thumb")).await.expect_status(303).location();
        assert_eq!(dana.client.get(&link).await.status, 404, "a document has none");
        dana.client.get(&format!("/api/files/{pdf}?size=huge")).await.refused(422, "invalid");
        server.advance_clock(25 * 3600).await;
        tests::until("the sweep", async || (files::stored(server.folder()) == 0).then_some(())).await;
    }

    async fn a_part_of_a_file_can_be_asked_for(server) {
        let dana = server.customer().await;
        let sound = [b"ID3\x04\0", "0123456789".repeat(20_000).as_bytes()].concat();
        let sent = send(&dana.client, &[("file", "engine.mp3", &sound)]).await.expect_status(201);
        let link = dana.client.get(&format!("/api/files/{}", sent.text_at("file_id"))).await.location();
        let ask = async |headers: &[(&str, &str)]| {
            let mut request = dana.client.request(reqwest::Method::GET, &link);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = request.send().await.expect("an answer");
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            (status, headers, answer.bytes().await.expect("a body").to_vec())
        };
        let (status, headers, whole) = ask(&[]).await;
        assert_eq!((status, &headers["accept-ranges"]), (200, &"bytes".parse().expect("a header")));
        assert!(whole == sound && headers["content-length"] == sound.len().to_string());
        let tag = headers["etag"].to_str().expect("text").to_owned();
        let (status, headers, part) = ask(&[("range", "bytes=100000-100009")]).await;
        assert_eq!((status, part.as_slice()), (206, &sound[100_000..100_010]));
        assert_eq!(headers["content-range"], format!("bytes 100000-100009/{}", sound.len()));
        assert_eq!(ask(&[("range", "bytes=-5")]).await.2, sound[sound.len() - 5..]);
        let (status, headers, _) = ask(&[("range", "bytes=900000-")]).await;
        assert_eq!((status, &headers["content-range"]), (416, &format!("bytes */{}", sound.len()).parse().expect("a header")));
        assert_eq!(ask(&[("range", "bytes=0-1"), ("if-range", &tag)]).await.0, 206);
        assert_eq!(ask(&[("range", "bytes=0-1"), ("if-range", "\"old\"")]).await.0, 200);
        assert_eq!(ask(&[("if-none-match", &tag)]).await.0, 304);
    }
}
