//! The ports of `accounts`, one file a part.

mod applications;
mod credentials;
mod phone_codes;
mod providers;
mod records;
mod second_factors;
mod staff;
mod users;

pub(crate) use applications::Row as ApplicationRow;
pub(crate) use users::Row as UserRow;
