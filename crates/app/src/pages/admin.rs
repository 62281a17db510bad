//! `/admin`: live sessions, and what waits for a person.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use kernel::UserId;
use kernel::id::SessionId;
use serde::Deserialize;
use store::Tx;
use store::views::admin::{Applicant, Assignable, applicants, assignable, counts, dead_jobs};
use store::views::session::{LiveFilter, LiveOrder, Person, SessionView, live};
use store::views::staff;
use web::admin::{AdminPage, AssignableMechanic, LiveCounts, LiveQuery, LiveRow, LiveSort, PendingMechanic};
use web::alert::Attention;
use web::frame::Nav;
use web::session::SessionStatus;

use super::frame::{frame, show};
use super::rows;
use crate::http::auth::Staff;
use crate::http::{Access, ApiResult, Router, list};
use crate::realtime::protocol::Channel;
use crate::state::Pitlane;
use crate::usecases::{Error, alert_support};

/// Sessions on one page.
const ROWS: u32 = 50;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/admin", Access::Staff, show_live);
}

#[derive(Debug, Deserialize)]
struct Asked {
    status: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    assign: Option<SessionId>,
}

struct Figures {
    counts: LiveCounts,
    sessions: Vec<SessionView>,
    mechanics: Vec<Assignable>,
    applicants: Vec<Applicant>,
    dead_jobs: i64,
    applications: i64,
    attention: Vec<Attention>,
}

async fn show_live(staff: Staff, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let query = live_query(&asked);
    let offset: u32 = list::cursor(asked.cursor.as_deref())?.unwrap_or(0);
    let filter = LiveFilter {
        status: query.status.and_then(|status| sessions::Status::parse(status.code())),
        search: query.search.clone(),
        order: order(query.sort),
        descending: query.descending,
        offset,
    };
    let viewer = staff.id();
    let figures = app.db.read(move |tx| figures(tx, viewer, &filter)).await?;
    let on_duty = figures.mechanics.iter().filter(|mechanic| mechanic.on_duty).count();
    let rows =
        list::List::of(figures.sessions, ROWS, |_| offset.saturating_add(ROWS), |view| row(&app, &view));
    let page = AdminPage {
        frame: frame(&app, Some(&staff.0), Nav::Home),
        now: app.clock.now().to_string(),
        query,
        attention: figures.attention,
        counts: figures.counts,
        rows: rows.items,
        next_cursor: rows.next_cursor,
        mechanics: figures.mechanics.into_iter().map(mechanic).collect(),
        approvals: figures.applicants.into_iter().map(applicant).collect(),
        on_duty: i64::try_from(on_duty).unwrap_or(i64::MAX),
        dead_jobs: figures.dead_jobs,
        applications: figures.applications,
    };
    show(&page, StatusCode::OK)
}

fn live_query(asked: &Asked) -> LiveQuery {
    let mut query = LiveQuery {
        status: asked.status.as_deref().and_then(SessionStatus::from_code).filter(SessionStatus::is_open),
        search: asked.q.clone().unwrap_or_default(),
        assign: asked.assign.map(|id| id.to_string()),
        ..LiveQuery::default()
    };
    if let Some(sort) = &asked.sort {
        query.set_sort(sort);
    }
    query
}

const fn order(sort: LiveSort) -> LiveOrder {
    match sort {
        LiveSort::Created => LiveOrder::Created,
        LiveSort::Customer => LiveOrder::Customer,
        LiveSort::Mechanic => LiveOrder::Mechanic,
        LiveSort::Status => LiveOrder::Status,
        LiveSort::Total => LiveOrder::Total,
    }
}

fn figures(tx: &mut Tx<'_>, viewer: UserId, filter: &LiveFilter) -> Result<Figures, Error> {
    let found = counts(tx)?;
    let count = |wanted| found.iter().find(|(status, _)| *status == wanted).map_or(0, |(_, count)| *count);
    Ok(Figures {
        counts: LiveCounts {
            requested: count(sessions::Status::Requested),
            scheduled: count(sessions::Status::Scheduled),
            accepted: count(sessions::Status::Accepted),
            in_progress: count(sessions::Status::InProgress),
        },
        sessions: live(tx, viewer, filter, ROWS + 1)?,
        mechanics: assignable(tx)?,
        applicants: applicants(tx)?,
        dead_jobs: dead_jobs(tx)?,
        applications: staff::waiting(tx)?,
        attention: alert_support::board(tx)?,
    })
}

fn row(app: &Pitlane, view: &SessionView) -> LiveRow {
    let online = app.hub.online(Channel::Session(view.id));
    let here = |person: &Person| online.contains(&person.id);
    LiveRow {
        id: view.id.to_string(),
        status: rows::status(view.status),
        customer_name: view.customer.name.clone(),
        customer_online: here(&view.customer),
        mechanic_name: view.mechanic.as_ref().map(|mechanic| mechanic.name.clone()),
        mechanic_online: view.mechanic.as_ref().is_some_and(here),
        plan_name: rows::plan_now(app, view),
        created_at: view.created_at.to_string(),
        deadline_at: rows::instant(view.deadline_at),
        total: rows::total(view),
    }
}

fn mechanic(one: Assignable) -> AssignableMechanic {
    AssignableMechanic { id: one.id.to_string(), name: one.name, on_duty: one.on_duty }
}

fn applicant(one: Applicant) -> PendingMechanic {
    PendingMechanic {
        id: one.id.to_string(),
        name: one.name,
        email: one.email,
        email_verified: one.email_verified,
        registered_at: one.registered_at.to_string(),
    }
}
