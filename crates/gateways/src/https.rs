//! A client for the providers that have none in Rust: TLS by rustls, the roots built in.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Sends requests whose bodies are known, over `https` or, to this machine, `http`.
pub(crate) type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// How every request of ours names itself.
pub(crate) const AGENT: &str = concat!("pitlane/", env!("CARGO_PKG_VERSION"));

/// A client. Nothing is called yet.
pub(crate) fn client() -> Http {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .expect("ring has the usual versions of TLS")
        .https_or_http()
        .enable_http1()
        .build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// An error with everything that caused it, which is where the reason stands.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
