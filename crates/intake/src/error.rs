//! What can be wrong.

use kernel::StoreError;

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
