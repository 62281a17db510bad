//! Disputes.

use payments::DisputeStatus;
use payments::gateway::ProviderDispute;
use serde::Deserialize;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::{Reference, Unreadable, money, read};

/// The request for one dispute. The library has it behind a feature that compiles everything about charges with it,
/// which is much for a path.
pub struct RetrieveDispute(String);

/// Reads this dispute.
pub fn dispute_request(id: &str) -> RetrieveDispute {
    RetrieveDispute(format!("/disputes/{id}"))
}

impl StripeRequest for RetrieveDispute {
    type Output = ();

    fn build(&self) -> RequestBuilder {
        RequestBuilder::new(StripeMethod::Get, &self.0)
    }
}

#[derive(Deserialize)]
struct WireDispute {
    id: String,
    payment_intent: Option<Reference>,
    amount: i64,
    currency: String,
    reason: String,
    status: String,
    #[serde(default)]
    balance_transactions: Vec<WireMovement>,
    evidence_details: Option<WireDue>,
}

#[derive(Deserialize)]
struct WireMovement {
    amount: i64,
}

#[derive(Deserialize)]
struct WireDue {
    due_by: Option<i64>,
}

/// A dispute; `None` when it is about a charge without a payment.
///
/// # Errors
/// [`Unreadable`], also for a status that didn't exist when this was written.
pub fn dispute(text: &str) -> Result<Option<ProviderDispute>, Unreadable> {
    let wire: WireDispute = read("dispute", text)?;
    let Some(payment_intent) = wire.payment_intent else { return Ok(None) };
    let status = match wire.status.as_str() {
        "needs_response" | "warning_needs_response" => DisputeStatus::Open,
        "under_review" | "warning_under_review" => DisputeStatus::UnderReview,
        "won" | "warning_closed" | "prevented" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        other => return Err(Unreadable::new("dispute", format!("unknown status {other}"))),
    };
    let due_by = wire.evidence_details.and_then(|details| details.due_by);
    Ok(Some(ProviderDispute {
        payment_intent: payment_intent.id(),
        amount: money("dispute", wire.amount, &wire.currency)?,
        id: wire.id,
        reason: wire.reason,
        status,
        withdrawn: wire.balance_transactions.iter().any(|movement| movement.amount < 0),
        due_at: due_by.and_then(kernel::Timestamp::from_unix_seconds),
    }))
}
