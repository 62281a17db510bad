//! Files as somebody sends them who means harm.

use reqwest::Method;
use serde_json::json;
use tests::pictures::{PNG, photo};
use tests::{Client, TestServer, on_both, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::files::{self, send, send_to, stored};
use super::session_files::bytes;

const SCRIPT: &[u8] = b"<html><body><script>alert(document.cookie)</script></body></html>";
const ARCHIVE: &[u8] = b"PK\x03\x04 an archive PK\x05\x06";

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

async fn link_of(client: &Client, file: &str) -> String {
    client.get(&format!("/api/files/{file}")).await.expect_status(303).location()
}

async fn status(client: &Client, address: &str) -> u16 {
    client.request(Method::GET, address).send().await.expect("an answer").status().as_u16()
}

/// What the server answers to these bytes, as far as its status.
async fn raw(server: &TestServer, cookie: &str, headers: &str, body: &[u8]) -> String {
    let host = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).await.expect("connects");
    let head = format!(
        "POST /api/files HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n{headers}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream.write_all(body).await.expect("writes");
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

on_both! {
    async fn a_picture_that_is_something_else_as_well_is_a_picture_only(server) {
        let dana = server.customer().await;
        let picture = photo(16, 16);
        let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
        let mp4 = b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\0uuid";
        let comment = [b"\xFF\xD8\xFF\xFE\0\x43", SCRIPT, &picture[2..]].concat();
        let cases: [(&str, &str, Vec<u8>); 7] = [
            ("page.html", "image/jpeg", [&picture, SCRIPT].concat()),
            ("page.jpg", "image/jpeg", comment),
            ("archive.zip", "image/jpeg", [&picture, ARCHIVE].concat()),
            ("page.svg", "image/png", [PNG, b"\0\0\0\x41tEXt", SCRIPT, b"\0\0\0\0\0\0\0\0IEND\xAE\x42\x60\x82", SCRIPT].concat()),
            ("page.js", "image/gif", [gif, SCRIPT].concat()),
            ("page.xhtml", "video/mp4", [mp4.as_slice(), SCRIPT].concat()),
            ("page.htm", "application/pdf", [b"%PDF-1.7\n", SCRIPT].concat()),
        ];
        for (name, kind, file) in cases {
            let sent = send(&dana.client, &[("file", name, &file)]).await.expect_status(201);
            let link = link_of(&dana.client, &sent.text_at("file_id")).await;
            let (headers, kept) = bytes(&server.guest(), &link).await;
            let header = |name: &str| headers[name].to_str().expect("text").to_owned();
            assert_eq!((header("content-type").as_str(), header("x-content-type-options").as_str()), (kind, "nosniff"));
            let policy = header("content-security-policy");
            assert!(policy.starts_with("default-src 'none';") && policy.ends_with("sandbox"), "{policy}");
            assert_eq!(header("cross-origin-resource-policy"), "same-origin");
            let is_document = kind == "application/pdf";
            let disposition = header("content-disposition");
            assert!(disposition.starts_with(if is_document { "attachment" } else { "inline" }), "{name}: {disposition}");
            assert!(is_document || !holds(&kept, b"<script>") && !holds(&kept, b"PK\x03\x04"), "{name}");
        }
    }

    async fn what_a_sender_says_of_a_file_counts_for_nothing(server) {
        let dana = server.customer().await;
        for (name, shown) in [
            ("../../../etc/passwd", "passwd"),
            ("..%2F..%2Fpasswd", "..%2F..%2Fpasswd"),
            ("C:\\\\windows\\\\win.ini", "win.ini"),
            ("..", ".."),
            ("a.png\u{202E}gnp.exe", "a.pnggnp.exe"),
            ("<script>.png", "<script>.png"),
        ] {
            let sent = send(&dana.client, &[("file", name, PNG)]).await.expect_status(201);
            assert_eq!((&sent.body["name"], &sent.body["content_type"]), (&json!(shown), &json!("image/png")), "{name}");
            let link = link_of(&dana.client, &sent.text_at("file_id")).await;
            let (headers, _) = bytes(&dana.client, &link).await;
            assert_eq!(headers.get_all("content-disposition").iter().count(), 1);
        }
        assert!(!server.folder().join("data/passwd").exists());
        let entries = std::fs::read_dir(server.folder().join("data/files")).expect("a folder").flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(name.chars().all(|c| c.is_ascii_hexdigit() || c == '-'), "{name}");
        }
    }

    async fn a_body_that_lies_about_itself_is_refused_and_leaves_nothing(server) {
        let dana = server.customer().await;
        let cookie = dana.client.cookie().expect("signed in");
        let part = [b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".as_slice(), PNG].concat();
        let whole = [part.as_slice(), b"\r\n--XX--\r\n"].concat();
        let multipart = "Content-Type: multipart/form-data; boundary=XX";
        let length = |bytes: usize| format!("{multipart}\r\nContent-Length: {bytes}");
        for (what, headers, body, expected) in [
            ("too short a length", length(part.len() - 9), &part, "HTTP/1.1 400"),
            ("no length at all", multipart.to_owned(), &whole, "HTTP/1.1 400"),
            ("another boundary", format!("Content-Type: multipart/form-data; boundary=YY\r\nContent-Length: {}", whole.len()), &whole, "HTTP/1.1 400"),
            ("another type", format!("Content-Type: image/png\r\nContent-Length: {}", whole.len()), &whole, "HTTP/1.1 415"),
            ("a length that is no number", format!("{multipart}\r\nContent-Length: many"), &whole, "HTTP/1.1 400"),
        ] {
            let answer = raw(server, &cookie, &headers, body).await;
            assert!(answer == expected || (what == "no length at all" && answer == "HTTP/1.1 422"), "{what}: {answer}");
        }
        for (file, status, code) in [
            (b"".as_slice(), 422, "invalid"),
            (b"MZ\x90\0", 415, "unsupported_file_type"),
            (b"\x7FELF", 415, "unsupported_file_type"),
            (SCRIPT, 415, "unsupported_file_type"),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415, "unsupported_file_type"),
            (b"\xEF\xBB\xBF<!DOCTYPE html>", 415, "unsupported_file_type"),
            (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\xFF\xFF\xFF\0\xFF\xFF\xFF\x08\x06\0\0\0\0\0\0\0", 422, "invalid"),
        ] {
            send(&dana.client, &[("file", "a.png", file)]).await.refused(status, code);
        }
        let huge = [PNG, b"\x01\xFF\xFF\xFFIDAT", &vec![0; 27_000_000]].concat();
        send(&dana.client, &[("file", "a.png", &huge)]).await.refused(413, "file_too_large");
        until("nothing to be left", async || (stored(server.folder()) == 0).then_some(())).await;
        assert_eq!(server.database().count("files", "1 = 1"), 0);
    }

    // A link is made to be given to `<img>` and to an object storage: who has it needs no sign-in, for one file and for
    // at most five minutes.
    async fn a_stolen_link_opens_one_file_for_a_short_time(server) {
        let dana = server.customer().await;
        let [one, two] = [files::photo(&dana.client).await, files::photo(&dana.client).await];
        let link = link_of(&dana.client, &one).await;
        let thief = server.guest();
        assert_eq!(status(&thief, &link).await, 200);
        assert_eq!(status(&thief, &link.replace(&one, &two)).await, 404, "another file");
        let (before, signature) = link.split_at(link.len() - 64);
        let other = if signature.starts_with('0') { '1' } else { '0' };
        assert_eq!(status(&thief, &format!("{before}{other}{}", &signature[1..])).await, 404, "a changed signature");
        assert_eq!(status(&thief, before).await, 404, "none");
        let expires = link.split(['=', '&']).nth(1).expect("an end").parse::<i64>().expect("seconds");
        let longer = link.replace(&expires.to_string(), &(expires + 3_600).to_string());
        assert_eq!(status(&thief, &longer).await, 404, "a changed end");
        assert_eq!(status(&thief, &format!("/files/{one}")).await, 422, "no link");
        server.advance_clock(301).await;
        assert_eq!(status(&thief, &link).await, 404, "it is over");
        assert_eq!(status(&thief, &format!("{link}&size=thumb")).await, 404, "for the small picture too");
    }

    async fn who_is_out_of_a_session_is_out_of_its_files(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let eve = server.customer().await;
        let others = eve.paid_session("chat10").await;
        let added = send_to(&dana.client, &format!("/api/sessions/{session}/files"), &[("file", "a.png", PNG)]).await;
        let file = added.expect_status(201).text_at("id");
        let address = format!("/api/files/{file}");
        max.client.get(&address).await.expect_status(303);
        // Nobody reads or uses what is in another session.
        eve.client.get(&address).await.refused(404, "not_found");
        eve.client.get(&format!("{address}?size=thumb")).await.refused(404, "not_found");
        for (client, session) in [(&eve.client, &others), (&max.client, session)] {
            let said = json!({ "client_ref": "x", "text": "", "file_ids": [file] });
            client.post(&format!("/api/sessions/{session}/messages"), said).await.refused(422, "invalid");
        }
        // The mechanic is replaced.
        let admin = server.admin().await;
        let other = server.mechanic().await;
        let assign = json!({ "mechanic_id": other.id });
        admin.client.post(&format!("/api/admin/sessions/{session}/assign"), assign).await.expect_status(200);
        max.client.get(&address).await.refused(404, "not_found");
        max.client.get(&format!("/api/sessions/{session}/files")).await.refused(404, "not_found");
        let again = send_to(&max.client, &format!("/api/sessions/{session}/files"), &[("file", "a.png", PNG)]).await;
        again.refused(404, "not_found");
        other.client.get(&address).await.expect_status(303);
        dana.step(session, "end").await.expect_status(200);
        // Whoever goes takes the files along, at once and with every link to them.
        let link = link_of(&dana.client, &file).await;
        dana.client.send(Method::DELETE, "/api/me", None).await.expect_status(204);
        assert_eq!(status(&server.guest(), &link).await, 404);
        other.client.get(&address).await.refused(404, "not_found");
        server.advance_clock(2 * 3600).await;
        until("the bytes to go", async || (stored(server.folder()) == 0).then_some(())).await;
    }
}
