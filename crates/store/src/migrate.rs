//! The embedded migrations. They only ever go forward; a landed one is never edited.

use std::collections::BTreeSet;
use std::fs::File;

use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connection::{Access, AnyConnection, connect};
use crate::db::{Location, Settings};
use crate::error::{OpenError, open_error};

pub(crate) const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

// Any number will do, as long as every node uses the same.
const ADVISORY_LOCK: i64 = 7_049_381_265;

/// Brings the database to this version's schema, under a lock so that several processes may start at once.
/// Answers the names of the migrations that ran.
///
/// # Errors
/// [`OpenError`]: not reachable, not writable, migrated by a newer version, or a migration that failed.
pub(crate) fn run(settings: &Settings) -> Result<Vec<String>, OpenError> {
    let place = settings.place();
    let _guard = match settings.location() {
        Location::Sqlite(path) => Some(lock_file(path)?),
        Location::Postgres(_) => None,
    };
    let mut connection =
        connect(settings, Access::ReadWrite).map_err(|error| open_error(&place, &error.to_string()))?;
    if let AnyConnection::Postgres(postgres) = &mut connection {
        diesel::sql_query("SELECT pg_advisory_lock($1)")
            .bind::<diesel::sql_types::BigInt, _>(ADVISORY_LOCK)
            .execute(postgres)
            .map_err(|error| open_error(&place, &error.to_string()))?;
    }
    refuse_newer(&mut connection)?;
    let ran = match &mut connection {
        AnyConnection::Postgres(postgres) => names(postgres.run_pending_migrations(POSTGRES)),
        AnyConnection::Sqlite(sqlite) => names(sqlite.run_pending_migrations(SQLITE)),
    };
    // The advisory lock goes with the connection.
    ran.map_err(|reason| {
        let known = open_error(&place, &reason);
        if let OpenError::Open { reason, .. } = known { OpenError::Migration(reason) } else { known }
    })
}

/// Checks that the database has exactly this version's schema.
///
/// # Errors
/// [`OpenError::SchemaNewer`] or [`OpenError::SchemaOlder`].
pub(crate) fn verify(connection: &mut AnyConnection) -> Result<(), OpenError> {
    let applied = refuse_newer(connection)?;
    match embedded(connection)?.into_iter().find(|version| !applied.contains(version)) {
        Some(missing) => Err(OpenError::SchemaOlder(missing)),
        None => Ok(()),
    }
}

/// The migrations of a database that has exactly this version's schema.
///
/// # Errors
/// Those of [`verify`].
pub(crate) fn verified(connection: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    verify(connection)?;
    Ok(embedded(connection)?.into_iter().collect())
}

fn refuse_newer(connection: &mut AnyConnection) -> Result<BTreeSet<String>, OpenError> {
    let known = embedded(connection)?;
    let applied = match connection {
        AnyConnection::Postgres(postgres) => postgres.applied_migrations(),
        AnyConnection::Sqlite(sqlite) => sqlite.applied_migrations(),
    };
    let applied: BTreeSet<String> = applied
        .map_err(|error| open_error("", &error.to_string()))?
        .into_iter()
        .map(|version| version.to_string())
        .collect();
    match applied.iter().find(|version| !known.contains(*version)) {
        Some(newer) => Err(OpenError::SchemaNewer(newer.clone())),
        None => Ok(applied),
    }
}

/// The migrations that this version has for the kind of database of these settings.
///
/// # Errors
/// [`OpenError::Migration`], when the embedded ones can't be read.
pub(crate) fn known(settings: &Settings) -> Result<BTreeSet<String>, OpenError> {
    match settings.location() {
        Location::Postgres(_) => versions::<Pg>(&POSTGRES),
        Location::Sqlite(_) => versions::<Sqlite>(&SQLITE),
    }
}

fn embedded(connection: &AnyConnection) -> Result<BTreeSet<String>, OpenError> {
    match connection {
        AnyConnection::Postgres(_) => versions::<Pg>(&POSTGRES),
        AnyConnection::Sqlite(_) => versions::<Sqlite>(&SQLITE),
    }
}

fn versions<DB: Backend>(source: &EmbeddedMigrations) -> Result<BTreeSet<String>, OpenError>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let all = MigrationSource::<DB>::migrations(source);
    all.map(|all| all.iter().map(|one| one.name().version().to_string()).collect())
        .map_err(|error| OpenError::Migration(error.to_string()))
}

fn names(
    ran: diesel::migration::Result<Vec<diesel::migration::MigrationVersion<'_>>>,
) -> Result<Vec<String>, String> {
    ran.map(|versions| versions.iter().map(ToString::to_string).collect()).map_err(|error| error.to_string())
}

fn lock_file(path: &str) -> Result<File, OpenError> {
    let name = format!("{path}.migrating");
    let failed = |error: std::io::Error| open_error(path, &error.to_string());
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::sql_types::Text;
    use diesel::{Connection, QueryableByName, SqliteConnection};

    use super::*;

    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        line: String,
    }

    fn lines(sqlite: &mut SqliteConnection, query: &str) -> Vec<String> {
        let lines: Vec<Line> = diesel::sql_query(query).load(sqlite).expect("lines");
        lines.into_iter().map(|line| line.line).collect()
    }

    /// The lists of names in a rule or in an index's condition: `status IN ('a', 'b')`.
    fn lists(sql: &str) -> impl Iterator<Item = &str> {
        sql.split(" IN (").skip(1).filter_map(|rest| rest.split(')').next())
    }

    #[test]
    fn no_rule_of_sqlite_makes_a_table_of_names_at_each_write() {
        let mut sqlite = SqliteConnection::establish(":memory:").expect("a database");
        sqlite.run_pending_migrations(SQLITE).expect("every migration runs");
        let written =
            "SELECT sql AS line FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL";
        for sql in lines(&mut sqlite, written) {
            for list in lists(&sql) {
                assert!(
                    list.split(',').count() <= 2,
                    "with more than two names compare with each instead: `x = 'a' OR x = 'b'`: {list}\n{sql}"
                );
            }
        }
        assert_eq!(lines(&mut sqlite, "SELECT integrity_check AS line FROM pragma_integrity_check"), ["ok"]);
        let refused = sqlite.batch_execute(
            "PRAGMA foreign_keys = OFF; INSERT INTO suppressions (channel, address, reason, created_at) \
             VALUES ('pigeon', 'a@b.c', 'bounced', '2026-11-30T00:00:00.000000Z')",
        );
        assert!(refused.is_err_and(|error| error.to_string().contains("CHECK constraint failed")));
    }
}
