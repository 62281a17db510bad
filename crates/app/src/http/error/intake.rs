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
            format!("A file may hold at most {}.", megabytes(*max_bytes)),
        ),
        Error::FileUnreadable => Problem::invalid(vec![FieldError::new(
            "file",
            "unreadable",
            "This file is broken or not what it seems. Save it anew, or send a screenshot of it.",
        )]),
        Error::PictureTooLarge { max_pixels } => Problem::invalid(vec![FieldError::new(
            "file",
            "too_many_pixels",
            format!("A picture may have at most {} million pixels.", max_pixels / 1_000_000),
        )]),
        Error::DayFull { max_bytes, retry_after_seconds } => Problem {
            retry_after_seconds: Some(*retry_after_seconds),
            ..Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_much_uploaded",
                format!("In 24 hours one person may send {}. Send more later.", megabytes(*max_bytes)),
            )
        },
        Error::UploadTooSlow => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "upload_too_slow",
            "The file took too long to arrive. Send it again.",
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

/// A limit as people read it.
pub(super) fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// The problem of a failure of the file storage.
pub fn storage(error: &FileStorageError) -> Problem {
    match error {
        FileStorageError::Full | FileStorageError::Away(_) => {
            tracing::error!(%error, "uploads can't be kept or read");
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
