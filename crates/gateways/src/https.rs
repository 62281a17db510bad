//! What every client here stands on: TLS by rustls with the roots built in, and the words of an error.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// What opens connections.
pub(crate) type Connector = HttpsConnector<HttpConnector>;

/// Sends requests whose bodies are known, over `https` or, to this machine, `http`.
pub(crate) type Http = Client<Connector, Full<Bytes>>;

/// How every request of ours names itself.
pub(crate) const AGENT: &str = concat!("pitlane/", env!("CARGO_PKG_VERSION"));

/// A client. Nothing is called yet.
pub(crate) fn client() -> Http {
    Client::builder(TokioExecutor::new()).build(connector(HttpConnector::new()))
}

/// Opens connections with TLS, or without where an address says so, over `tcp`.
pub(crate) fn connector(mut tcp: HttpConnector) -> Connector {
    tcp.enforce_http(false);
    HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .expect("ring has the usual versions of TLS")
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp)
}

/// An error with its causes, each told once: the reason stands in the last.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    text
}
