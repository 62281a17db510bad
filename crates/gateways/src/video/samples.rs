//! Who asks for a pass, and when, in the tests of this module.

use kernel::Timestamp;
use sessions::Guest;

/// A driver.
pub(super) fn dana() -> Guest {
    Guest {
        session: "0198d7a0-0000-7000-8000-0000000044c1".parse().expect("an id"),
        user: "0198d7a0-0000-7000-8000-00000000000b".parse().expect("an id"),
        name: "Dana Driver".to_owned(),
    }
}

/// A moment.
pub(super) fn then() -> Timestamp {
    Timestamp::from_unix_seconds(1_764_115_200).expect("a time")
}
