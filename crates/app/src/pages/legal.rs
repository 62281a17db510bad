//! `/terms` and `/privacy`.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use web::frame::Nav;
use web::legal::LegalPage;

use super::frame::{frame, show};
use crate::http::auth::Visitor;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;

type App = Data<Pitlane>;

/// Adds both pages.
pub fn routes(router: &mut Router) {
    router.get_or_head("/terms", Access::Public, terms);
    router.get_or_head("/privacy", Access::Public, privacy);
}

async fn terms(visitor: Visitor, app: App) -> ApiResult<HttpResponse> {
    let description = "What you get, what it costs, and when you get your money back.".to_owned();
    page(&app, &visitor, description, false)
}

async fn privacy(visitor: Visitor, app: App) -> ApiResult<HttpResponse> {
    let description = "What we keep about you, why, for how long, and who sees it.".to_owned();
    page(&app, &visitor, description, true)
}

fn page(app: &App, visitor: &Visitor, description: String, is_privacy: bool) -> ApiResult<HttpResponse> {
    let frame = frame(app, visitor.0.as_ref(), Nav::None);
    show(&LegalPage { frame, description, texts: Arc::clone(&app.legal), is_privacy }, StatusCode::OK)
}
