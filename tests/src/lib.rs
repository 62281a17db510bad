//! What the black-box tests share: the real `pitlane` as a child process, and people who use it.
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | [`TestServer`]: a server with its own folder and database, killed, restarted, and judged at the end |
//! | [`database`] | a database of its own for each server, on SQLite or PostgreSQL, and a look into it |
//! | [`client`] | requests, and answers that must never be a server error |
//! | [`document`] | the OpenAPI description, against which every answer is held |
//! | [`people`] | a customer, a mechanic, an admin |
//! | [`money`] | an intake, a checkout, and the sandbox's payment page |
//! | [`recorder`] | a proxy that notes what goes over the wire to Stripe |
//! | [`resend`] | something that answers like the mail carrier |
//! | [`socket`] | a WebSocket client |
//! | [`twilio`] | something that makes video rooms as Twilio does |
//! | [`bucket`] | a bucket of its own for a server, behind a line that can be cut |
//! | [`browser`] | Chromium, on a phone and on a desk |
//! | [`disk`] | a disk that is small, full or read-only |
//! | [`wait`] | waiting for a condition, with a deadline |
//!
//! It must never link the product: what a test knows of Pitlane it learns as its users do.

pub mod browser;
pub mod bucket;
pub mod client;
pub mod database;
pub mod disk;
pub mod document;
pub mod money;
pub mod people;
pub mod pictures;
pub mod recorder;
pub mod resend;
pub mod server;
pub mod socket;
pub mod twilio;
pub mod wait;

pub use client::{Answer, Client};
pub use database::Backend;
pub use money::Meeting;
pub use people::Person;
pub use server::{TestServer, run};
pub use socket::Socket;
pub use wait::until;

/// Runs one test body on a fresh server with SQLite, and on one with PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($server:ident) $body:block)+) => { $(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body($server: &$crate::TestServer) $body

            #[test]
            fn on_sqlite() {
                $crate::run($crate::Backend::Sqlite, body);
            }

            #[test]
            fn on_postgres() {
                $crate::run($crate::Backend::Postgres, body);
            }
        }
    )+ };
}
