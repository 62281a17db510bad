//! A WebSocket client.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::Client;
use crate::server::TestServer;
use crate::wait::DEADLINE;

/// One open socket. Frames that a test did not ask for stay in order until it does.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    seen: Vec<Value>,
    code: Option<u16>,
}

impl Socket {
    /// Opens a socket with a client's sign-in.
    ///
    /// # Panics
    /// It is refused.
    pub async fn connect(server: &TestServer, client: &Client) -> Self {
        Self::try_connect(server, client, None).await.expect("the socket opens")
    }

    /// Opens a socket with a client's sign-in, from a page of `origin`.
    ///
    /// # Errors
    /// The status of a refusal.
    ///
    /// # Panics
    /// The server does not answer at all.
    pub async fn try_connect(
        server: &TestServer,
        client: &Client,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        let mut request: Request<()> = server.socket_url().into_client_request().expect("an address");
        let headers = request.headers_mut();
        if let Some(cookie) = client.cookie() {
            headers.insert("cookie", cookie.parse().expect("a header value"));
        }
        if let Some(authorization) = client.authorization() {
            headers.insert(
                "authorization",
                authorization.to_str().expect("text").parse().expect("a header value"),
            );
        }
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().expect("a header value"));
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self { stream, seen: Vec::new(), code: None }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no socket: {error}"),
        }
    }

    /// Sends one frame.
    ///
    /// # Panics
    /// The socket is closed.
    pub async fn send(&mut self, frame: Value) {
        self.send_text(frame.to_string()).await;
    }

    /// Sends any text.
    ///
    /// # Panics
    /// The socket is closed.
    pub async fn send_text(&mut self, text: String) {
        self.stream.send(Message::text(text)).await.expect("the socket is open");
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// The socket is closed.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.stream.send(Message::binary(bytes)).await.expect("the socket is open");
    }

    /// The first frame, of those not yet taken, that fits.
    ///
    /// # Panics
    /// None arrives in time, or the socket is closed.
    pub async fn frame(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        let mut index = 0;
        loop {
            while let Some(frame) = self.seen.get(index) {
                if fits(frame) {
                    return self.seen.remove(index);
                }
                index += 1;
            }
            let arrived = timeout_at(deadline, self.read()).await;
            let Ok(arrived) = arrived else {
                panic!("waited {DEADLINE:?} for {what}; there were {:?}", self.seen)
            };
            let frame = arrived.unwrap_or_else(|| panic!("closed before {what}; there were {:?}", self.seen));
            self.seen.push(frame);
        }
    }

    /// The first frame of a type.
    ///
    /// # Panics
    /// As [`Self::frame`].
    pub async fn of_type(&mut self, kind: &str) -> Value {
        self.frame(kind, |frame| frame["type"] == kind).await
    }

    /// Asserts that no frame of a type has arrived that a test did not ask for. What must be seen first makes this
    /// certain: frames of one channel arrive in order.
    ///
    /// # Panics
    /// One has.
    pub fn heard_no(&self, kind: &str) {
        assert!(self.seen.iter().all(|frame| frame["type"] != kind), "a {kind}: {:?}", self.seen);
    }

    /// Whether a frame of a type has arrived that a test did not ask for yet.
    pub fn seen(&self, kind: &str) -> Option<()> {
        self.seen.iter().any(|frame| frame["type"] == kind).then_some(())
    }

    /// Waits until the server closes the socket, and answers the code it closes with, if it says one.
    ///
    /// # Panics
    /// It does not.
    pub async fn closed(&mut self) -> Option<u16> {
        self.closed_within(DEADLINE).await
    }

    /// As [`Self::closed`], for a server that takes its time.
    ///
    /// # Panics
    /// As [`Self::closed`].
    pub async fn closed_within(&mut self, time: Duration) -> Option<u16> {
        let deadline = Instant::now() + time;
        loop {
            match timeout_at(deadline, self.read()).await {
                Ok(Some(frame)) => self.seen.push(frame),
                Ok(None) => return self.code,
                Err(_) => panic!("the socket stays open; there were {:?}", self.seen),
            }
        }
    }

    /// Joins a channel and answers the frame `joined`.
    ///
    /// # Panics
    /// It is refused.
    pub async fn join(&mut self, channel: &str, after_seq: u64) -> Value {
        self.send(json!({ "type": "join", "channel": channel, "after_seq": after_seq, "ref": channel }))
            .await;
        let answer = self
            .frame("joined", |frame| {
                frame["ref"] == channel && (frame["type"] == "joined" || frame["type"] == "error")
            })
            .await;
        assert_eq!(answer["type"], "joined", "{answer}");
        answer
    }

    /// Says something and answers the `seq` of its acknowledgement.
    ///
    /// # Panics
    /// It is refused.
    pub async fn say(&mut self, session: &str, client_ref: &str, text: &str) -> u64 {
        let channel = format!("session:{session}");
        self.send(json!({ "type": "send", "channel": channel, "client_ref": client_ref, "text": text }))
            .await;
        let answer = self
            .frame("ack", |frame| {
                frame["type"] == "error" || (frame["type"] == "ack" && frame["client_ref"] == client_ref)
            })
            .await;
        assert_eq!(answer["type"], "ack", "{answer}");
        answer["seq"].as_u64().expect("a number")
    }

    /// The event of a kind in a session.
    ///
    /// # Panics
    /// It does not arrive in time.
    pub async fn event(&mut self, kind: &str) -> Value {
        let frame =
            self.frame(kind, |frame| frame["type"] == "event" && frame["event"]["kind"] == kind).await;
        frame["event"].clone()
    }

    /// The error with a code.
    ///
    /// # Panics
    /// It does not arrive in time.
    pub async fn refused(&mut self, code: &str) {
        let frame = self.of_type("error").await;
        assert_eq!(frame["code"], code, "{frame}");
    }

    /// Sends one frame many times without waiting for anything, until the server has had enough.
    ///
    /// # Panics
    /// The server takes all of them.
    pub async fn flood(&mut self, frame: &Value, times: usize) {
        let text = frame.to_string();
        for _ in 0..times {
            if self.stream.send(Message::text(text.clone())).await.is_err() {
                return;
            }
        }
        self.closed().await;
    }

    /// Whether the socket still answers.
    ///
    /// # Panics
    /// It does not.
    pub async fn still_answers(&mut self) {
        self.send(json!({ "type": "ping" })).await;
        self.of_type("pong").await;
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}")));
                }
                Ok(Message::Close(close)) => {
                    self.code = close.map(|close| close.code.into());
                    return None;
                }
                Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
