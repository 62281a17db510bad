//! What can be wrong.

use kernel::StoreError;

use crate::scrub;

/// One field that needs another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, with dots and indices as in the request: `vehicle.vin`, `file_ids[2]`.
    pub field: String,
    /// A stable code a program can act on.
    pub code: &'static str,
    /// What would be right, for a person.
    pub message: String,
}

impl Fault {
    /// A field, a code and a sentence.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

impl From<scrub::Fault> for Error {
    fn from(fault: scrub::Fault) -> Self {
        match fault {
            scrub::Fault::Unreadable => Self::FileUnreadable,
            scrub::Fault::TooManyPixels => Self::PictureTooLarge { max_pixels: scrub::PIXELS_MAX },
        }
    }
}

/// Why an intake or an upload did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Some fields need another value. Never empty.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<Fault>),
    /// The file is of a kind that is not taken.
    #[error("this kind of file is not taken")]
    FileKind,
    /// The file holds nothing.
    #[error("the file is empty")]
    FileEmpty,
    /// The file is larger than files may be.
    #[error("a file has at most {max_bytes} bytes")]
    FileTooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The file is not what its first bytes say, or it is broken.
    #[error("the file can't be read")]
    FileUnreadable,
    /// The picture would take too much memory to open.
    #[error("a picture has at most {max_pixels} pixels")]
    PictureTooLarge {
        /// The limit.
        max_pixels: u64,
    },
    /// This person has sent as much as one may send in a day.
    #[error("a person may send {max_bytes} bytes a day")]
    DayFull {
        /// The limit.
        max_bytes: u64,
        /// When some of it counts no more.
        retry_after_seconds: u64,
    },
    /// The file took longer to arrive than a file may take.
    #[error("the file took too long")]
    UploadTooSlow,
    /// This person has as many unused uploads as one may have.
    #[error("at most {max} uploads may wait for a session")]
    TooManyUploads {
        /// The limit.
        max: usize,
    },
    /// There is no such car on the person's list.
    #[error("there is no such car")]
    UnknownVehicle,
    /// The same car is on the person's list already.
    #[error("this car is kept already")]
    VehicleKept,
    /// The list is as long as it may be to add a car by hand.
    #[error("at most {max} cars may be kept")]
    TooManyVehicles {
        /// The limit.
        max: usize,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
