//! Photos before there is a session, and the pages on which a customer describes the car.

use serde_json::json;
use tests::client::{Answer, Client};
use tests::money::intake_body;
use tests::pictures::{PNG, large};
use tests::{on_both, until};

/// A form with one file in each of these fields.
fn form(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, name, bytes) in parts {
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: application/x-lie\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

pub(super) async fn send(client: &Client, parts: &[(&str, &str, &[u8])]) -> Answer {
    send_to(client, "/api/files", parts).await
}

pub(super) async fn send_to(client: &Client, path: &str, parts: &[(&str, &str, &[u8])]) -> Answer {
    client.post_bytes(path, "multipart/form-data; boundary=XX", &form(parts)).await
}

pub(super) async fn photo(client: &Client) -> String {
    send(client, &[("file", "dash.png", PNG)]).await.expect_status(201).text_at("file_id")
}

/// Fields of a form: name, file name, bytes.
type Parts<'p> = &'p [(&'p str, &'p str, &'p [u8])];

on_both! {
    async fn a_photo_reaches_the_mechanic_who_accepts_and_nobody_else(server) {
        let (dana, eve, max) = (server.customer().await, server.customer().await, server.mechanic().await);
        let file = photo(&dana.client).await;
        let path = format!("/api/files/{file}");
        let link = dana.client.get(&path).await.expect_status(303).location();
        let got = server.guest().get(&link).await.expect_status(200);
        assert_eq!(got.headers["content-type"], "image/png", "what it is, not what its sender said");
        assert!(got.headers["content-disposition"].to_str().expect("text").contains("dash.png"));
        eve.client.get(&path).await.refused(404, "not_found");
        max.client.get(&path).await.refused(404, "not_found");
        server.guest().get(&path).await.assert_is_problem();

        let mut body = intake_body("free");
        body["file_ids"] = json!([file]);
        let session = dana.client.post("/api/intake/start", body).await.expect_status(201).text_at("session_id");
        max.client.get(&path).await.refused(404, "not_found");
        max.accept(&session).await;
        max.client.get(&path).await.expect_status(303);
        eve.client.get(&path).await.refused(404, "not_found");
        let looks = || server.database().count("audit_log", "action = 'session.read'");
        let before = looks();
        server.admin().await.client.get(&path).await.expect_status(303);
        assert_eq!(looks(), before + 1, "an admin's look is written down");

        let forged = link.replace("signature=", "signature=0");
        assert_eq!(server.guest().get(&forged).await.status, 404);
        server.advance_clock(301).await;
        assert_eq!(server.guest().get(&link).await.status, 404, "a link ends");
    }

    async fn a_name_with_a_quote_is_shown_and_saved_as_it_is(server) {
        let dana = server.customer().await;
        // As browsers write it in a form.
        let sent = send(&dana.client, &[("file", "17%22 Rad f\u{fc}r vorn.png", PNG)]).await.expect_status(201);
        assert_eq!(sent.body["name"], "17\" Rad f\u{fc}r vorn.png");
        let path = format!("/api/files/{}", sent.text_at("file_id"));
        let link = dana.client.get(&path).await.expect_status(303).location();
        let got = server.guest().get(&link).await.expect_status(200);
        assert_eq!(
            got.headers["content-disposition"],
            "inline; filename=\"17_ Rad f_r vorn.png\"; filename*=UTF-8''17%22%20Rad%20f%C3%BCr%20vorn.png"
        );
    }

    async fn a_bad_upload_is_refused_with_a_code_and_leaves_nothing(server) {
        let dana = server.customer().await;
        let large = large(26_214_400);
        let cases: [(Parts<'_>, u16, &str); 10] = [
            (&[("file", "page.png", b"<html><script>alert(1)</script></html>")], 415, "unsupported_file_type"),
            (&[("file", "drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")], 415, "unsupported_file_type"),
            (&[("file", "empty.png", b"")], 422, "invalid"),
            (&[("file", "page.png", b"\x89PNG\r\n\x1A\n<html><script>alert(1)</script></html>")], 422, "invalid"),
            (&[("file", "page.jpg", b"\xFF\xD8\xFF<html><script>alert(1)</script></html>")], 422, "invalid"),
            (&[("file", "large.png", &large)], 413, "file_too_large"),
            (&[("photo", "dash.png", PNG)], 422, "unknown_field"),
            (&[("file", "a.png", PNG), ("note", "b.png", PNG)], 422, "unknown_field"),
            (&[("file", "a.png", PNG), ("file", "b.png", PNG)], 422, "invalid"),
            (&[], 422, "invalid"),
        ];
        for (parts, status, code) in cases {
            let answer = send(&dana.client, parts).await;
            let shown: Vec<&str> = parts.iter().map(|part| part.1).collect();
            assert_eq!((answer.status, answer.code()), (status, Some(code)), "{shown:?}: {answer:?}");
        }
        dana.client.post_bytes("/api/files", "image/png", PNG).await.refused(415, "unsupported_media_type");
        dana.client.post_bytes("/api/files", "multipart/form-data", PNG).await.refused(400, "malformed_multipart");
        dana.client.post_bytes("/api/files", "multipart/form-data; boundary=XX", b"--XX\r\nbroken").await
            .refused(400, "malformed_multipart");
        let guest = send(&server.guest(), &[("file", "dash.png", PNG)]).await;
        assert_eq!(guest.status, 401, "{guest:?}");
        assert_eq!(server.database().count("files", "1 = 1"), 0);
        assert_eq!(stored(server.folder()), 0, "no bytes stay behind");
    }

    async fn an_unused_photo_is_swept_with_its_bytes(server) {
        let dana = server.customer().await;
        photo(&dana.client).await;
        assert_eq!(stored(server.folder()), 1);
        server.advance_clock(25 * 3600).await;
        until("the sweep", async || (stored(server.folder()) == 0).then_some(())).await;
        until("the row to go", async || (server.database().count("files", "1 = 1") == 0).then_some(())).await;
    }

    async fn another_persons_photo_is_not_taken(server) {
        let (dana, eve) = (server.customer().await, server.customer().await);
        let file = photo(&dana.client).await;
        let mut body = intake_body("chat10");
        body["file_ids"] = json!([file]);
        let answer = eve.client.post("/api/intake/start", body.clone()).await;
        answer.refused(422, "invalid");
        assert_eq!(answer.body["errors"][0]["field"], "file_ids[0]");
        dana.client.post("/api/intake/start", body).await.expect_status(201);
    }

    async fn the_form_works_without_script(server) {
        let dana = server.customer().await;
        server.guest().get("/").await.expect_status(200);
        let page = dana.client.get("/intake?plan=quick_chat").await.expect_status(200);
        assert!(page.text.contains("$9.99") && page.text.contains("waiver_version"), "{}", page.text);
        let good = [
            ("plan", "chat10"), ("concern", "It shakes when I brake."), ("year", "2014"), ("make", "Honda"),
            ("model", "Civic"), ("vin", ""), ("mileage", "84,000"), ("accept_waiver", "yes"),
        ];
        let mut bad = good;
        bad[2].1 = "next year";
        bad[7].1 = "no";
        let again = dana.client.post_form("/intake", &bad).await.expect_status(422);
        assert!(again.text.contains("It shakes when I brake.") && again.text.contains("Civic"), "keeps what was typed");
        assert!(again.text.contains("Accept the waiver to go on."), "{}", again.text);
        assert_eq!(server.database().count("intakes", "1 = 1"), 0);
        let sent = dana.client.post_form("/intake", &good).await.expect_status(303);
        assert!(sent.location().starts_with("/api/checkout?plan=chat10&intake_id="), "{}", sent.location());
        let prefilled = dana.client.get("/intake?plan=video15").await.expect_status(200);
        assert!(prefilled.text.contains("Civic"), "the car of last time");
        assert_eq!(dana.client.get("/intake?plan=gold").await.expect_status(303).location(), "/dashboard#launcher");
        let guest = server.guest().get("/intake?plan=chat10").await.expect_status(303);
        assert!(guest.location().starts_with("/start?redirect="), "{}", guest.location());
        let mut old = good.to_vec();
        old.push(("waiver_version", "2001-01"));
        let changed = dana.client.post_form("/intake", &old).await.expect_status(422);
        assert!(changed.text.contains("The waiver has changed"), "{}", changed.text);
    }
}

pub(super) fn stored(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder.join("data/files")).map_or(0, Iterator::count)
}
