//! What the store promises, on SQLite and PostgreSQL alike.
//!
//! PostgreSQL takes part when `PITLANE_TEST_POSTGRES` names a server on which databases may be made, as
//! `cargo xtask test` arranges; in CI it must.

#[path = "contract/intake.rs"]
mod intake;
#[path = "contract/jobs.rs"]
mod jobs;
#[path = "contract/payments.rs"]
mod payments;
#[path = "contract/transactions.rs"]
mod transactions;
#[path = "contract/world.rs"]
mod world;
