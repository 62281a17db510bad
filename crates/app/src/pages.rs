//! The pages people see: one file a page, filled from the same use cases and views as the REST API.

pub mod errors;

use crate::http::Router;

/// Adds every page and the static assets.
pub fn routes(router: &mut Router) {
    let _ = router;
}
