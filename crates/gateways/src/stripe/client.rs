//! The one place that talks to Stripe.

use std::time::Duration;

use async_trait::async_trait;
use kernel::Timestamp;
use miniserde::json::Value;
use payments::gateway::{
    CallbackError, Checkout, Gateway, GatewayError, Intent, IntentStatus, NewCharge, NewCheckout,
    NewCustomer, NewProviderRefund, ProviderDispute, ProviderEvent, ProviderRefund, SavedCard,
};
use stripe::{ApiErrorsCode, ApiErrorsType, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_checkout::checkout_session::{ExpireCheckoutSession, RetrieveCheckoutSession};
use stripe_core::customer::DeleteCustomer;
use stripe_core::payment_intent::{CancelPaymentIntent, RetrievePaymentIntent};

use crate::stripe::signature;
use crate::stripe::wire::{self, Unreadable};

/// Waits between attempts: the first call and one more after each.
const PAUSES_MS: [u64; 3] = [150, 600, 1_500];
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// At 100 objects a page, more than a month of events of a busy shop; a list that doesn't end is a defect.
const MAX_PAGES: u32 = 500;

/// Where Stripe is and how to speak to it.
#[derive(Clone)]
pub struct Settings {
    /// The API key.
    pub secret_key: String,
    /// The origin to call, such as `http://127.0.0.1:8080`; Stripe's own when `None`.
    pub api_base: Option<String>,
    /// The secrets that webhooks may be signed with; two while one is being replaced.
    pub webhook_secrets: Vec<String>,
    /// How old a webhook's signature may be.
    pub webhook_tolerance_seconds: i64,
}

/// Settings that no client can be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Stripe client can't be set up: {0}")]
pub struct SettingsError(String);

/// The payment provider.
pub struct Stripe {
    client: stripe::Client,
    webhook_secrets: Vec<String>,
    webhook_tolerance_seconds: i64,
}

/// Whether a lost answer can hide a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    Writes,
}

impl Stripe {
    /// A client for these settings. Nothing is called yet.
    ///
    /// # Errors
    /// [`SettingsError`] for an unusable key or address.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let mut builder = stripe::ClientBuilder::new(settings.secret_key).timeout(ATTEMPT_TIMEOUT);
        if let Some(base) = settings.api_base {
            builder = builder.url(base);
        }
        let client = builder.build().map_err(|error| SettingsError(error.to_string()))?;
        Ok(Self {
            client,
            webhook_secrets: settings.webhook_secrets,
            webhook_tolerance_seconds: settings.webhook_tolerance_seconds,
        })
    }

    async fn read(&self, request: &(impl StripeRequest + Sync)) -> Result<String, GatewayError> {
        self.call(request, RequestStrategy::Once, Effect::Reads).await
    }

    async fn write(
        &self,
        request: &(impl StripeRequest + Sync),
        idempotency_key: &str,
    ) -> Result<String, GatewayError> {
        let key = IdempotencyKey::new(idempotency_key).map_err(|error| GatewayError::Refused {
            code: "idempotency_key".into(),
            message: error.to_string(),
        })?;
        self.call(request, RequestStrategy::Idempotent(key), Effect::Writes).await
    }

    /// The library tries once when it is given a key, and makes up its own key when it is asked to try again; so the
    /// attempts are counted here, all under the one key.
    async fn call(
        &self,
        request: &(impl StripeRequest + Sync),
        strategy: RequestStrategy,
        effect: Effect,
    ) -> Result<String, GatewayError> {
        let mut may_have_happened = false;
        for pause in PAUSES_MS.map(Some).into_iter().chain([None]) {
            let request = request.build().customize::<Value>().request_strategy(strategy.clone());
            let verdict = match request.send(&self.client).await {
                Ok(value) => return Ok(miniserde::json::to_string(&value)),
                Err(error) => judge(&error),
            };
            match (verdict, pause) {
                (Verdict::Final(error), _) => return Err(error),
                (Verdict::Again { sent, reason }, pause) => {
                    may_have_happened |= sent;
                    tracing::warn!(%reason, last = pause.is_none(), "a call to Stripe failed");
                    match pause {
                        Some(pause_ms) => tokio::time::sleep(Duration::from_millis(pause_ms)).await,
                        None if may_have_happened && effect == Effect::Writes => {
                            return Err(GatewayError::UnknownOutcome(reason));
                        }
                        None => return Err(GatewayError::Unavailable(reason)),
                    }
                }
            }
        }
        Err(GatewayError::Unavailable("no attempt was made".into()))
    }
}

/// What an error of the library means.
enum Verdict {
    Final(GatewayError),
    /// Worth another attempt; `sent` when the request may have taken effect.
    Again {
        sent: bool,
        reason: String,
    },
}

fn judge(error: &StripeError) -> Verdict {
    match error {
        StripeError::Stripe(details, status) => {
            let code = details.code.as_ref().map_or_else(|| kind_name(&details.type_), code_name);
            let message = details.message.clone().unwrap_or_default();
            let busy =
                matches!(details.code, Some(ApiErrorsCode::LockTimeout | ApiErrorsCode::IdempotencyKeyInUse));
            match status {
                402 => {
                    let code = details.decline_code.clone().unwrap_or(code);
                    let intent = details.payment_intent.as_ref().map(|intent| intent.id.to_string());
                    Verdict::Final(GatewayError::Declined { code, intent })
                }
                404 => Verdict::Final(GatewayError::Missing),
                // Refused before anything was done.
                429 => Verdict::Again { sent: false, reason: format!("{status} {code}: {message}") },
                409 | 500.. => Verdict::Again { sent: true, reason: format!("{status} {code}: {message}") },
                _ if busy => Verdict::Again { sent: true, reason: format!("{status} {code}: {message}") },
                _ => Verdict::Final(GatewayError::Refused { code, message }),
            }
        }
        StripeError::ClientError(reason) => {
            // The only failure that is certain to come before the request was sent.
            let sent = !reason.contains("(Connect)");
            Verdict::Again { sent, reason: reason.clone() }
        }
        StripeError::JSONDeserialize(_) | StripeError::Timeout => {
            Verdict::Again { sent: true, reason: error.to_string() }
        }
        StripeError::ConfigError(reason) => {
            Verdict::Final(GatewayError::Refused { code: "configuration".into(), message: reason.clone() })
        }
    }
}

fn code_name(code: &ApiErrorsCode) -> String {
    code.as_str().to_owned()
}

fn kind_name(kind: &ApiErrorsType) -> String {
    kind.as_str().to_owned()
}

/// The call was answered with success and the answer can't be read: asking again would not help.
fn unreadable(effect: Effect) -> impl Fn(Unreadable) -> GatewayError {
    move |error| match effect {
        Effect::Reads => GatewayError::Unavailable(error.to_string()),
        Effect::Writes => GatewayError::UnknownOutcome(error.to_string()),
    }
}

#[async_trait]
impl Gateway for Stripe {
    async fn customer_create(&self, customer: &NewCustomer) -> Result<String, GatewayError> {
        // The key holds what is sent: under one key Stripe refuses another address or name.
        let key = format!("customer:{}:{}", customer.customer, fingerprint(customer));
        let text = self.write(&wire::customer_request(customer), &key).await?;
        wire::object_id(&text).map_err(unreadable(Effect::Writes))
    }

    async fn customer_delete(&self, reference: &str) -> Result<(), GatewayError> {
        match self.write(&DeleteCustomer::new(reference), &format!("forget:{reference}")).await {
            Ok(_) | Err(GatewayError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn checkout_create(&self, checkout: &NewCheckout) -> Result<Checkout, GatewayError> {
        let text = self.write(&wire::checkout_request(checkout), &checkout.idempotency_key).await?;
        wire::checkout(&text).map_err(unreadable(Effect::Writes))
    }

    async fn checkout_by_id(&self, id: &str) -> Result<Checkout, GatewayError> {
        let text = self.read(&RetrieveCheckoutSession::new(id)).await?;
        wire::checkout(&text).map_err(unreadable(Effect::Reads))
    }

    async fn checkout_expire(&self, id: &str) -> Result<Checkout, GatewayError> {
        match self.write(&ExpireCheckoutSession::new(id), &format!("expire:{id}")).await {
            Ok(text) => wire::checkout(&text).map_err(unreadable(Effect::Writes)),
            // Stripe refuses to close what is not open any more; what it is instead is the answer.
            Err(GatewayError::Refused { .. }) => self.checkout_by_id(id).await,
            Err(error) => Err(error),
        }
    }

    async fn charge_create(&self, charge: &NewCharge) -> Result<Intent, GatewayError> {
        let text = self.write(&wire::charge_request(charge), &charge.idempotency_key).await?;
        let intent = wire::intent(&text).map_err(unreadable(Effect::Writes))?;
        match intent.status {
            IntentStatus::Succeeded | IntentStatus::Processing => Ok(intent),
            // Without its holder a card is declined rather than left to wait; this is the same in other words.
            IntentStatus::NeedsCustomer | IntentStatus::Cancelled => {
                let code = intent.failure.unwrap_or_else(|| "authentication_required".to_owned());
                Err(GatewayError::Declined { code, intent: Some(intent.id) })
            }
        }
    }

    async fn intent_cancel(&self, id: &str) -> Result<Intent, GatewayError> {
        match self.write(&CancelPaymentIntent::new(id), &format!("cancel:{id}")).await {
            Ok(text) => wire::intent(&text).map_err(unreadable(Effect::Writes)),
            // Stripe refuses to cancel what has ended; how it ended is the answer.
            Err(GatewayError::Refused { .. }) => self.intent_by_id(id).await,
            Err(error) => Err(error),
        }
    }

    async fn intent_by_id(&self, id: &str) -> Result<Intent, GatewayError> {
        let text = self.read(&RetrievePaymentIntent::new(id)).await?;
        wire::intent(&text).map_err(unreadable(Effect::Reads))
    }

    async fn refund_create(&self, refund: &NewProviderRefund) -> Result<ProviderRefund, GatewayError> {
        let text = self.write(&wire::refund_request(refund), &refund.idempotency_key).await?;
        wire::refund(&text).map_err(unreadable(Effect::Writes))
    }

    async fn refunds_of_intent(&self, payment_intent: &str) -> Result<Vec<ProviderRefund>, GatewayError> {
        let (mut refunds, mut after) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let text = self.read(&wire::refunds_request(payment_intent, after.as_deref())).await?;
            let page = wire::refunds(&text).map_err(unreadable(Effect::Reads))?;
            refunds.extend(page.items);
            after = page.after;
            if after.is_none() {
                return Ok(refunds);
            }
        }
        Err(GatewayError::Unavailable("the list of refunds does not end".into()))
    }

    async fn dispute_by_id(&self, id: &str) -> Result<Option<ProviderDispute>, GatewayError> {
        let text = self.read(&wire::dispute_request(id)).await?;
        wire::dispute(&text).map_err(unreadable(Effect::Reads))
    }

    async fn cards_of_customer(&self, customer: &str) -> Result<Vec<SavedCard>, GatewayError> {
        match self.read(&wire::cards_request(customer)).await {
            Ok(text) => wire::cards(&text).map_err(unreadable(Effect::Reads)),
            Err(GatewayError::Missing) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn card_forget(&self, customer: &str, card: &str) -> Result<bool, GatewayError> {
        // Detaching asks for no customer, so whose it is has to be asked first.
        match self.read(&wire::card_request(customer, card)).await {
            Ok(_) => {}
            Err(GatewayError::Missing) => return Ok(false),
            Err(error) => return Err(error),
        }
        match self.write(&wire::detach_request(card), &format!("detach:{card}")).await {
            Ok(_) => Ok(true),
            // Somebody was faster.
            Err(GatewayError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn events_since(&self, since: Timestamp) -> Result<Vec<ProviderEvent>, GatewayError> {
        let (mut events, mut after) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let text = self.read(&wire::events_request(since, after.as_deref())).await?;
            let page = wire::events(&text, since).map_err(unreadable(Effect::Reads))?;
            events.extend(page.items);
            after = page.after;
            if after.is_none() {
                events.reverse();
                return Ok(events);
            }
        }
        Err(GatewayError::Unavailable("the list of events does not end".into()))
    }

    fn event_from_callback(
        &self,
        body: &[u8],
        signature: &str,
        now: Timestamp,
    ) -> Result<ProviderEvent, CallbackError> {
        let tolerance = self.webhook_tolerance_seconds;
        signature::verify(body, signature, &self.webhook_secrets, tolerance, now.unix_seconds())?;
        let text = std::str::from_utf8(body).map_err(|error| CallbackError::Malformed(error.to_string()))?;
        wire::event(text, now).map_err(|error| CallbackError::Malformed(error.to_string()))
    }
}

fn fingerprint(customer: &NewCustomer) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(customer.email.as_bytes());
    hash.update([0]);
    hash.update(customer.name.as_bytes());
    hex::encode(&hash.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connection_that_was_never_made_is_certain_to_have_done_nothing() {
        for (error, expected) in [
            (StripeError::ClientError("client error (Connect)".into()), Some(false)),
            (StripeError::ClientError("connection reset".into()), Some(true)),
            (StripeError::Timeout, Some(true)),
            (StripeError::JSONDeserialize("half an answer".into()), Some(true)),
            (StripeError::ConfigError("no key".into()), None),
        ] {
            let sent = match judge(&error) {
                Verdict::Again { sent, .. } => Some(sent),
                Verdict::Final(_) => None,
            };
            assert_eq!(sent, expected, "{error}");
        }
    }
}
