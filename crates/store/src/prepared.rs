//! Statements that stay prepared: written SQL, and diesel's queries whose text never changes.
//!
//! `diesel::sql_query` parses and plans its text at every call, and so does `diesel::update`, whose changesets may leave
//! columns out. The views that fill screens join many tables, and a message of a busy chat updates one row: planning
//! costs them more than running. And it finds each column of each row by its name, where a list of the
//! columns' types lets them be read by their place.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::Location;
use std::ptr;
use std::sync::{PoisonError, RwLock};

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::internal::derives::multiconnection::AstPassHelper;
use diesel::pg::{Pg, PgConnection, PgQueryBuilder};
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::query_dsl::LoadQuery;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, HasSqlType, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteQueryBuilder};
use diesel::{QueryResult, RunQueryDsl};

use crate::connection::{AnyConnection, MultiBackend};
use crate::types::{AnyTs, AnyUuid, Id, Ts};

/// Runs a query typed for the database that there is. [`AnyConnection`] runs most queries too, but asks of each value and
/// of each column for which database it is. The query is compiled once for each.
macro_rules! on {
    ($connection:expr, $typed:ident => $run:expr) => {
        match $connection {
            $crate::connection::AnyConnection::Postgres($typed) => $run,
            $crate::connection::AnyConnection::Sqlite($typed) => $run,
        }
    };
}
pub(crate) use on;

/// A database, as far as texts and values are concerned.
pub(crate) trait Database: Backend + HasSqlType<AnyUuid> + HasSqlType<AnyTs> {
    fn is_sqlite(&self) -> bool;
    fn builder(&self) -> Self::QueryBuilder;
}

impl Database for Pg {
    fn is_sqlite(&self) -> bool {
        false
    }

    fn builder(&self) -> PgQueryBuilder {
        PgQueryBuilder::default()
    }
}

impl Database for Sqlite {
    fn is_sqlite(&self) -> bool {
        true
    }

    fn builder(&self) -> SqliteQueryBuilder {
        SqliteQueryBuilder::default()
    }
}

impl Database for MultiBackend {
    fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    fn builder(&self) -> Self::QueryBuilder {
        match self {
            Self::Postgres(postgres) => Self::QueryBuilder::Postgres(postgres.builder()),
            Self::Sqlite(sqlite) => Self::QueryBuilder::Sqlite(sqlite.builder()),
        }
    }
}

/// A value for a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Value<'v> {
    Id(Id),
    Number(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
    Time(Ts),
    MaybeId(Option<Id>),
    MaybeText(Option<&'v str>),
    MaybeBytes(Option<&'v [u8]>),
    MaybeTime(Option<Ts>),
}

/// SQL with `$1`, `$2` and so on for its values, which may stand in any order and more than once. `C` is the tuple of
/// its columns' types, in the order in which it selects them; `()` for a statement that selects nothing.
#[derive(Debug, Clone)]
pub(crate) struct Prepared<'v, C> {
    sql: &'v str,
    values: &'v [Value<'v>],
    columns: PhantomData<C>,
}

/// This text with these values. Texts must come from a small set: each is kept for as long as its connection.
pub(crate) fn prepared<'v, C>(sql: &'v str, values: &'v [Value<'v>]) -> Prepared<'v, C> {
    Prepared { sql, values, columns: PhantomData }
}

impl<'v, C> Prepared<'v, C> {
    /// Changes rows: how many.
    pub(crate) fn execute(self, connection: &mut AnyConnection) -> QueryResult<usize> {
        on!(connection, typed => typed.execute_returning_count(&self))
    }

    /// Reads rows: all of them.
    pub(crate) fn load<'q, U>(self, connection: &mut AnyConnection) -> QueryResult<Vec<U>>
    where
        Self: LoadQuery<'q, PgConnection, U> + LoadQuery<'q, SqliteConnection, U>,
    {
        on!(connection, typed => RunQueryDsl::load(self, typed))
    }

    /// Reads one row, the first.
    pub(crate) fn get_result<'q, U>(self, connection: &mut AnyConnection) -> QueryResult<U>
    where
        Self: LoadQuery<'q, PgConnection, U> + LoadQuery<'q, SqliteConnection, U>,
    {
        on!(connection, typed => RunQueryDsl::get_result(self, typed))
    }
}

impl<C, DB: Database> QueryFragment<DB> for Prepared<'_, C>
where
    Id: ToSql<AnyUuid, DB>,
    Ts: ToSql<AnyTs, DB>,
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
    [u8]: ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut parts = self.sql.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let (place, rest) = part.split_at(part.bytes().take_while(u8::is_ascii_digit).count());
            let value = place.parse::<usize>().ok().and_then(|place| self.values.get(place.checked_sub(1)?));
            let Some(value) = value else {
                return Err(diesel::result::Error::QueryBuilderError(format!("no value for ${part}").into()));
            };
            match value {
                Value::Id(id) => out.push_bind_param::<AnyUuid, _>(id)?,
                Value::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
                Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
                Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                Value::Time(at) => out.push_bind_param::<AnyTs, _>(at)?,
                Value::MaybeId(id) => out.push_bind_param::<Nullable<AnyUuid>, _>(id)?,
                Value::MaybeText(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Value::MaybeBytes(bytes) => out.push_bind_param::<Nullable<Binary>, _>(bytes)?,
                Value::MaybeTime(at) => out.push_bind_param::<Nullable<AnyTs>, _>(at)?,
            }
            out.push_sql(rest);
        }
        Ok(())
    }
}

/// A query of diesel's whose statement stays prepared and whose text is written once.
#[derive(Debug, Clone)]
pub(crate) struct Kept<Q> {
    query: Q,
    place: &'static Location<'static>,
    /// Each pass wants it.
    text: OnceCell<&'static str>,
}

/// Says of a query of diesel's that its text never changes.
///
/// Without it diesel writes the text two or three times at every call, which costs as much as running a small statement,
/// and it plans an `UPDATE` anew each time, because a changeset may leave columns out.
pub(crate) trait Keep: Sized {
    /// The same query, known by the line that calls this. Its text must be the same whatever its values: no list of
    /// values, no filter that is there only sometimes, no missing value that an `INSERT` leaves out. A debug build
    /// compares.
    #[track_caller]
    fn kept(self) -> Kept<Self> {
        Kept { query: self, place: Location::caller(), text: OnceCell::new() }
    }
}

impl<Q: QueryId> Keep for Q {}

/// The texts that were written so far, each with its place and its database.
static TEXTS: RwLock<BTreeMap<(usize, bool), &'static str>> = RwLock::new(BTreeMap::new());

impl<Q: QueryFragment<Pg> + QueryFragment<Sqlite> + QueryId> Kept<Q> {
    /// Changes rows: how many.
    pub(crate) fn execute(self, connection: &mut AnyConnection) -> QueryResult<usize> {
        on!(connection, typed => typed.execute_returning_count(&self))
    }
}

impl<Q> Kept<Q> {
    fn text<DB: Database>(&self, backend: &DB) -> QueryResult<&'static str>
    where
        Q: QueryFragment<DB>,
    {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let text = self.known_or_written(backend)?;
        Ok(self.text.get_or_init(|| text))
    }

    fn known_or_written<DB: Database>(&self, backend: &DB) -> QueryResult<&'static str>
    where
        Q: QueryFragment<DB>,
    {
        // Two places never share an address; where one has two, its text is kept twice.
        let key = (ptr::from_ref(self.place).addr(), backend.is_sqlite());
        if let Some(text) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            debug_assert_eq!(*text, self.written(backend)?, "{} is not the same each time", self.place);
            return Ok(text);
        }
        let text = String::leak(self.written(backend)?);
        TEXTS.write().unwrap_or_else(PoisonError::into_inner).insert(key, text);
        Ok(text)
    }

    fn written<DB: Database>(&self, backend: &DB) -> QueryResult<String>
    where
        Q: QueryFragment<DB>,
    {
        let mut out = backend.builder();
        self.query.to_sql(&mut out, backend)?;
        Ok(out.finish())
    }
}

impl<Q: QueryFragment<DB>, DB: Database> QueryFragment<DB> for Kept<Q> {
    // Of all passes, those that collect values alone have to see the query itself.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if out.bind_collector().is_some() || out.debug_binds().is_some() {
            return self.query.walk_ast(out);
        }
        let backend = out.backend();
        out.push_sql(self.text(backend)?);
        Ok(())
    }
}

// Known by its type where diesel allows that, and else by its text.
impl<Q: QueryId> QueryId for Kept<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Kept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C: Connection> RunQueryDsl<C> for Kept<Q> {}

// Known by its text.
impl<C> QueryId for Prepared<'_, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> Query for Prepared<'_, C> {
    type SqlType = C;
}

impl<C, T: Connection> RunQueryDsl<T> for Prepared<'_, C> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use diesel::connection::{InstrumentationEvent, SimpleConnection};
    use diesel::prelude::{BoolExpressionMethods, Connection, ExpressionMethods, QueryDsl, SqliteConnection};

    use super::*;

    diesel::table! {
        wheels (id) {
            id -> BigInt,
            name -> Nullable<Text>,
        }
    }

    fn connection() -> (AnyConnection, Arc<AtomicU32>) {
        let mut sqlite = SqliteConnection::establish(":memory:").expect("a database");
        sqlite
            .batch_execute("CREATE TABLE wheels (id INTEGER PRIMARY KEY, name TEXT) STRICT; INSERT INTO wheels VALUES (1, NULL)")
            .expect("a table");
        let kept = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&kept);
        sqlite.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        (AnyConnection::Sqlite(sqlite), kept)
    }

    #[test]
    fn an_update_is_planned_once_and_takes_each_value() {
        let (mut connection, kept) = connection();
        for name in [Some("front left"), None, Some("spare")] {
            let update = diesel::update(wheels::table.find(1)).set(wheels::name.eq(name));
            assert_eq!(update.kept().execute(&mut connection), Ok(1));
            let read = wheels::table.select(wheels::name).limit(1).kept().get_result(&mut connection);
            assert_eq!(read, Ok(name.map(str::to_owned)));
        }
        assert_eq!(kept.load(Ordering::Relaxed), 2, "one update and one read");
    }

    #[test]
    #[should_panic(expected = "is not the same each time")]
    fn a_text_that_changes_is_found_out() {
        let (mut connection, _) = connection();
        for ids in [vec![1, 2], vec![1]] {
            let found = wheels::table.filter(wheels::id.eq_any(ids).and(wheels::id.gt(0))).count();
            found.kept().get_result::<i64>(&mut connection).expect("a count");
        }
    }
}
