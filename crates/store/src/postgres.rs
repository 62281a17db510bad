//! PostgreSQL: a pool, READ COMMITTED with row locks, and transactions that run again when they lose.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{Pool, PooledConnection};
use kernel::StoreError;

use crate::connection::{Access, AnyConnection, Manager};
use crate::db::{Answer, Reading, Settings, SharedSink, Writing, deliver};
use crate::error::{Fault, OpenError, Stored, open_error, take_fault};
use crate::migrate;
use crate::notice::Notice;
use crate::tx::Tx;

const ATTEMPTS: u32 = 3;
const CONNECTION_WAIT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct PostgresDb {
    pool: Pool<Manager>,
    sink: SharedSink,
}

impl PostgresDb {
    pub(crate) fn open(settings: &Settings, sink: SharedSink) -> Result<Self, OpenError> {
        let place = settings.place();
        let manager = Manager { settings: settings.clone(), access: Access::ReadWrite };
        let mut first = crate::connection::connect(settings, Access::ReadWrite)
            .map_err(|error| open_error(&place, &error.to_string()))?;
        migrate::verify(&mut first)?;
        let pool = Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(Some(1))
            .connection_timeout(CONNECTION_WAIT)
            .build(manager)
            .map_err(|error| open_error(&place, &error.to_string()))?;
        Ok(Self { pool, sink })
    }

    pub(crate) async fn read(&self, work: Reading) -> Result<Answer, StoreError> {
        let pool = self.pool.clone();
        blocking(move || {
            let mut connection = checkout(&pool)?;
            read_once(&mut connection, statement, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work)
        })
        .await
    }

    pub(crate) async fn glance(&self, work: Reading) -> Result<Answer, StoreError> {
        let pool = self.pool.clone();
        blocking(move || glance_once(&mut *checkout(&pool)?, work)).await
    }

    pub(crate) async fn write(&self, work: Writing) -> Result<Answer, StoreError> {
        let pool = self.pool.clone();
        let sink = Arc::clone(&self.sink);
        blocking(move || {
            let mut connection = checkout(&pool)?;
            let mut attempt = 1;
            loop {
                let mut notices = Vec::new();
                let (ended, fault) = write_once(&mut connection, &work, &mut notices);
                match ended {
                    Ended::Committed(answer) => {
                        deliver(&sink, notices);
                        return Ok(answer);
                    }
                    Ended::Undone(_) if fault == Some(Fault::Retry) && attempt < ATTEMPTS => attempt += 1,
                    Ended::Undone(result) => return result,
                }
            }
        })
        .await
    }
}

/// What became of a transaction.
enum Ended {
    Committed(Answer),
    /// What the work answered, or what came between.
    Undone(Result<Answer, StoreError>),
}

fn write_once(
    connection: &mut AnyConnection,
    work: &Writing,
    notices: &mut Vec<Notice>,
) -> (Ended, Option<Fault>) {
    let _ = take_fault();
    if let Err(error) = statement(connection, "BEGIN") {
        return (Ended::Undone(Err(error)), take_fault());
    }
    let ended = catch_unwind(AssertUnwindSafe(|| work(&mut Tx::new(&mut *connection, notices))));
    let result = match ended {
        Ok(Ok(answer)) => match statement(connection, "COMMIT") {
            Ok(()) => return (Ended::Committed(answer), None),
            Err(error) => Err(error),
        },
        Ok(Err(answer)) => Ok(answer),
        Err(_) => Err(StoreError::Unavailable("the transaction panicked".to_owned())),
    };
    let fault = take_fault();
    rollback(connection, statement);
    (Ended::Undone(result), fault)
}

/// How a database is told to begin, to commit and to roll back.
type Statement = fn(&mut AnyConnection, &str) -> Result<(), StoreError>;

/// Runs a read between `begin` and the end of its transaction; `statement` is how the database likes to be told both.
pub(crate) fn read_once(
    connection: &mut AnyConnection,
    statement: Statement,
    begin: &str,
    work: Reading,
) -> Result<Answer, StoreError> {
    statement(connection, begin)?;
    let result = glance_once(connection, work);
    rollback(connection, statement);
    result
}

/// Runs a read as it is: without a transaction of its own.
pub(crate) fn glance_once(connection: &mut AnyConnection, work: Reading) -> Result<Answer, StoreError> {
    let mut notices = Vec::new();
    catch_unwind(AssertUnwindSafe(|| work(&mut Tx::new(connection, &mut notices))))
        .map_err(|_| StoreError::Unavailable("the read panicked".to_owned()))
}

fn rollback(connection: &mut AnyConnection, statement: Statement) {
    // When even this fails the connection is dead, and the pool finds out before it lends it again.
    if let Err(error) = statement(connection, "ROLLBACK") {
        tracing::warn!(%error, "a rollback failed");
    }
}

fn statement(connection: &mut AnyConnection, sql: &str) -> Result<(), StoreError> {
    connection.batch_execute(sql).stored()
}

pub(crate) fn checkout(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>, StoreError> {
    pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))
}

pub(crate) async fn blocking(
    work: impl FnOnce() -> Result<Answer, StoreError> + Send + 'static,
) -> Result<Answer, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Unavailable(error.to_string())),
    }
}
