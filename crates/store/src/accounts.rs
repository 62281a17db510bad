//! The ports of `accounts`, one file a part.

mod credentials;
mod phone_codes;
mod providers;
mod records;
mod second_factors;
mod users;
