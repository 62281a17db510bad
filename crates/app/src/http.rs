//! The REST API. One file a resource; [`router`] is the only way to a route, [`error`] the only place that knows
//! status codes, [`problem`] the only shape of an error.

pub mod accounts;
pub mod address;
pub mod admin;
pub mod applications;
pub mod audit;
pub mod auth;
pub mod cards;
pub mod checkout;
pub mod crm;
pub mod dev;
pub mod error;
pub mod export;
pub mod extract;
pub mod files;
pub mod health;
pub mod idempotency;
pub mod intake;
pub mod jobs;
pub mod limits;
pub mod list;
pub mod middleware;
pub mod notifications;
mod objects;
pub mod openapi;
pub mod phone;
pub mod plans;
pub mod problem;
pub mod receipts;
pub mod requests;
pub mod resend_webhook;
pub mod router;
pub mod routes;
pub mod second_factor;
pub mod server;
pub mod sessions;
pub mod stripe_webhook;
pub mod summaries;
pub mod trace;
pub mod users;
pub mod vehicles;
pub mod workshops;

pub use extract::{Body, NoBody};
pub use problem::{ApiResult, Problem};
pub use router::{Access, Router};
