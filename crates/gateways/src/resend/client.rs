//! The one place that talks to Resend.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use notifications::{BatchMailer, Mailer, Message, Receipt, SendError};
use serde::Serialize;

use super::wire::{self, Email};

/// Resend's own address.
const API_BASE: &str = "https://api.resend.com";
const TIMEOUT: Duration = Duration::from_secs(15);
/// The most mails that Resend takes in one call.
const BATCH_MAX: u32 = 100;
/// An answer is short; more than this is none.
const ANSWER_MAX_BYTES: usize = 64 * 1_024;

/// Where Resend is and how to speak to it.
#[derive(Clone)]
pub struct Settings {
    /// The API key.
    pub api_key: String,
    /// The origin to call, without a slash at the end; Resend's own when empty.
    pub api_base: String,
    /// The sender, as `Name <address>`.
    pub from: String,
    /// Where answers go; empty for the sender.
    pub reply_to: String,
}

type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Carries mail through Resend.
pub struct Resend {
    http: Http,
    settings: Settings,
}

impl Resend {
    /// A client for these settings. Nothing is called yet.
    ///
    /// # Panics
    /// Never: the encryption that is built in has the versions that it is asked for.
    pub fn new(settings: Settings) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("ring has the usual versions of TLS")
            .https_or_http()
            .enable_http1()
            .build();
        Self { http: Client::builder(TokioExecutor::new()).build(connector), settings }
    }

    fn request(
        &self,
        path: &str,
        body: &impl Serialize,
        key: &str,
    ) -> Result<Request<Full<Bytes>>, SendError> {
        let Settings { api_key, api_base, .. } = &self.settings;
        let base = if api_base.is_empty() { API_BASE } else { api_base };
        let body = serde_json::to_vec(body).map_err(|error| SendError::Refused(error.to_string()))?;
        Request::post(format!("{base}{path}"))
            .header(AUTHORIZATION, format!("Bearer {api_key}"))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("pitlane/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", key)
            // One wrong address must not keep the others from their mail. A lone mail has no use for it.
            .header("x-batch-validation", "permissive")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| SendError::NotSent(error.to_string()))
    }

    async fn call(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), SendError> {
        let answered = async {
            let answered = self.http.request(request).await.map_err(|error| {
                let reason = chain(&error);
                if error.is_connect() { SendError::NotSent(reason) } else { SendError::Unknown(reason) }
            })?;
            let status = answered.status().as_u16();
            let body = Limited::new(answered.into_body(), ANSWER_MAX_BYTES).collect().await;
            // The status alone says most of it.
            Ok((status, body.map(Collected::to_bytes).unwrap_or_default()))
        };
        tokio::time::timeout(TIMEOUT, answered)
            .await
            .map_err(|_| SendError::Unknown(format!("no answer within {} seconds", TIMEOUT.as_secs())))?
    }

    fn email<'m>(&'m self, message: &'m Message) -> Email<'m> {
        Email::new(message, &self.settings.from, &self.settings.reply_to)
    }
}

#[async_trait]
impl Mailer for Resend {
    // For 24 hours, which is longer than a mail is tried.
    fn deduplicates(&self) -> bool {
        true
    }

    async fn send(&self, message: &Message, send_once_key: &str) -> Result<Receipt, SendError> {
        let request = self.request("/emails", &self.email(message), send_once_key)?;
        let (status, body) = self.call(request).await?;
        wire::answer(status, &body)
    }

    fn in_batches(&self) -> Option<&dyn BatchMailer> {
        Some(self)
    }
}

#[async_trait]
impl BatchMailer for Resend {
    fn most(&self) -> u32 {
        BATCH_MAX
    }

    async fn send_all(
        &self,
        messages: &[Message],
        key: &str,
    ) -> Result<Vec<Result<Receipt, SendError>>, SendError> {
        let emails: Vec<Email<'_>> = messages.iter().map(|message| self.email(message)).collect();
        let (status, body) = self.call(self.request("/emails/batch", &emails, key)?).await?;
        wire::batch_answer(status, &body, messages.len())
    }
}

/// An error with its causes; the outermost one alone says next to nothing.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
