//! `/admin/users`: looking people up, and one of them.

use accounts::{ApprovalState, User};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use kernel::id::UserId;
use notifications::SuppressionReason;
use serde::Deserialize;
use store::views::staff::{self, OpenSession};
use web::frame::Nav;
use web::people::{MailStop, OpenSessionRow, PeoplePage, PeopleQuery, PersonPage, PersonRow};

use super::frame::{frame, show};
use super::rows;
use crate::http::auth::Staff;
use crate::http::list::List;
use crate::http::users::{self, Known};
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// People on one page.
const ROWS: u32 = 50;

/// Adds the pages.
pub fn routes(router: &mut Router) {
    router.get("/admin/users", Access::Staff, search);
    router.get("/admin/users/{id}", Access::Staff, one);
}

// Browsers and their extensions add fields of their own, so unlike the API this takes any.
#[derive(Debug, Deserialize)]
struct Asked {
    q: Option<String>,
    role: Option<String>,
    status: Option<String>,
    cursor: Option<String>,
}

async fn search(staff: Staff, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let Asked { q, role, status, cursor } = asked.into_inner();
    let asked = users::Asked { q, role, status, cursor, ..users::Asked::default() };
    let filter = asked.filter()?;
    let read = app.db.read(move |tx| staff::users(tx, &filter, ROWS + 1).map_err(Error::from)).await?;
    let rows = List::of(read, ROWS, User::id, |user| row(&user));
    let page = PeoplePage {
        frame: frame(&app, Some(&staff.0), Nav::People),
        query: PeopleQuery {
            search: asked.q.unwrap_or_default(),
            role: asked.role.unwrap_or_default(),
            status: asked.status.unwrap_or_default(),
        },
        rows: rows.items,
        next_cursor: rows.next_cursor,
    };
    show(&page, StatusCode::OK)
}

fn row(user: &User) -> PersonRow {
    PersonRow {
        id: user.id().to_string(),
        name: user.name().to_owned(),
        email: user.email().as_str().to_owned(),
        role: user.role().as_str().to_owned(),
        status: user.status().as_str().to_owned(),
        created_at: user.created_at().to_string(),
    }
}

async fn one(staff: Staff, id: Path<UserId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let known = users::looked_at(&app, &staff, *id).await?.ok_or_else(Problem::not_found)?;
    let own = known.user.id() == staff.id();
    let page = PersonPage { frame: frame(&app, Some(&staff.0), Nav::People), own, ..person(known) };
    show(&page, StatusCode::OK)
}

const fn approval(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "Not decided",
        ApprovalState::Approved => "Approved",
        ApprovalState::Refused => "Refused",
        ApprovalState::Suspended => "Suspended as a mechanic",
    }
}

fn person(known: Known) -> PersonPage {
    let open = |session: OpenSession| OpenSessionRow {
        id: session.id.to_string(),
        status: rows::status(session.status),
        as_mechanic: session.as_mechanic,
    };
    let mechanic = known.mechanic.as_ref();
    PersonPage {
        row: row(&known.user),
        email_verified: known.user.email_verified(),
        phone: known.user.phone().map(str::to_owned),
        approval: mechanic.map(|one| approval(one.approval().state).to_owned()),
        on_duty: mechanic.is_some_and(accounts::Mechanic::on_duty),
        application: known.application.map(|id| id.to_string()),
        session_count: known.sessions,
        open: known.open.into_iter().map(open).collect(),
        stopped_mail: known.suppression.map(|it| MailStop {
            complained: it.reason == SuppressionReason::Complained,
            at: it.created_at.to_string(),
        }),
        suspension: known.suspension.map(|it| (it.reason, it.at.to_string())),
        ..PersonPage::default()
    }
}
