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
use diesel::internal::derives::multiconnection::AstPassHelper;
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use crate::connection::{AnyConnection, MultiBackend};
use crate::types::{AnyTs, AnyUuid, Id, Ts};

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

impl<C> QueryFragment<MultiBackend> for Prepared<'_, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let mut parts = self.sql.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let (place, rest) = part.split_at(part.bytes().take_while(u8::is_ascii_digit).count());
            let value = place.parse::<usize>().ok().and_then(|place| self.values.get(place.checked_sub(1)?));
            let Some(value) = value else {
                return Err(diesel::result::Error::QueryBuilderError(format!("no value for ${part}").into()));
            };
            value.bind(&mut out)?;
            out.push_sql(rest);
        }
        Ok(())
    }
}

impl Value<'_> {
    fn bind<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        match self {
            Self::Id(id) => out.push_bind_param::<AnyUuid, _>(id),
            Self::Number(number) => out.push_bind_param::<BigInt, _>(number),
            Self::Text(text) => out.push_bind_param::<Text, _>(text),
            Self::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes),
            Self::Time(at) => out.push_bind_param::<AnyTs, _>(at),
            Self::MaybeId(id) => out.push_bind_param::<Nullable<AnyUuid>, _>(id),
            Self::MaybeText(text) => out.push_bind_param::<Nullable<Text>, _>(text),
            Self::MaybeBytes(bytes) => out.push_bind_param::<Nullable<Binary>, _>(bytes),
            Self::MaybeTime(at) => out.push_bind_param::<Nullable<AnyTs>, _>(at),
        }
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

impl<Q: QueryFragment<MultiBackend>> Keep for Q {}

type Builder = <MultiBackend as Backend>::QueryBuilder;

/// The texts that were written so far, each with its place and its database.
static TEXTS: RwLock<BTreeMap<(usize, bool), &'static str>> = RwLock::new(BTreeMap::new());

impl<Q: QueryFragment<MultiBackend>> Kept<Q> {
    fn text(&self, backend: &MultiBackend) -> QueryResult<&'static str> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let text = self.known_or_written(backend)?;
        Ok(self.text.get_or_init(|| text))
    }

    fn known_or_written(&self, backend: &MultiBackend) -> QueryResult<&'static str> {
        // Two places never share an address; where one has two, its text is kept twice.
        let key = (ptr::from_ref(self.place).addr(), matches!(backend, MultiBackend::Sqlite(_)));
        if let Some(text) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            debug_assert_eq!(*text, self.written(backend)?, "{} is not the same each time", self.place);
            return Ok(text);
        }
        let text = String::leak(self.written(backend)?);
        TEXTS.write().unwrap_or_else(PoisonError::into_inner).insert(key, text);
        Ok(text)
    }

    fn written(&self, backend: &MultiBackend) -> QueryResult<String> {
        let mut out = match backend {
            MultiBackend::Postgres(_) => Builder::Postgres(Default::default()),
            MultiBackend::Sqlite(_) => Builder::Sqlite(Default::default()),
        };
        self.query.to_sql(&mut out, backend)?;
        Ok(out.finish())
    }
}

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Kept<Q> {
    // Of all passes, those that collect values alone have to see the query itself.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
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

impl<Q> RunQueryDsl<AnyConnection> for Kept<Q> {}

// Known by its text.
impl<C> QueryId for Prepared<'_, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> Query for Prepared<'_, C> {
    type SqlType = C;
}

impl<C> RunQueryDsl<AnyConnection> for Prepared<'_, C> {}

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
