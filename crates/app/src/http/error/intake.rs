//! What a client sees of the errors of `intake`.

use actix_web::http::StatusCode;
use intake::{Error, FileStorageError};

use super::unexpected;
use crate::http::problem::{FieldError, Problem};

/// The problem of an error of `intake`.
pub fn intake(error: &Error) -> Problem {
    match error {
        Error::Invalid(faults) => Problem::invalid(
            faults.iter().map(|fault| FieldError::new(&fault.field, fault.code, &fault.message)).collect(),
        ),
        Error::FileKind => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_file_type",
            "Send a photo, a video, a sound or a PDF.",
        ),
        Error::FileEmpty => {
            Problem::invalid(vec![FieldError::new("file", "empty", "This file holds nothing.")])
        }
        Error::FileTooLarge { max_bytes } => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "file_too_large",
            format!("A file may hold at most {max_bytes} bytes."),
        ),
        Error::TooManyUploads { max } => Problem::invalid(vec![FieldError::new(
            "file",
            "too_many",
            format!("At most {max} files may wait for a session. Use some, or wait until they expire."),
        )]),
        Error::UnknownVehicle => Problem::not_found(),
        Error::VehicleKept => {
            Problem::new(StatusCode::CONFLICT, "vehicle_kept", "You have this car on your list already.")
        }
        Error::TooManyVehicles { max } => Problem::new(
            StatusCode::CONFLICT,
            "too_many_vehicles",
            format!("At most {max} cars can be kept. Remove one first."),
        ),
        Error::Store(error) => super::store(error),
    }
}

/// The problem of a failure of the file storage.
pub fn storage(error: &FileStorageError) -> Problem {
    match error {
        FileStorageError::Full => {
            tracing::error!(%error, "no upload can be kept");
            Problem::unavailable()
        }
        FileStorageError::Missing(_) => Problem::not_found(),
        FileStorageError::Failed(_) => unexpected(error),
    }
}

/// The free plan needs a confirmed address.
pub fn email_unverified() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "email_unverified",
        "Confirm your e-mail address first: open the link that we have sent you.",
    )
}
