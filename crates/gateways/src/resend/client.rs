//! The one place that talks to Resend.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use notifications::{BatchMailer, Mailer, Message, Receipt, SendError};
use serde::Serialize;

use super::wire::{self, Email};
use crate::https::{self, Http};

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

/// Carries mail through Resend.
pub struct Resend {
    http: Http,
    settings: Settings,
}

impl Resend {
    /// A client for these settings. Nothing is called yet.
    pub fn new(settings: Settings) -> Self {
        Self { http: https::client(), settings }
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
            .header(USER_AGENT, https::AGENT)
            .header("idempotency-key", key)
            // One wrong address must not keep the others from their mail. A lone mail has no use for it.
            .header("x-batch-validation", "permissive")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| SendError::NotSent(error.to_string()))
    }

    async fn call(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), SendError> {
        let answered = async {
            let answered = self.http.request(request).await.map_err(|error| {
                let reason = https::chain(&error);
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
