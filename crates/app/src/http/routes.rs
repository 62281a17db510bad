//! Every route of the server, by resource. A resource adds its own in its file.

use super::router::Router;

/// All routes. `development` adds those that exist only there.
pub fn all(development: bool) -> Router {
    let mut router = Router::default();
    let _ = development;
    super::openapi::routes(&mut router);
    crate::realtime::handshake::routes(&mut router);
    crate::pages::routes(&mut router);
    router
}
