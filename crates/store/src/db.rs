//! The way to the database: [`Db::read`], [`Db::glance`] and [`Db::write`].

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{StoreError, address};

use crate::error::{OpenError, open_error};
use crate::migrate;
use crate::notice::{Notice, NoticeSink};
use crate::postgres::PostgresDb;
use crate::probe::{self, DatabaseFile};
use crate::sqlite::SqliteDb;
use crate::tx::Tx;

/// How hard SQLite tries to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit is on the disk before it is answered.
    #[default]
    Full,
    /// A power cut may lose the last commits, never the file.
    Normal,
}

impl Synchronous {
    pub(crate) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// Which database, and how it is used.
#[derive(Debug, Clone)]
pub struct Settings {
    url: String,
    /// Connections for reading (SQLite) or for everything (PostgreSQL), 1 to 1000.
    pub pool_size: u32,
    /// SQLite only.
    pub synchronous: Synchronous,
}

pub(crate) enum Location<'a> {
    Sqlite(&'a str),
    Postgres(&'a str),
}

impl Settings {
    /// The database at `sqlite://PATH` or `postgres://…`, with 8 connections and full durability.
    ///
    /// # Errors
    /// [`OpenError::Url`] for anything else: a mistyped scheme must never become a file name.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        let known = url.strip_prefix("sqlite://").is_some_and(|path| !path.is_empty())
            || url.starts_with("postgres://")
            || url.starts_with("postgresql://");
        if !known {
            return Err(OpenError::Url(address::without_secrets(url)));
        }
        Ok(Self { url: url.to_owned(), pool_size: 8, synchronous: Synchronous::Full })
    }

    pub(crate) fn location(&self) -> Location<'_> {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => Location::Sqlite(path),
            None => Location::Postgres(&self.url),
        }
    }

    /// The SQLite file, when it is one.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match self.location() {
            Location::Sqlite(path) => Some(Path::new(path)),
            Location::Postgres(_) => None,
        }
    }

    /// The file, or the server without its password, for messages.
    pub fn place(&self) -> String {
        match self.location() {
            Location::Sqlite(path) => path.to_owned(),
            Location::Postgres(url) => address::place(url),
        }
    }
}

#[derive(Clone)]
enum Backend {
    Sqlite(SqliteDb),
    Postgres(PostgresDb),
}

pub(crate) type SharedSink = Arc<RwLock<Vec<NoticeSink>>>;

pub(crate) fn deliver(sink: &SharedSink, notices: Vec<Notice>) {
    if notices.is_empty() {
        return;
    }
    for sink in sink.read().unwrap_or_else(PoisonError::into_inner).iter() {
        // What was committed stays committed and goes on being committed, whatever a listener makes of it.
        if catch_unwind(AssertUnwindSafe(|| sink(&notices))).is_err() {
            tracing::error!("a listener panicked on what was committed");
        }
    }
}

/// What a piece of work answered: a `Result` of its own types. They are erased because there are hundreds of pieces of
/// work, and whatever runs one would be compiled, kept and loaded once for each.
pub(crate) type Answer = Box<dyn Any + Send>;

/// Work that changes nothing.
pub(crate) type Reading = Box<dyn FnOnce(&mut Tx<'_>) -> Answer + Send>;

/// Work that may run again: `Ok` with what is to be committed, `Err` with what is to be undone.
pub(crate) type Writing = Box<dyn Fn(&mut Tx<'_>) -> Result<Answer, Answer> + Send>;

fn reading<T, E, F>(work: F) -> Reading
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    Box::new(move |tx| Box::new(work(tx)))
}

fn answered<T: 'static, E: From<StoreError> + 'static>(ran: Result<Answer, StoreError>) -> Result<T, E> {
    *ran?.downcast().expect("it is the answer of the work that was handed over")
}

/// A database. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    sink: SharedSink,
    /// Of SQLite.
    file: Option<Arc<DatabaseFile>>,
}

impl Db {
    /// Brings the database at `settings` to this version's schema, creating the file and its folder first where
    /// it is SQLite. Answers the names of the migrations that ran. Blocks.
    ///
    /// # Errors
    /// [`OpenError`], with what to do about it.
    pub fn migrate(settings: &Settings) -> Result<Vec<String>, OpenError> {
        let folder = settings.sqlite_path().and_then(Path::parent);
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| open_error(&settings.place(), &error.to_string()))?;
        }
        migrate::run(settings)
    }

    /// Opens a database that has this version's schema. Blocks.
    ///
    /// # Errors
    /// [`OpenError`], with what to do about it.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let sink = SharedSink::default();
        let backend = match settings.location() {
            Location::Sqlite(_) => Backend::Sqlite(SqliteDb::open(settings, Arc::clone(&sink))?),
            Location::Postgres(_) => Backend::Postgres(PostgresDb::open(settings, Arc::clone(&sink))?),
        };
        let file = settings.sqlite_path().map(|path| Arc::new(DatabaseFile::new(path)));
        Ok(Self { backend, sink, file })
    }

    /// Where notices of committed transactions go from now on, beside those named before.
    pub fn on_commit(&self, sink: NoticeSink) {
        self.sink.write().unwrap_or_else(PoisonError::into_inner).push(sink);
    }

    /// Runs `work` on one consistent picture of the database, which it can't change.
    ///
    /// # Errors
    /// What `work` answers, or [`StoreError::Unavailable`] when there is no connection.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let work = reading(work);
        answered(match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(work).await,
            Backend::Postgres(postgres) => postgres.read(work).await,
        })
    }

    /// Runs `work` that finds a few rows by their keys, without a transaction: each of its statements sees what is
    /// committed by then. It must not change anything: SQLite refuses, and so does PostgreSQL in a debug build. With SQLite it runs on the calling
    /// thread when a connection is free, because it takes less time than the way to another thread and back.
    ///
    /// # Errors
    /// What `work` answers, or [`StoreError::Unavailable`] when there is no connection.
    pub async fn glance<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let work = reading(work);
        answered(match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.glance(work).await,
            Backend::Postgres(postgres) if cfg!(debug_assertions) => postgres.read(work).await,
            Backend::Postgres(postgres) => postgres.glance(work).await,
        })
    }

    /// Runs `work` in a transaction and commits it when it answers `Ok`; nothing is answered before the commit.
    /// `work` may run again, so it has no side effects of its own. Notices go out after the commit.
    ///
    /// # Errors
    /// What `work` answers (everything it did is undone), or a [`StoreError`] of the commit.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let work: Writing = Box::new(move |tx| match work(tx) {
            Ok(value) => Ok(Box::new(Ok::<T, E>(value))),
            Err(error) => Err(Box::new(Err::<T, E>(error))),
        });
        answered(match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(work).await,
            Backend::Postgres(postgres) => postgres.write(work).await,
        })
    }

    /// Finds out whether the database can be written, by writing, and whether its file is as long as it must be. It costs
    /// a commit, so whoever asks often remembers the answer.
    ///
    /// # Errors
    /// [`StoreError`], with what is wrong.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write(probe::touch).await?;
        match self.file.clone() {
            Some(file) => self.read(move |tx| file.check(tx)).await,
            None => Ok(()),
        }
    }

    /// Which database this is: `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite(_) => "sqlite",
            Backend::Postgres(_) => "postgres",
        }
    }
}
