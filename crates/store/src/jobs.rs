//! The port of `jobs`.

use diesel::RunQueryDsl;
use diesel::prelude::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use jobs::{Counts, Job, JobKind, JobStatus, Store, StoredJob};
use kernel::id::JobId;
use kernel::{StoreError, Timestamp};

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::literal::literal;
use crate::notice::Notice;
use crate::prepared::Keep;
use crate::schema::jobs as table;
use crate::tx::Tx;
use crate::types::{Id, Json, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = table::jobs, treat_none_as_default_value = false)]
struct Row {
    id: Id,
    kind: String,
    payload: Json,
    run_at: Ts,
    dedupe_key: Option<String>,
    status: String,
    attempts: i64,
    lease_owner: Option<String>,
    lease_until: Option<Ts>,
    last_error: Option<String>,
    created_at: Ts,
    finished_at: Option<Ts>,
}

impl TryFrom<&Job> for Row {
    type Error = StoreError;

    fn try_from(job: &Job) -> Result<Self, StoreError> {
        let job = job.stored();
        let payload = serde_json::from_str(&job.payload)
            .map_err(|_| StoreError::Constraint("a job's payload must be JSON".to_owned()))?;
        Ok(Self {
            id: Id(job.id.uuid()),
            kind: job.kind.as_str().to_owned(),
            payload: Json(payload),
            run_at: job.run_at.into(),
            dedupe_key: job.dedupe_key.clone(),
            status: job.status.as_str().to_owned(),
            attempts: i64::from(job.attempts),
            lease_owner: job.lease_owner.clone(),
            lease_until: job.lease_until.map(Ts::from),
            last_error: job.last_error.clone(),
            created_at: job.created_at.into(),
            finished_at: job.finished_at.map(Ts::from),
        })
    }
}

impl TryFrom<Row> for Job {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("job", format!("{what} of {}", row.id.0));
        Self::restore(StoredJob {
            id: JobId::new(row.id.0),
            kind: JobKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            payload: row.payload.0.to_string(),
            run_at: row.run_at.into(),
            dedupe_key: row.dedupe_key.clone(),
            status: JobStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            attempts: u32::try_from(row.attempts).map_err(|_| corrupt("attempts"))?,
            lease_owner: row.lease_owner.clone(),
            lease_until: row.lease_until.map(Timestamp::from),
            last_error: row.last_error.clone(),
            created_at: row.created_at.into(),
            finished_at: row.finished_at.map(Timestamp::from),
        })
    }
}

fn domain(rows: Vec<Row>) -> Result<Vec<Job>, StoreError> {
    rows.into_iter().map(Job::try_from).collect()
}

// Each arm types the query for its own database. SQLite has one writer, so it neither has nor needs the clause.
macro_rules! load_skipping_locked {
    ($tx:expr, $query:expr) => {
        match $tx.conn() {
            AnyConnection::Postgres(postgres) => {
                $query.select(Row::as_select()).for_update().skip_locked().load(postgres).stored()
            }
            AnyConnection::Sqlite(sqlite) => $query.select(Row::as_select()).load(sqlite).stored(),
        }
    };
}

impl Store for Tx<'_> {
    fn job_insert(&mut self, job: &Job) -> Result<bool, StoreError> {
        let row = Row::try_from(job)?;
        let insert = diesel::insert_into(table::jobs::table)
            .values(row)
            .on_conflict(table::jobs::dedupe_key)
            .do_nothing();
        let inserted = insert.kept().execute(self.conn()).stored()? == 1;
        if inserted {
            self.notify(Notice::JobsDue);
        }
        Ok(inserted)
    }

    fn job_update(&mut self, job: &Job) -> Result<(), StoreError> {
        let row = Row::try_from(job)?;
        // What it is and why stays as it was scheduled, so the index of the keys stays untouched.
        let changed = diesel::update(table::jobs::table.find(row.id))
            .set((
                table::jobs::run_at.eq(row.run_at),
                table::jobs::status.eq(row.status),
                table::jobs::attempts.eq(row.attempts),
                table::jobs::lease_owner.eq(row.lease_owner),
                table::jobs::lease_until.eq(row.lease_until),
                table::jobs::last_error.eq(row.last_error),
                table::jobs::finished_at.eq(row.finished_at),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        if changed != 1 {
            return Err(StoreError::Constraint(format!("job {} is not there to be changed", job.id())));
        }
        if job.status() == JobStatus::Queued {
            self.notify(Notice::JobsDue);
        }
        Ok(())
    }

    fn job_by_id(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        let row: Option<Row> = table::jobs::table
            .find(Id(id.uuid()))
            .select(Row::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Job::try_from).transpose()
    }

    fn job_by_id_for_update(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        let query = table::jobs::table.find(Id(id.uuid()));
        let row = match self.conn() {
            AnyConnection::Postgres(postgres) => query.select(Row::as_select()).for_update().first(postgres),
            AnyConnection::Sqlite(sqlite) => query.select(Row::as_select()).first(sqlite),
        };
        row.optional().stored()?.map(Job::try_from).transpose()
    }

    fn jobs_due_for_update(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError> {
        let query = table::jobs::table
            .filter(table::jobs::status.eq(literal(JobStatus::Queued.as_str())))
            .filter(table::jobs::run_at.le(Ts::from(now)))
            .order((table::jobs::run_at, table::jobs::id))
            .limit(i64::from(limit));
        domain(load_skipping_locked!(self, query)?)
    }

    fn jobs_due_of_kind_for_update(
        &mut self,
        kind: JobKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let query = table::jobs::table
            .filter(table::jobs::status.eq(literal(JobStatus::Queued.as_str())))
            .filter(table::jobs::kind.eq(kind.as_str()))
            .filter(table::jobs::run_at.le(Ts::from(now)))
            .order((table::jobs::run_at, table::jobs::id))
            .limit(i64::from(limit));
        domain(load_skipping_locked!(self, query)?)
    }

    fn jobs_expired_for_update(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError> {
        let query = table::jobs::table
            .filter(table::jobs::status.eq(literal(JobStatus::Running.as_str())))
            .filter(table::jobs::lease_until.le(Ts::from(now)))
            .order(table::jobs::lease_until)
            .limit(i64::from(limit));
        domain(load_skipping_locked!(self, query)?)
    }

    fn jobs_next_instant(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<Ts> = table::jobs::table
            .filter(table::jobs::status.eq(literal(JobStatus::Queued.as_str())))
            .order(table::jobs::run_at)
            .select(table::jobs::run_at)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        let ending: Option<Option<Ts>> = table::jobs::table
            .filter(table::jobs::status.eq(literal(JobStatus::Running.as_str())))
            .order(table::jobs::lease_until)
            .select(table::jobs::lease_until)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        Ok([due, ending.flatten()].into_iter().flatten().map(Timestamp::from).min())
    }

    fn jobs_newest(
        &mut self,
        status: Option<JobStatus>,
        before: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let mut query = table::jobs::table
            .order(table::jobs::id.desc())
            .limit(i64::from(limit))
            .select(Row::as_select())
            .into_boxed();
        if let Some(status) = status {
            query = query.filter(table::jobs::status.eq(literal(status.as_str())));
        }
        if let Some(before) = before {
            query = query.filter(table::jobs::id.lt(Id(before.uuid())));
        }
        domain(query.load(self.conn()).stored()?)
    }

    fn jobs_count(&mut self, now: Timestamp) -> Result<Counts, StoreError> {
        let with_status =
            |status: JobStatus| table::jobs::table.filter(table::jobs::status.eq(literal(status.as_str())));
        let whole = |count: i64| u64::try_from(count).unwrap_or(0);
        let queued: i64 = with_status(JobStatus::Queued).count().kept().get_result(self.conn()).stored()?;
        let due: i64 = with_status(JobStatus::Queued)
            .filter(table::jobs::run_at.le(Ts::from(now)))
            .count()
            .kept()
            .get_result(self.conn())
            .stored()?;
        let running: i64 = with_status(JobStatus::Running).count().kept().get_result(self.conn()).stored()?;
        let dead: i64 = with_status(JobStatus::Dead).count().kept().get_result(self.conn()).stored()?;
        Ok(Counts { queued: whole(queued), due: whole(due), running: whole(running), dead: whole(dead) })
    }

    fn jobs_delete_done(&mut self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let old: Vec<Id> = table::jobs::table
            .filter(table::jobs::status.eq(literal(JobStatus::Done.as_str())))
            .filter(table::jobs::finished_at.lt(Ts::from(before)))
            .limit(i64::from(limit))
            .select(table::jobs::id)
            .load(self.conn())
            .stored()?;
        let deleted = diesel::delete(table::jobs::table.filter(table::jobs::id.eq_any(old)))
            .execute(self.conn())
            .stored()?;
        Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
    }
}
