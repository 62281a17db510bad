//! The one place that hands text messages to Twilio.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Collected, Limited};
use hyper::header::{CONNECTION, HeaderValue};
use notifications::{Message, Receipt, SendError, Texter};

use super::{post, wire};
use crate::https::{self, Http};

/// Twilio's own address.
const API_BASE: &str = "https://api.twilio.com";
const TIMEOUT: Duration = Duration::from_secs(15);
/// An answer is short; more than this is none.
const ANSWER_MAX_BYTES: usize = 64 * 1_024;

/// The account, and how to speak for it.
#[derive(Clone)]
pub struct Settings {
    /// `AC…`
    pub account_sid: String,
    /// Who calls: an API key, `SK…`, or the account itself.
    pub login: String,
    /// The API key's secret, or the account's auth token.
    pub secret: String,
    /// Who writes: a number, a short code or a name of the account's, or one of its messaging services, `MG…`.
    pub from: String,
    /// The origin to call, without a slash at the end; Twilio's own when empty.
    pub api_base: String,
}

/// Carries text messages through Twilio.
pub struct Messages {
    http: Http,
    settings: Settings,
}

impl Messages {
    /// A client for these settings. Nothing is called yet.
    pub fn new(settings: Settings) -> Self {
        Self { http: https::client(), settings }
    }
}

#[async_trait]
impl Texter for Messages {
    // Twilio takes no key with a message, so one that may have arrived is not sent again.
    fn deduplicates(&self) -> bool {
        false
    }

    async fn send_text(&self, message: &Message, _send_once_key: &str) -> Result<Receipt, SendError> {
        let Settings { account_sid, login, secret, from, api_base } = &self.settings;
        let base = if api_base.is_empty() { API_BASE } else { api_base };
        let url = format!("{base}{}", wire::path(account_sid));
        let mut request = post(&url, login, secret, wire::form(message, from)).map_err(SendError::NotSent)?;
        // Each over a connection of its own: one that was kept and has ended meanwhile leaves it open whether the message
        // went out, and then nobody sends it again.
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        let answered = async {
            let answer = self.http.request(request).await.map_err(|error| {
                let reason = https::chain(&error);
                if error.is_connect() { SendError::NotSent(reason) } else { SendError::Unknown(reason) }
            })?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
            // The status alone says most of it.
            wire::answer(status, &body.map(Collected::to_bytes).unwrap_or_default())
        };
        let late = |_| SendError::Unknown(format!("no answer within {} seconds", TIMEOUT.as_secs()));
        tokio::time::timeout(TIMEOUT, answered).await.map_err(late)?
    }
}
