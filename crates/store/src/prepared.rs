//! Written SQL whose statement diesel keeps prepared.
//!
//! `diesel::sql_query` parses and plans its text at every call. The views that fill screens join many tables, so
//! planning costs them more than running.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Untyped};
use diesel::{QueryResult, RunQueryDsl};

use crate::connection::{AnyConnection, MultiBackend};
use crate::types::{AnyUuid, Id};

/// A value for a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Id(Id),
    Number(i64),
}

/// SQL with `$1` to `$9` for its values, which may stand in any order and more than once.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    sql: String,
    values: Vec<Value>,
}

/// This text with these values. Texts must come from a small set: each is kept for as long as its connection.
pub(crate) fn prepared(sql: impl Into<String>, values: Vec<Value>) -> Prepared {
    Prepared { sql: sql.into(), values }
}

impl QueryFragment<MultiBackend> for Prepared {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let mut parts = self.sql.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let mut rest = part.chars();
            let place = rest
                .next()
                .and_then(|digit| digit.to_digit(10))
                .and_then(|place| usize::try_from(place).ok());
            let value = place.and_then(|place| self.values.get(place.checked_sub(1)?));
            match value {
                Some(Value::Id(id)) => out.push_bind_param::<AnyUuid, _>(id)?,
                Some(Value::Number(number)) => out.push_bind_param::<BigInt, _>(number)?,
                None => {
                    let error = format!("no value for ${part}");
                    return Err(diesel::result::Error::QueryBuilderError(error.into()));
                }
            }
            out.push_sql(rest.as_str());
        }
        Ok(())
    }
}

// Known by its text.
impl QueryId for Prepared {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Prepared {
    type SqlType = Untyped;
}

impl RunQueryDsl<AnyConnection> for Prepared {}
