//! The storage of every domain, over SQLite and PostgreSQL with one repository code.
//!
//! | module | holds |
//! |---|---|
//! | [`db`] | [`Db`]: `read`, `glance` and `write`, the only ways to a connection |
//! | [`tx`] | [`Tx`]: one connection inside one transaction; implements every domain's `Store` port |
//! | [`notice`] | [`Notice`]: what is told to the rest of the process once a transaction has committed |
//! | [`connection`] | the connection that is one or the other database |
//! | [`dialect`] | the few statements that differ |
//! | [`types`] | column types that exist on both |
//! | [`schema`] | diesel's picture of the tables, one file a domain |
//! | [`migrate`] | the embedded migrations |
//! | [`doctor`] | the invariants, as queries that find what breaks them |
//! | [`views`] | what fills a screen |
//! | one file a domain | the implementation of that domain's port |
//!
//! It owns SQL, transactions and the mapping of rows. It must never hold a rule: a row is checked again by its
//! domain when it is read, and decisions are made by the domain functions that call the ports.

pub mod accounts;
mod alerts;
mod attendance;
pub mod backup;
mod clock;
pub mod connection;
pub mod crm;
pub mod db;
pub mod dialect;
pub mod dispatch;
pub mod doctor;
pub mod earnings;
mod error;
mod fixed_width;
pub mod intake;
pub mod jobs;
mod literal;
mod media;
pub mod migrate;
pub mod notice;
pub mod notifications;
pub mod payments;
mod postgres;
mod prepared;
mod probe;
mod retention;
pub mod schema;
mod sessions;
mod sqlite;
mod summaries;
pub mod tx;
pub mod types;
pub mod views;

pub use connection::AnyConnection;
pub use db::{Db, Settings, Synchronous};
pub use error::{OpenError, Stored};
pub use notice::{Notice, NoticeSink, Side};
pub use tx::Tx;
