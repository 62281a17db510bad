//! The REST API. One file a resource; [`router`] is the only way to a route, [`error`] the only place that knows
//! status codes, [`problem`] the only shape of an error.

pub mod error;
pub mod extract;
pub mod middleware;
pub mod openapi;
pub mod problem;
pub mod router;
pub mod routes;
pub mod server;

pub use extract::{Body, NoBody};
pub use problem::{ApiResult, Problem};
pub use router::{Access, Router};
