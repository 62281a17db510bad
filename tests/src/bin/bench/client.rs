//! A WebSocket client that does as little as it can, because it shares the machine with what it measures.

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tests::{Client, TestServer};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A connection.
pub type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One open socket.
pub struct LightSocket {
    sink: SplitSink<Stream, Message>,
    stream: SplitStream<Stream>,
}

impl LightSocket {
    /// Opens a socket; `client` brings the sign-in.
    pub async fn open(url: &str, client: Option<&Client>) -> Self {
        let mut request = url.into_client_request().expect("an address");
        if let Some(cookie) = client.and_then(Client::cookie) {
            request.headers_mut().insert("cookie", cookie.parse().expect("a header value"));
        }
        let (stream, _) = connect_async(request).await.expect("the socket opens");
        let (sink, stream) = stream.split();
        Self { sink, stream }
    }

    /// Opens a socket and joins a session at the end of its log.
    pub async fn joined(server: &TestServer, client: &Client, session: &str) -> Self {
        let end =
            client.get(&format!("/api/sessions/{session}")).await.expect_status(200).body["last_seq"].clone();
        let mut socket = Self::open(&server.socket_url(), Some(client)).await;
        socket.send(format!(r#"{{"type":"join","channel":"session:{session}","after_seq":{end}}}"#)).await;
        while !socket.next().await.starts_with(r#"{"type":"joined""#) {}
        socket
    }

    /// Sends a text frame.
    pub async fn send(&mut self, text: String) {
        self.sink.send(Message::text(text)).await.expect("the socket is open");
    }

    /// The next text frame.
    pub async fn next(&mut self) -> String {
        loop {
            match self.stream.next().await.expect("the socket is open").expect("a frame") {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Close(reason) => panic!("closed: {reason:?}"),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// The two directions, for two tasks.
    pub fn split(self) -> (SplitSink<Stream, Message>, SplitStream<Stream>) {
        (self.sink, self.stream)
    }
}
