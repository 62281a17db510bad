//! `/dashboard`: the customer's launcher and sessions.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use store::views::session::count_mine;
use web::dashboard::DashboardPage;
use web::frame::Nav;

use super::frame::{frame, show};
use super::rows;
use crate::http::auth::Customer;
use crate::http::{Access, ApiResult, Router, list};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Sessions on one page.
const SESSIONS: u32 = 20;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/dashboard", Access::Customer, show_dashboard);
}

#[derive(Debug, Deserialize)]
struct DashboardQuery {
    plan: Option<String>,
    cursor: Option<String>,
}

async fn show_dashboard(
    customer: Customer,
    query: Query<DashboardQuery>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (user, viewer) = (customer.user(), customer.id());
    let before = list::cursor(query.cursor.as_deref())?;
    let (views, beside) = rows::mine(&app, viewer, before, SESSIONS).await?;
    let row = |view| rows::session_row(&app, &view, &beside);
    let list = list::List::of(views, SESSIONS, |view| view.id, row);
    let page = DashboardPage {
        frame: frame(&app, Some(&customer.0), Nav::Home),
        email: user.email().to_string(),
        email_verified: user.email_verified(),
        plans: rows::plan_cards(&app),
        selected_plan: query.plan.clone().unwrap_or_else(|| "chat10".to_owned()),
        free_used: user.has_used_free_session(),
        sessions: list.items,
        session_count: app.db.read(move |tx| count_mine(tx, viewer).map_err(Error::from)).await?,
        next_href: list.next_cursor.map(|cursor| format!("/dashboard?cursor={cursor}")),
        refund_after_minutes: i64::from(app.settings.dispatch.refund_after_seconds / 60),
    };
    show(&page, StatusCode::OK)
}
