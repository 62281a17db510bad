//! SQLite: a pool of readers, and one writer thread that commits many closures at once.
//!
//! SQLite has one writer at a time whatever one does, and a commit costs a flush of the disk. So closures queue
//! for one thread, which runs them inside one transaction and flushes once for all of them. A closure that fails is undone
//! alone; a database in trouble fails the whole batch.
//!
//! To undo one alone takes a savepoint, and after a savepoint SQLite keeps a copy of each page that is touched: as much
//! work as all the rest of a small transaction. Closures that fail have seldom written anything. So a batch runs without
//! savepoints first, and only when one of its closures fails after it has written, all of them run again with one each.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::SimpleConnection;
use diesel::r2d2::Pool;
use diesel::sql_types::BigInt;
use kernel::StoreError;
use tokio::sync::{mpsc, oneshot};

use crate::connection::{Access, AnyConnection, Manager, connect};
use crate::db::{Answer, Reading, Settings, SharedSink, Writing, deliver};
use crate::error::{Fault, OpenError, Stored, open_error, take_fault};
use crate::migrate;
use crate::notice::Notice;
use crate::postgres::{blocking, checkout, glance_once, read_once};
use crate::prepared::prepared;
use crate::tx::Tx;

/// Closures that may wait for the writer; more wait in their callers.
const QUEUE: usize = 1_024;
/// Closures in one commit, so that none waits long for the others.
const BATCH: usize = 256;

#[derive(Clone)]
pub(crate) struct SqliteDb {
    readers: Pool<Manager>,
    queue: mpsc::Sender<Waiting>,
}

impl SqliteDb {
    pub(crate) fn open(settings: &Settings, sink: SharedSink) -> Result<Self, OpenError> {
        let place = settings.place();
        let failed = |reason: String| open_error(&place, &reason);
        let mut writer = connect(settings, Access::ReadWrite).map_err(|error| failed(error.to_string()))?;
        migrate::verify(&mut writer)?;
        // Finds out now, not at the first payment, that the file can't be written.
        writer
            .batch_execute("BEGIN IMMEDIATE; PRAGMA user_version = 1; COMMIT")
            .map_err(|error| failed(error.to_string()))?;
        let readers = Pool::builder()
            .max_size(settings.pool_size)
            // One costs half a megabyte and a millisecond: it is opened for who needs it.
            .min_idle(Some(0))
            .test_on_check_out(false)
            .build(Manager { settings: settings.clone(), access: Access::ReadOnly })
            .map_err(|error| failed(error.to_string()))?;
        // Finds out now that it can't be read either; what follows takes this connection.
        checkout(&readers).map_err(|error| failed(error.to_string()))?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&mut writer, waiting, &sink))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { readers, queue })
    }

    pub(crate) async fn read(&self, work: Reading) -> Result<Answer, StoreError> {
        let readers = self.readers.clone();
        blocking(move || {
            let mut connection = checkout(&readers)?;
            read_once(&mut connection, statement, "BEGIN", work)
        })
        .await
    }

    pub(crate) async fn glance(&self, work: Reading) -> Result<Answer, StoreError> {
        if let Some(mut connection) = self.readers.try_get() {
            return glance_once(&mut connection, work);
        }
        let readers = self.readers.clone();
        blocking(move || glance_once(&mut *checkout(&readers)?, work)).await
    }

    pub(crate) async fn write(&self, work: Writing) -> Result<Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { work, outcome: None, notices: Vec::new(), answer };
        self.queue.send(waiting).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the writer ended before it answered".to_owned())
}

/// What became of one closure inside a batch.
enum Ran {
    Kept,
    Undo,
    /// A savepoint was missing: something was not undone that should have been.
    Spoilt,
    Fatal(StoreError),
}

/// Whether what fails can be undone alone.
#[derive(Clone, Copy)]
enum Savepoints {
    Without,
    With,
}

/// What a closure came to.
enum Outcome {
    /// What counts once the batch is committed.
    Kept(Answer),
    /// The closure's own error, which explains more than that a batch failed.
    Refused(Answer),
    Failed(StoreError),
}

/// A closure on its way through the writer.
struct Waiting {
    work: Writing,
    outcome: Option<Outcome>,
    notices: Vec<Notice>,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

impl Waiting {
    fn run(&mut self, connection: &mut AnyConnection, savepoints: Savepoints) -> Ran {
        let _ = take_fault();
        let (work, notices, spoilt) = (&self.work, &mut self.notices, Cell::new(false));
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = match savepoints {
                Savepoints::Without => Tx::hasty(connection, notices, &spoilt),
                Savepoints::With => Tx::new(connection, notices),
            };
            work(&mut tx)
        }));
        // Whatever the closure made of it: SQLite may have ended the transaction, and what came next would be on its own.
        let fatal = take_fault() == Some(Fault::Fatal);
        let failed = || StoreError::Unavailable("the database failed in this batch".to_owned());
        let (outcome, ran) = match ended {
            Ok(Err(answer)) if fatal => (Outcome::Refused(answer), Ran::Fatal(failed())),
            Ok(Ok(_)) | Err(_) if fatal => (Outcome::Failed(failed()), Ran::Fatal(failed())),
            _ if spoilt.get() => return Ran::Spoilt,
            Ok(Ok(answer)) => (Outcome::Kept(answer), Ran::Kept),
            Ok(Err(answer)) => (Outcome::Refused(answer), Ran::Undo),
            Err(_) => {
                let panicked = StoreError::Unavailable("the transaction panicked".to_owned());
                (Outcome::Failed(panicked), Ran::Undo)
            }
        };
        self.outcome = Some(outcome);
        ran
    }

    /// Takes back what came of a run whose writes were undone.
    fn forget(&mut self) {
        self.outcome = None;
        self.notices.clear();
    }

    /// What to tell everybody else once the batch is committed; nothing when the closure was undone.
    fn take_notices(&mut self) -> Vec<Notice> {
        let notices = std::mem::take(&mut self.notices);
        if matches!(self.outcome, Some(Outcome::Kept(_))) { notices } else { Vec::new() }
    }

    /// Tells the caller.
    fn answer(self, committed: Result<(), StoreError>) {
        let result = match (self.outcome, committed) {
            (Some(Outcome::Kept(answer)), Ok(())) | (Some(Outcome::Refused(answer)), _) => Ok(answer),
            (Some(Outcome::Failed(error)), _) | (Some(Outcome::Kept(_)) | None, Err(error)) => Err(error),
            (None, Ok(())) => Err(gone()),
        };
        // The caller may have gone away; what it wrote stays.
        let _ = self.answer.send(result);
    }
}

fn run(connection: &mut AnyConnection, mut waiting: mpsc::Receiver<Waiting>, sink: &SharedSink) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        let committed = commit(connection, &mut batch);
        if let Err(error) = &committed {
            tracing::error!(%error, closures = batch.len(), "a batch was rolled back");
        }
        // Told and answered in one go, so that a socket finds its acknowledgement beside the event and sends both
        // in one packet.
        for mut closure in batch.drain(..) {
            if committed.is_ok() {
                deliver(sink, closure.take_notices());
            }
            closure.answer(committed.clone());
        }
    }
}

fn commit(connection: &mut AnyConnection, batch: &mut [Waiting]) -> Result<(), StoreError> {
    if transaction(connection, |connection| run_without_savepoints(connection, batch))? {
        return Ok(());
    }
    // A refusal may rest on what somebody else in the batch had written, too.
    batch.iter_mut().for_each(|closure| closure.forget());
    transaction(connection, |connection| run_with_savepoints(connection, batch).map(|()| true)).map(drop)
}

/// Commits what `work` has done when it answers `true`, and answers the same.
fn transaction(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    statement(connection, "BEGIN IMMEDIATE")?;
    let done = work(connection).and_then(|kept| {
        if kept {
            statement(connection, "COMMIT")?;
        }
        Ok(kept)
    });
    if !matches!(done, Ok(true)) {
        // SQLite may have rolled back by itself; then this fails, and that is fine.
        let _ = statement(connection, "ROLLBACK");
    }
    done
}

/// `false` when there is something to be undone, which can't be done here.
fn run_without_savepoints(connection: &mut AnyConnection, batch: &mut [Waiting]) -> Result<bool, StoreError> {
    for closure in batch {
        let before = changed_rows(connection)?;
        match closure.run(connection, Savepoints::Without) {
            Ran::Kept => {}
            Ran::Undo if changed_rows(connection)? == before => {}
            Ran::Undo | Ran::Spoilt => return Ok(false),
            Ran::Fatal(error) => return Err(error),
        }
    }
    Ok(true)
}

fn run_with_savepoints(connection: &mut AnyConnection, batch: &mut [Waiting]) -> Result<(), StoreError> {
    batch.iter_mut().try_for_each(|closure| {
        statement(connection, "SAVEPOINT closure")?;
        match closure.run(connection, Savepoints::With) {
            Ran::Kept => statement(connection, "RELEASE closure"),
            Ran::Undo | Ran::Spoilt => statement(connection, "ROLLBACK TO closure")
                .and_then(|()| statement(connection, "RELEASE closure")),
            Ran::Fatal(error) => Err(error),
        }
    })
}

/// How many rows this connection has changed since it was opened. No closure changes the schema, which it doesn't count.
fn changed_rows(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    prepared::<BigInt>("SELECT total_changes()", &[]).get_result(connection).stored()
}

// Kept prepared: a message is three statements, and these are two more.
fn statement(connection: &mut AnyConnection, sql: &str) -> Result<(), StoreError> {
    prepared::<()>(sql, &[]).execute(connection).stored().map(drop)
}
