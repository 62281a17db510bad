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
        Error::InvalidCode => say(StatusCode::UNPROCESSABLE_ENTITY, "invalid_code"),
        Error::NotFound(_) => Problem::not_found(),
        Error::SecondFactorRequired => say(StatusCode::UNAUTHORIZED, "second_factor_required"),
        Error::WrongCode => say(StatusCode::UNAUTHORIZED, "wrong_code"),
        Error::SecondFactorOn => say(StatusCode::CONFLICT, "second_factor_on"),
        Error::SecondFactorOff => say(StatusCode::CONFLICT, "second_factor_off"),
        Error::LastAdmin => say(StatusCode::CONFLICT, "last_admin"),
        Error::NotApproved => say(StatusCode::FORBIDDEN, "not_approved"),
        Error::InvalidTransition { .. } => say(StatusCode::CONFLICT, "invalid_transition"),
        Error::ApplicationOpen => say(StatusCode::CONFLICT, "application_open"),
        Error::AlreadyApproved => say(StatusCode::CONFLICT, "already_approved"),
        Error::AlreadyDecided => say(StatusCode::CONFLICT, "already_decided"),
        Error::ApplyLater { .. } => say(StatusCode::CONFLICT, "apply_later"),
        Error::InvitationForAnother => say(StatusCode::CONFLICT, "invitation_for_another"),
        Error::TooManyInvitations(_) => say(StatusCode::CONFLICT, "too_many_invitations"),
        Error::OwnAccount => say(StatusCode::CONFLICT, "own_account"),
        Error::TooManyTokens(_) => say(StatusCode::CONFLICT, "too_many_tokens"),
        Error::Store(error) => super::store(error),
    }
}

/// The account is closed; said only to who knows its password.
pub fn suspended(support_address: &str) -> Problem {
    let detail = if support_address.is_empty() {
        "This account is suspended. Our mail to you says why.".to_owned()
    } else {
        format!("This account is suspended. Our mail to you says why. Write to {support_address} about it.")
    };
    Problem::new(StatusCode::FORBIDDEN, "account_suspended", detail)
}

fn sentence(error: &Error) -> String {
    let text = match error {
        Error::EmailTaken => "There is an account with this e-mail address. Sign in instead.",
        Error::WrongCredentials => "The e-mail address or the password is wrong.",
        Error::Suspended => "This account is suspended.",
        Error::InvalidToken => "This link does not work any more. Ask for a new one.",
        Error::InvalidCode => "This code is wrong or too old. Look again, or have a new one sent.",
        Error::SecondFactorRequired => "Type the code of your authenticator app.",
        Error::WrongCode => "That code is wrong or was used before. Type the one your app shows now.",
        Error::LastAdmin => "You are the last admin. Make another account an admin first.",
        Error::NotApproved => "An admin has to approve your account first.",
        Error::ApplicationOpen => "Your application is being looked at. Wait for our answer.",
        Error::AlreadyApproved => "You are approved already.",
        Error::AlreadyDecided => "Somebody has decided about this application. Load the page again.",
        Error::InvitationForAnother => {
            "This invitation is for another account. Sign in with the address it was sent to, as a mechanic."
        }
        Error::OwnAccount => "You can't suspend your own account.",
        Error::Invalid(_)
        | Error::ApplyLater { .. }
        | Error::TooManyInvitations(_)
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
