//! `/admin/applications`: the queue, and one application.

use accounts::{Application, ApplicationKind, ApplicationStatus, User, UserStore};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use kernel::id::{ApplicationId, UserId};
use serde::Deserialize;
use store::views::staff;
use web::applications::{ApplicationPage, ApplicationRow, ApplicationsPage, StepRow};
use web::frame::Nav;

use super::apply;
use super::frame::{frame, show};
use crate::http::applications::{for_admin, title};
use crate::http::auth::Admin;
use crate::http::list::{self, List};
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::note_read::{Read, note_read};

/// Applications on one page.
const ROWS: u32 = 50;

/// Adds the pages.
pub fn routes(router: &mut Router) {
    router.get("/admin/applications", Access::Admin, queue);
    router.get("/admin/applications/{id}", Access::Admin, one);
}

#[derive(Debug, Deserialize)]
struct Asked {
    status: Option<String>,
    cursor: Option<String>,
}

async fn queue(admin: Admin, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let status = asked.status.as_deref().and_then(ApplicationStatus::parse);
    let cursor = list::cursor(asked.cursor.as_deref())?;
    let (waiting, read) = app
        .db
        .read(move |tx| {
            let waiting = staff::waiting(tx)?;
            Ok::<_, Error>((waiting, staff::applications(tx, status, cursor, ROWS + 1)?))
        })
        .await?;
    let rows = List::of(read, ROWS, |(application, _)| application.id(), |(it, user)| row(&it, &user));
    let page = ApplicationsPage {
        frame: frame(&app, Some(&admin.0), Nav::Applications),
        status: status.map(apply::status),
        waiting,
        rows: rows.items,
        next_cursor: rows.next_cursor,
    };
    show(&page, StatusCode::OK)
}

fn row(application: &Application, user: &User) -> ApplicationRow {
    ApplicationRow {
        id: application.id().to_string(),
        name: title(application).to_owned(),
        workshop: application.kind() == ApplicationKind::Workshop,
        email: user.email().as_str().to_owned(),
        status: apply::status(application.status()),
        revision: i64::from(application.record().revision),
        submitted_at: application.record().updated_at.to_string(),
    }
}

async fn one(admin: Admin, id: Path<ApplicationId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let id = *id;
    let found = app.db.read(move |tx| for_admin(tx, id)).await?;
    let (dossier, user) = found.ok_or_else(Problem::not_found)?;
    note_read(&app, admin.actor(), Read::Application(id, "application")).await?;
    let ids: Vec<UserId> = dossier.steps.iter().map(|step| step.by).collect();
    let people = app.db.read(move |tx| Ok::<_, Error>(tx.users_by_ids(&ids)?)).await?;
    let name = |id: UserId| {
        let person = people.iter().find(|person| person.id() == id);
        person.filter(|_| id != user.id()).map(|person| person.name().to_owned())
    };
    let steps = dossier
        .steps
        .iter()
        .map(|step| StepRow {
            kind: step.kind.as_str().to_owned(),
            at: step.at.to_string(),
            admin: name(step.by),
            text: step.text.clone(),
        })
        .collect();
    let page = ApplicationPage {
        frame: frame(&app, Some(&admin.0), Nav::Applications),
        row: row(&dossier.application, &user),
        user_id: user.id().to_string(),
        email_verified: user.email_verified(),
        facts: apply::facts(&dossier),
        papers: apply::papers(&dossier),
        steps,
    };
    show(&page, StatusCode::OK)
}
