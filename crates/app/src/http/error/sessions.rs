//! What a client sees of the errors of `sessions` and `dispatch`.

use actix_web::http::StatusCode;
use sessions::{Error, Invalid, RoomError};

use super::intake::megabytes;
use crate::http::problem::{FieldError, Problem};

/// The problem of an error of `sessions`.
pub fn session(error: &Error) -> Problem {
    let conflict = |code, detail: &str| Problem::new(StatusCode::CONFLICT, code, detail);
    match error {
        Error::NotFound => Problem::not_found(),
        Error::WrongRole => Problem::wrong_role(),
        Error::InvalidTransition(step) => {
            let (from, to) = (step.from, step.to);
            conflict("invalid_transition", &format!("A session that is {from} can't become {to}."))
        }
        Error::SessionClosed => conflict("session_closed", "The session has ended."),
        Error::NotStarted => conflict("session_not_started", "The session has not started yet."),
        Error::NotAccepted => conflict("not_accepted", "The session has not been accepted yet."),
        Error::NotUpgradable => {
            conflict("upgrade_not_allowed", "Only a chat that is not over can become a video session.")
        }
        Error::NoVideo(reason) => conflict("video_not_included", &reason.to_string()),
        Error::MechanicTaken => conflict("already_taken", "The session has another mechanic."),
        Error::AlreadyParticipant => {
            conflict("already_participant", "This person takes part in the session in another role.")
        }
        Error::FilesFull { max_bytes } => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "session_files_full",
            format!("The files of a session may hold at most {} together.", megabytes(*max_bytes)),
        ),
        Error::Invalid(invalid) => Problem::invalid(vec![field(*invalid)]),
        Error::Store(error) => super::store(error),
    }
}

fn field(invalid: Invalid) -> FieldError {
    let (name, code) = match invalid {
        Invalid::TextBlank => ("text", "blank"),
        Invalid::TextTooLong { .. } => ("text", "too_long"),
        Invalid::TextCharacters => ("text", "invalid_characters"),
        Invalid::ClientRef => ("client_ref", "invalid"),
        Invalid::Emoji => ("emoji", "not_an_emoji"),
        Invalid::Target => ("seq", "not_a_message"),
        Invalid::SeqBeyondLog => ("seq", "beyond_log"),
        Invalid::TooManyFiles { .. } => ("file_ids", "too_many"),
        Invalid::File(_) => ("file_ids", "unusable_file"),
        Invalid::ExtensionMinutes { .. } => ("minutes", "out_of_range"),
        Invalid::Connection => ("connection_id", "invalid"),
        Invalid::FindingsBlank => ("findings", "blank"),
        Invalid::SummaryTooLong { field, .. } => (field.as_str(), "too_long"),
        Invalid::SummaryCharacters(field) => (field.as_str(), "invalid_characters"),
        Invalid::TooManyPhotos { .. } => ("photo_file_ids", "too_many"),
        Invalid::Photo(_) => ("photo_file_ids", "unusable_file"),
    };
    FieldError::new(name, code, format!("{}.", capitalised(&invalid.to_string())))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), chars.as_str()))
}

/// The problem of a provider that made no room. What it said is for the log.
pub fn room(error: &RoomError) -> Problem {
    tracing::error!(%error, "no video room could be made");
    Problem {
        retry_after_seconds: Some(5),
        ..Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "video_unavailable",
            "Video can't be started right now. The chat goes on; please try again in a moment.",
        )
    }
}

/// The problem of an error of `dispatch`.
pub fn request(error: &dispatch::Error) -> Problem {
    let conflict = |code, detail| Problem::new(StatusCode::CONFLICT, code, detail);
    match error {
        dispatch::Error::NotFound => Problem::not_found(),
        dispatch::Error::AlreadyTaken => conflict("already_taken", "Another mechanic was faster."),
        dispatch::Error::Closed => conflict("request_closed", "The request was withdrawn or has expired."),
        dispatch::Error::NotApproved => {
            Problem::new(StatusCode::FORBIDDEN, "not_approved", "An admin has to approve your account first.")
        }
        dispatch::Error::Store(error) => super::store(error),
    }
}

/// The problem of a mechanic who can't be assigned.
pub fn unknown_mechanic() -> Problem {
    let message = "This is not an approved mechanic.";
    Problem::invalid(vec![FieldError::new("mechanic_id", "unknown_mechanic", message)])
}
