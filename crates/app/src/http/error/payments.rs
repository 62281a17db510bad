//! What a client sees of the errors around money.

use actix_web::http::StatusCode;
use payments::gateway::CallbackError;
use payments::{Error, GatewayError};

use crate::http::problem::Problem;
use crate::usecases::start_checkout::Refusal;

/// The problem of an error of `payments`.
pub fn problem(error: &Error) -> Problem {
    let conflict = |code, text: &str| Problem::new(StatusCode::CONFLICT, code, text);
    match error {
        Error::Store(error) => super::store(error),
        Error::Missing(_) => Problem::not_found(),
        Error::OrderTransition { .. } | Error::RefundTransition { .. } => conflict(
            "invalid_transition",
            "Something happened to this payment meanwhile. Load the page again.",
        ),
        Error::FreePlanUsed => {
            conflict("free_session_used", "The free session is for the first time, and you have had it.")
        }
        Error::RefundExceedsPayment { remaining } => {
            conflict("refund_exceeds_payment", &format!("At most {remaining} of this payment can go back."))
        }
        Error::CheckoutConflict | Error::WrongPrice(_) | Error::Money(_) | Error::Unbalanced => {
            super::unexpected(error)
        }
    }
}

/// The problem of a call to the payment provider that had no result.
pub fn gateway(error: &GatewayError) -> Problem {
    tracing::error!(%error, "the payment provider gave no result");
    match error {
        GatewayError::Declined { .. } => Problem::new(
            StatusCode::PAYMENT_REQUIRED,
            "payment_declined",
            "The payment was declined. Try another card.",
        ),
        GatewayError::UnknownOutcome(_) | GatewayError::Unavailable(_) => Problem {
            retry_after_seconds: Some(5),
            ..Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment_provider_unavailable",
                "The payment provider doesn't answer right now. You were not charged; please try again in a moment.",
            )
        },
        GatewayError::Refused { .. } | GatewayError::Missing => Problem::new(
            StatusCode::BAD_GATEWAY,
            "payment_provider_refused",
            "The payment page could not be opened. You were not charged, and we have been told.",
        ),
    }
}

/// The problem of a callback that is not believed.
pub fn callback(error: &CallbackError) -> Problem {
    let code = match error {
        CallbackError::BadSignature => "bad_signature",
        CallbackError::Stale => "stale_signature",
        CallbackError::Malformed(_) => "malformed_event",
    };
    tracing::warn!(%error, "a callback was refused");
    Problem::new(StatusCode::BAD_REQUEST, code, "This callback is not accepted.")
}

/// The problem of a payment page that can't be opened.
pub fn checkout(error: Refusal) -> Problem {
    let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
    match error {
        Refusal::NotFound => Problem::not_found(),
        Refusal::IntakeRequired => {
            conflict("intake_required", "Tell us about the car first; then the payment page can be opened.")
        }
        Refusal::PlanNotSold => conflict("plan_not_sold", "This plan is not sold any more. Choose another."),
        Refusal::PaymentUnderWay => conflict(
            "payment_processing",
            "Your payment is on its way. It takes a moment until it is confirmed.",
        ),
        Refusal::Returned => {
            conflict("order_refunded", "This was paid before, and the money goes back. Start anew.")
        }
    }
}
