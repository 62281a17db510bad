//! `/`: what Pitlane is and what it costs.

use accounts::ProviderStore;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use kernel::SessionType;
use web::frame::Nav;
use web::landing::LandingPage;

use super::frame::{frame, show};
use super::plans;
use crate::http::auth::Visitor;
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get_or_head("/", Access::Public, landing);
}

async fn landing(visitor: Visitor, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let on_duty = pitlane.db.read(|tx| Ok::<_, Error>(tx.mechanics_on_duty()?.len())).await?;
    let book = pitlane.catalog.active();
    let upgrade = pricing::upgrade_price(book, SessionType::Chat).map_err(|_| Problem::internal())?;
    // Whoever has had the free session is not offered it again.
    let free_used = visitor.0.as_ref().is_some_and(|person| person.user.has_used_free_session());
    let mut plans = plans::cards(book);
    plans.retain(|plan| !(plan.first_time_only && free_used));
    let page = LandingPage {
        frame: frame(&pitlane, visitor.0.as_ref(), Nav::None),
        plans,
        mechanics_on_duty: i64::try_from(on_duty).unwrap_or(i64::MAX),
        upgrade: upgrade.map(|upgrade| plans::amount(upgrade.fee)),
        refund_after_minutes: i64::from(pitlane.settings.dispatch.refund_after_seconds / 60),
    };
    show(&page, StatusCode::OK)
}
