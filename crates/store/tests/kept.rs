//! On SQLite: the busiest statements stay prepared, and those that wait for work go through the partial indexes.
//!
//! diesel tells when it keeps a statement. This is a program of its own, because who listens is decided for a whole
//! process.

use std::sync::{Arc, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use jobs::{JobStatus, Store as _};
use kernel::id::UserId;
use kernel::{Context, Entropy, SessionId, StoreError, Timestamp};
use payments::Store as _;
use sessions::{Event, EventActor, Head, Kind, Store as _};
use store::{Db, Settings, Tx};
use uuid::Uuid;

static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn listener() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::CacheQuery { sql, .. } = event {
            KEPT.lock().expect("not poisoned").push(sql.to_owned());
        }
    }))
}

struct Fixed;

impl Entropy for Fixed {
    fn id(&self, _: Timestamp) -> Uuid {
        Uuid::from_u128(1)
    }

    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan(connection: &mut SqliteConnection, sql: &str) -> String {
    let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(connection).expect("a plan");
    steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("; ")
}

fn wait_for_work(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.jobs_due_for_update(now, 8)?;
    tx.jobs_expired_for_update(now, 8)?;
    tx.jobs_next_instant()?;
    tx.jobs_delete_done(now, 8)?;
    tx.jobs_newest(Some(JobStatus::Dead), None, 8)?;
    tx.orders_overdue(now, 8)?;
    tx.refunds_unresolved(now, 8)?;
    Ok(())
}

#[tokio::test]
async fn busy_statements_are_kept_and_partial_indexes_serve_them() {
    set_default_instrumentation(listener).expect("nobody else listens");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("test.db").display().to_string();
    let settings = Settings::new(&format!("sqlite://{file}")).expect("a database");
    Db::migrate(&settings).expect("migrates");
    let db = Db::open(&settings).expect("opens");
    let cx = Context::new(Timestamp::UNIX_EPOCH, Arc::new(Fixed));
    let now = cx.now;
    db.write(move |tx| wait_for_work(tx, now)).await.expect("nothing is there");
    let body = "{}".to_owned();
    let id = SessionId::new(Uuid::from_u128(2));
    let line = Event::next(id, &Head::default(), Kind::Started, EventActor::SYSTEM, body, None, &cx);
    // There is no such session: what counts is that the statement was kept before it failed.
    db.write(move |tx| tx.event_append(&line)).await.expect_err("no session");
    db.read(|tx| tx.session_by_id(SessionId::new(Uuid::nil()))).await.expect("no session");

    db.write(move |tx| tx.participant_read(id, UserId::new(Uuid::nil()), 1)).await.expect("nobody read");

    let kept = KEPT.lock().expect("not poisoned").clone();
    for text in [
        "SELECT total_changes()",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "INSERT INTO session_events",
        "UPDATE `session_participants`",
    ] {
        assert!(kept.iter().any(|sql| sql.starts_with(text)), "{text} is not kept: {kept:#?}");
    }
    let mut connection = SqliteConnection::establish(&file).expect("opens");
    let plans: Vec<String> = kept
        .iter()
        .filter(|sql| sql.starts_with("SELECT"))
        .map(|sql| format!("{} <- {sql}", plan(&mut connection, sql)))
        .collect();
    for (index, times) in [
        ("jobs_due", 2),
        ("jobs_leases", 2),
        ("jobs_done", 1),
        ("jobs_dead", 1),
        ("orders_unresolved", 1),
        ("refunds_unresolved", 1),
    ] {
        let found = plans.iter().filter(|plan| plan.contains(&format!("INDEX {index}"))).count();
        assert_eq!(found, times, "{index}: {plans:#?}");
    }
}
