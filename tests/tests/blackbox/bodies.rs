//! Bodies that are too long, never end or are packed: an answer at once, and no connection that is held for them.

use reqwest::Method;
use tests::{Client, TestServer, on_both};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than `server.max_body_bytes`.
const TOO_LONG: usize = 1_100_000;

/// The answer to a request whose body is begun and never ended. The server must not wait for the rest of it.
async fn answer_to(server: &TestServer, line: &str, headers: &str, begun: &str) -> String {
    let host = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).await.expect("connects");
    let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream.write_all(begun.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.expect("an answer"), 0, "{line} is not answered");
    }
    // The server waits a little for what is still on its way, unless there is no more.
    stream.shutdown().await.expect("nothing more is sent");
    stream.read_to_end(&mut answer).await.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

fn assert_is_closed_with(answer: &str, status: u16, part: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains(part), "no {part} in {answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
}

fn chunk(bytes: usize) -> String {
    format!("{bytes:x}\r\n{}", " ".repeat(bytes))
}

async fn packed(client: &Client, encoding: &str) -> tests::Answer {
    let request = client
        .request(Method::POST, "/api/auth/login")
        .header("content-type", "application/json")
        .header("content-encoding", encoding)
        .body("{\"email\":\"a@example.com\",\"password\":\"x\"}");
    client.perform("POST /api/auth/login".to_owned(), request).await
}

on_both! {
    async fn a_body_that_says_it_is_too_long_is_refused_before_it_comes(server) {
        const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999999999";
        const JSON: &str = "Content-Type: application/json\r\nContent-Length: 99999999999";
        for path in ["/api/auth/login", "/api/stripe/webhook", "/api/auth/magic-link"] {
            let answer = answer_to(server, &format!("POST {path}"), JSON, "{").await;
            assert_is_closed_with(&answer, 413, "body_too_large");
        }
        let answer = answer_to(server, "POST /start/login", FORM, "email=").await;
        assert_is_closed_with(&answer, 413, "<html");
        let dana = server.demo("customer").await;
        let cookie = dana.client.cookie().expect("signed in");
        let upload = format!(
            "Cookie: {cookie}\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: 99999999999"
        );
        let answer = answer_to(server, "POST /api/files", &upload, "--XX").await;
        assert_is_closed_with(&answer, 413, "file_too_large");
    }

    async fn a_body_that_does_not_say_how_long_it_is_is_read_up_to_the_limit_alone(server) {
        let headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked";
        let answer = answer_to(server, "POST /api/auth/login", headers, &chunk(TOO_LONG)).await;
        assert_is_closed_with(&answer, 413, "body_too_large");
    }

    async fn a_body_that_nobody_reads_is_not_waited_for(server) {
        let headers = "Transfer-Encoding: chunked";
        assert_is_closed_with(&answer_to(server, "GET /api/plans", headers, &chunk(7)).await, 200, "chat10");
        let answer = answer_to(server, "POST /api/intake/start", headers, &chunk(7)).await;
        assert_is_closed_with(&answer, 401, "not_signed_in");
    }

    async fn json_is_not_unpacked(server) {
        packed(&server.guest(), "gzip").await.refused(415, "unsupported_media_type");
        packed(&server.guest(), "identity").await.refused(401, "wrong_credentials");
    }

    async fn what_is_no_http_is_no_error_of_the_server(server) {
        let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).await.expect("connects");
        stream.write_all(b"\x16\x03\x01 garbage\r\n\r\n").await.expect("writes");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer, and the end");
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
        let log = server.log();
        assert!(!log.contains("parse error"), "{log}");
    }
}
