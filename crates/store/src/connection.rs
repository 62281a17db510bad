//! One connection type for both databases.
#![expect(missing_docs, reason = "the derive documents nothing that it generates")]

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::{Connection, ConnectionResult, PgConnection, SqliteConnection};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::result::ConnectionError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
            let mut connection =
                PgConnection::establish(&with_roots(url, openssl_probe::probe().cert_file.as_deref()))?;
            // The views of the seeds and every timestamp are written for UTC.
            setup(&mut connection, "SET TIME ZONE 'UTC'; SET client_min_messages TO warning;")?;
            Ok(AnyConnection::Postgres(connection))
        }
        Location::Sqlite(path) => {
            keep_private(path);
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

/// The same address with the file of this machine's root certificates in the place of `sslrootcert=system`: the client
/// library is built with an OpenSSL that looks for them where nobody puts them. As there, nothing weaker than
/// `sslmode=verify-full` goes with it; what asks for less is left to the library, which refuses it.
fn with_roots(url: &str, roots: Option<&Path>) -> String {
    const SYSTEM: &str = "sslrootcert=system";
    let parts: Vec<&str> = url.split(['?', '&']).skip(1).collect();
    let mode = parts.iter().find_map(|part| part.strip_prefix("sslmode="));
    let (Some(roots), true, None | Some("verify-full")) = (roots, parts.contains(&SYSTEM), mode) else {
        return url.to_owned();
    };
    let file = utf8_percent_encode(&roots.to_string_lossy(), NON_ALPHANUMERIC).to_string();
    let strict = if mode.is_none() { "&sslmode=verify-full" } else { "" };
    url.replace(SYSTEM, &format!("sslrootcert={file}{strict}"))
}

/// Makes a database that is not there yet readable for its owner alone; SQLite gives its neighbours the same rights.
pub(crate) fn keep_private(path: &str) {
    // What stands in the way is told by the connection itself.
    let _ = File::options().write(true).create_new(true).mode(0o600).open(path);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_of_the_machine_are_named_and_nothing_weaker_is_let_in_with_them() {
        let roots = Some(Path::new("/etc/ssl/all certs.pem"));
        let named = "sslrootcert=%2Fetc%2Fssl%2Fall%20certs%2Epem";
        for (url, right) in [
            (
                "postgres://a@b/c?sslmode=verify-full&sslrootcert=system",
                format!("postgres://a@b/c?sslmode=verify-full&{named}"),
            ),
            ("postgres://a@b/c?sslrootcert=system", format!("postgres://a@b/c?{named}&sslmode=verify-full")),
        ] {
            assert_eq!(with_roots(url, roots), right);
            assert_eq!(with_roots(url, None), url, "nothing is known");
        }
        for kept in [
            "postgres://a@b/c?sslmode=require&sslrootcert=system",
            "postgres://a@b/c?sslmode=verify-full&sslrootcert=/a.pem",
            "postgres://a@b/c",
        ] {
            assert_eq!(with_roots(kept, roots), kept);
        }
    }
}
