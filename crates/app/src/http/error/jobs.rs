//! Jobs and messages.

use actix_web::http::StatusCode;

use super::{store, unexpected};
use crate::http::problem::Problem;

/// A job that can't be changed as asked.
pub(super) fn job(error: &jobs::Error) -> Problem {
    match error {
        jobs::Error::NotFound => Problem::not_found(),
        jobs::Error::NotRetryable(status) => Problem::new(
            StatusCode::CONFLICT,
            "job_not_retryable",
            format!("Only a job that was given up can be run again; this one is {}.", status.as_str()),
        ),
        jobs::Error::LeaseLost | jobs::Error::TooLong { .. } => unexpected(error),
        jobs::Error::Store(error) => store(error),
    }
}

/// A message that can't be sent as asked.
pub(super) fn notification(error: &notifications::Error) -> Problem {
    match error {
        notifications::Error::NotFound => unexpected(error),
        notifications::Error::Store(error) => store(error),
    }
}
