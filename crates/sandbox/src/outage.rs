//! Calls that fail though nothing is wrong with them, set by a test or a developer.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::state::Tx;

const SETTING: &str = "outage";
/// The most calls that are refused.
const MOST: u32 = 1_000;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Failure {
    /// 429 `rate_limit`
    RateLimit,
    /// 429 `lock_timeout`
    LockTimeout,
    /// 409 `idempotency_key_in_use`
    IdempotencyKeyInUse,
    /// 500 `api_error`
    ApiError,
}

/// The body of `POST /sandbox/outage`: the next `calls` calls to `/v1/*` fail in this way. It is kept over restarts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outage {
    failure: Failure,
    calls: u32,
}

impl Failure {
    fn refusal(self) -> Refusal {
        match self {
            Self::RateLimit => Refusal::new(
                429,
                "invalid_request_error",
                "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.",
            )
            .code("rate_limit"),
            Self::LockTimeout => Refusal::new(
                429,
                "invalid_request_error",
                "This object cannot be accessed right now because another API request or Stripe process is currently \
                 accessing it.",
            )
            .code("lock_timeout"),
            Self::IdempotencyKeyInUse => Refusal::new(
                409,
                "idempotency_error",
                "There is currently another in-progress request using this Idempotency Key.",
            )
            .code("idempotency_key_in_use"),
            Self::ApiError => Refusal::new(500, "api_error", "An unknown error occurred."),
        }
    }
}

pub(crate) fn set(tx: &mut Tx<'_>, wanted: &Outage) -> Result<Reply, Fault> {
    if wanted.calls > MOST {
        return Err(invalid(format!("calls is at most {MOST}.")).param("calls").into());
    }
    keep(tx, wanted)?;
    Ok(Reply::ok(json!(wanted)))
}

fn keep(tx: &mut Tx<'_>, outage: &Outage) -> Result<(), Fault> {
    tx.setting_set(SETTING, &json!(outage).to_string())
}

/// The refusal that this call gets, and one fewer for the calls after it.
pub(crate) fn take(tx: &mut Tx<'_>) -> Result<Option<Refusal>, Fault> {
    let Some(text) = tx.setting(SETTING)? else { return Ok(None) };
    let mut outage: Outage =
        serde_json::from_str(&text).map_err(|error| Fault::Internal(format!("stored outage: {error}")))?;
    let Some(left) = outage.calls.checked_sub(1) else { return Ok(None) };
    outage.calls = left;
    keep(tx, &outage)?;
    Ok(Some(outage.failure.refusal()))
}
