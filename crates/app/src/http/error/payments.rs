//! What a client sees of the errors around money.

use actix_web::http::StatusCode;
use payments::gateway::CallbackError;
use payments::{Error, GatewayError};

use crate::http::problem::Problem;
use crate::usecases::start_checkout::Refusal;
use crate::usecases::{charge_card, extend_session, upgrade_session};

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
        Error::Disputed => conflict(
            "payment_disputed",
            "The customer's bank has taken this money. Only what the bank gives back can be sent back.",
        ),
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

/// The problem of a session that is not upgraded.
pub fn upgrade(refusal: &upgrade_session::Refusal) -> Problem {
    use upgrade_session::Refusal;
    let problem = |status, code, detail: String| Problem::new(status, code, detail);
    match refusal {
        Refusal::NotAllowed(reason) => {
            problem(StatusCode::CONFLICT, "upgrade_not_allowed", format!("{reason}."))
        }
        Refusal::Unusable(reason) => {
            problem(StatusCode::CONFLICT, "upgrade_not_allowed", (*reason).to_owned())
        }
        Refusal::PriceMismatch { agreed } => {
            let detail = format!("The upgrade costs {agreed}. Look at the price again, then pay.");
            problem(StatusCode::CONFLICT, "price_mismatch", detail)
        }
    }
}

/// The problem of a card that was not charged.
pub fn charge(refusal: &charge_card::Refusal) -> Problem {
    use charge_card::Refusal;
    match refusal {
        Refusal::ActionRequired { checkout_url } => Problem {
            checkout_url: Some(checkout_url.clone()),
            ..Problem::new(
                StatusCode::PAYMENT_REQUIRED,
                "payment_action_required",
                "Your card could not be charged by itself. Finish the payment on the payment page.",
            )
        },
        Refusal::OutcomeUnknown => Problem {
            retry_after_seconds: Some(5),
            ..Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment_outcome_unknown",
                "The payment provider did not answer in time. Try again: you are never charged twice.",
            )
        },
    }
}

/// The problem of a session that gets no more time.
pub fn extension(refusal: extend_session::Refusal) -> Problem {
    use extend_session::Refusal;
    let detail = match refusal {
        Refusal::NotRunning => {
            let detail = "Only a session that is in progress can be extended.";
            return Problem::new(StatusCode::CONFLICT, "invalid_transition", detail);
        }
        Refusal::TooLong => {
            format!("A session may take at most {} minutes in all.", sessions::clock::ALLOWANCE_MAX_MINUTES)
        }
        Refusal::TooLate => {
            "The session ended before the time could be added. Your money goes back.".to_owned()
        }
    };
    Problem::new(StatusCode::CONFLICT, "extension_not_allowed", detail)
}
