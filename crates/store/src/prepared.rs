//! Written SQL whose statement diesel keeps prepared.
//!
//! `diesel::sql_query` parses and plans its text at every call, and so does `diesel::update`, whose changesets may leave
//! columns out. The views that fill screens join many tables, and a message of a busy chat updates one row: planning
//! costs them more than running. And it finds each column of each row by its name, where a list of the
//! columns' types lets them be read by their place.

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
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

// Known by its text.
impl<C> QueryId for Prepared<'_, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> Query for Prepared<'_, C> {
    type SqlType = C;
}

impl<C> RunQueryDsl<AnyConnection> for Prepared<'_, C> {}
