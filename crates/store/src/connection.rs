//! One connection type for both databases.
#![expect(missing_docs, reason = "the derive documents nothing that it generates")]

use diesel::connection::SimpleConnection;
use diesel::prelude::{Connection, ConnectionResult, PgConnection, SqliteConnection};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::result::ConnectionError;

use crate::db::{Location, Settings};

/// A connection to PostgreSQL or to a SQLite file. Queries are written once, against this type.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// A SQLite file.
    Sqlite(SqliteConnection),
}

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

pub(crate) fn connect(settings: &Settings, access: Access) -> ConnectionResult<AnyConnection> {
    match settings.location() {
        Location::Postgres(url) => {
            let mut connection = PgConnection::establish(url)?;
            // The views of the seeds and every timestamp are written for UTC.
            setup(&mut connection, "SET TIME ZONE 'UTC'; SET client_min_messages TO warning;")?;
            Ok(AnyConnection::Postgres(connection))
        }
        Location::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(path)?;
            let synchronous = settings.synchronous.pragma();
            let query_only = match access {
                Access::ReadOnly => "ON",
                Access::ReadWrite => "OFF",
            };
            setup(
                &mut connection,
                &format!(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; \
                     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; \
                     PRAGMA query_only = {query_only};"
                ),
            )?;
            Ok(AnyConnection::Sqlite(connection))
        }
    }
}

fn setup(connection: &mut impl SimpleConnection, statements: &str) -> ConnectionResult<()> {
    connection.batch_execute(statements).map_err(ConnectionError::CouldntSetupConfiguration)
}

/// Opens connections for a pool.
pub(crate) struct Manager {
    pub(crate) settings: Settings,
    pub(crate) access: Access,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        connect(&self.settings, self.access).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Self::Error> {
        connection.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}
