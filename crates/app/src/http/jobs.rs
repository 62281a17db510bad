//! `/api/admin/jobs`: the work in the background, and running again what was given up.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Query};
use jobs::{Job, JobStatus, Store};
use kernel::Timestamp;
use kernel::id::JobId;
use serde::{Deserialize, Serialize};

use super::applications::unknown;
use super::auth::{Admin, Staff};
use super::list::{self, List};
use super::problem::ApiResult;
use super::router::{Access, Router};
use super::{NoBody, address};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::retry_job::retry_job;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/jobs", Access::Staff, all);
    router.post("/api/admin/jobs/{id}/retry", Access::Admin, retry);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    status: Option<String>,
    #[serde(default, deserialize_with = "list::number")]
    limit: Option<u64>,
    cursor: Option<String>,
}

// The payload stays inside: it may hold what is nobody's business.
#[derive(Debug, Serialize)]
struct JobBody {
    id: JobId,
    kind: &'static str,
    status: &'static str,
    attempts: u32,
    max_attempts: u32,
    run_at: Timestamp,
    last_error: Option<String>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let stored = job.stored();
        Self {
            id: stored.id,
            kind: stored.kind.as_str(),
            status: stored.status.as_str(),
            attempts: stored.attempts,
            max_attempts: stored.kind.patience().max_attempts,
            run_at: stored.run_at,
            last_error: stored.last_error.clone(),
            created_at: stored.created_at,
            finished_at: stored.finished_at,
        }
    }
}

async fn all(_staff: Staff, wanted: Query<Wanted>, app: Data<Pitlane>) -> ApiResult<Json<List<JobBody>>> {
    let Wanted { status, limit, cursor } = wanted.into_inner();
    let (limit, before) = (list::limit(limit), list::cursor(cursor.as_deref())?);
    let status = status.filter(|name| !name.is_empty()).map(|name| {
        JobStatus::parse(&name).ok_or_else(|| unknown("status", "There is no status of that name."))
    });
    let status = status.transpose()?;
    let read = app.db.read(move |tx| tx.jobs_newest(status, before, limit + 1).map_err(Error::from)).await?;
    Ok(Json(List::of(read, limit, Job::id, JobBody::from)))
}

async fn retry(
    admin: Admin,
    id: Path<JobId>,
    request: HttpRequest,
    app: Data<Pitlane>,
    _: NoBody,
) -> ApiResult<Json<JobBody>> {
    let address = address::of(&request, &app);
    Ok(Json(retry_job(&app, *id, admin.actor(), address).await?.into()))
}
