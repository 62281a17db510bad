//! What a client sees of the errors of `accounts`.

use accounts::Error;
use actix_web::http::StatusCode;

use crate::http::problem::{FieldError, Problem};

/// The problem of an error of `accounts`.
pub fn problem(error: &Error) -> Problem {
    let say = |status, code| Problem::new(status, code, sentence(error));
    match error {
        Error::Invalid(fields) => Problem::invalid(
            fields
                .iter()
                .map(|field| FieldError::new(field.field, field.code, field.message.clone()))
                .collect(),
        ),
        Error::EmailTaken => say(StatusCode::CONFLICT, "email_taken"),
        Error::WrongCredentials => say(StatusCode::UNAUTHORIZED, "wrong_credentials"),
        Error::TooManyAttempts { retry_after_seconds } => Problem::too_many(u64::from(*retry_after_seconds)),
        Error::Suspended => say(StatusCode::FORBIDDEN, "account_suspended"),
        Error::InvalidToken => say(StatusCode::UNPROCESSABLE_ENTITY, "invalid_token"),
        Error::NotFound(_) => Problem::not_found(),
        Error::SecondFactorRequired => say(StatusCode::UNAUTHORIZED, "second_factor_required"),
        Error::WrongCode => say(StatusCode::UNAUTHORIZED, "wrong_code"),
        Error::SecondFactorOn => say(StatusCode::CONFLICT, "second_factor_on"),
        Error::SecondFactorOff => say(StatusCode::CONFLICT, "second_factor_off"),
        Error::LastAdmin => say(StatusCode::CONFLICT, "last_admin"),
        Error::NotApproved => say(StatusCode::FORBIDDEN, "not_approved"),
        Error::InvalidTransition { .. } => say(StatusCode::CONFLICT, "invalid_transition"),
        Error::TooManyTokens(_) => say(StatusCode::CONFLICT, "too_many_tokens"),
        Error::Store(error) => super::store(error),
    }
}

fn sentence(error: &Error) -> String {
    let text = match error {
        Error::EmailTaken => "There is an account with this e-mail address. Sign in instead.",
        Error::WrongCredentials => "The e-mail address or the password is wrong.",
        Error::Suspended => "This account is suspended.",
        Error::InvalidToken => "This link does not work any more. Ask for a new one.",
        Error::SecondFactorRequired => "Type the code of your authenticator app.",
        Error::WrongCode => "That code is wrong or was used before. Type the one your app shows now.",
        Error::LastAdmin => "You are the last admin. Make another account an admin first.",
        Error::NotApproved => "An admin has to approve your account first.",
        Error::Invalid(_)
        | Error::TooManyAttempts { .. }
        | Error::NotFound(_)
        | Error::InvalidTransition { .. }
        | Error::TooManyTokens(_)
        | Error::SecondFactorOn
        | Error::SecondFactorOff
        | Error::Store(_) => return capitalised(&error.to_string()),
    };
    text.to_owned()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}
