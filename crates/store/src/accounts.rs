//! The ports of `accounts`, one file a part.

mod credentials;
mod providers;
mod records;
mod second_factors;
mod users;
