//! `/admin/jobs`: the work in the background.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use jobs::{Job, JobStatus, Store};
use serde::Deserialize;
use web::frame::Nav;
use web::jobs::{JobFilter, JobRow, JobsPage};

use super::frame::{frame, show};
use crate::http::auth::Staff;
use crate::http::{Access, ApiResult, Router, list};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Jobs on one page.
const ROWS: u32 = 50;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/admin/jobs", Access::Staff, open);
}

// Browsers and their extensions add fields of their own, so unlike the API this takes any.
#[derive(Debug, Deserialize)]
struct Asked {
    status: Option<String>,
    cursor: Option<String>,
}

async fn open(staff: Staff, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let shown = asked.status.as_deref().and_then(JobFilter::from_code).unwrap_or_default();
    let (status, before) = (JobStatus::parse(shown.code()), list::cursor(asked.cursor.as_deref())?);
    let now = app.clock.now();
    let read = app
        .db
        .read(move |tx| Ok::<_, Error>((tx.jobs_count(now)?, tx.jobs_newest(status, before, ROWS + 1)?)));
    let (counts, jobs) = read.await?;
    let rows = list::List::of(jobs, ROWS, Job::id, |job| row(&job));
    let page = JobsPage {
        frame: frame(&app, Some(&staff.0), Nav::Jobs),
        shown,
        dead: counts.dead,
        queued: counts.queued,
        running: counts.running,
        rows: rows.items,
        next_cursor: rows.next_cursor,
    };
    show(&page, StatusCode::OK)
}

fn row(job: &Job) -> JobRow {
    JobRow {
        id: job.id().to_string(),
        kind: job.kind().as_str(),
        attempts: job.attempts(),
        max_attempts: job.kind().patience().max_attempts,
        due_at: job.stored().run_at.to_string(),
        reason: job.stored().last_error.clone(),
    }
}
