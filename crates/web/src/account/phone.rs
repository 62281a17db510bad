//! The part of the account page with the telephone. It sends `POST /api/me/phone`, `POST /api/me/phone/verify` and, to
//! remove the number, `PATCH /api/me`.

/// The telephone.
#[derive(Clone, Debug, Default)]
pub struct PhoneSection {
    /// The number, if there is one.
    pub number: Option<String>,
    /// Whether it is shown to be the person's.
    pub verified: bool,
    /// Whether text messages reach anybody; else nothing is asked for, and only a number that is there can be removed.
    pub offered: bool,
}
