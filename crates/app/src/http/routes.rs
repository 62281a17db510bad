//! Every route of the server, by resource. A resource adds its own in its file.

use super::router::Router;

/// All routes. `development` adds those that exist only there.
pub fn all(development: bool) -> Router {
    let mut router = Router::default();
    super::health::routes(&mut router);
    if development {
        super::dev::routes(&mut router);
    }
    super::accounts::routes(&mut router);
    super::second_factor::routes(&mut router);
    super::export::routes(&mut router);
    super::cards::routes(&mut router);
    super::vehicles::routes(&mut router);
    super::notifications::routes(&mut router);
    super::phone::routes(&mut router);
    super::plans::routes(&mut router);
    super::crm::routes(&mut router);
    super::files::routes(&mut router);
    super::intake::routes(&mut router);
    super::checkout::routes(&mut router);
    super::stripe_webhook::routes(&mut router);
    super::resend_webhook::routes(&mut router);
    super::receipts::routes(&mut router);
    super::openapi::routes(&mut router);
    crate::realtime::handshake::routes(&mut router);
    super::upgrades::routes(&mut router);
    super::sessions::routes(&mut router);
    super::session_files::routes(&mut router);
    super::video::routes(&mut router);
    super::video_callbacks::routes(&mut router);
    super::summaries::routes(&mut router);
    super::requests::routes(&mut router);
    super::admin::routes(&mut router);
    super::applications::routes(&mut router);
    super::workshops::routes(&mut router);
    super::users::routes(&mut router);
    super::audit::routes(&mut router);
    super::jobs::routes(&mut router);
    super::alerts::routes(&mut router);
    super::cron::routes(&mut router);
    crate::pages::routes(&mut router);
    router
}
