//! A way to run what diesel's derived connection has no syntax for, as long as both databases accept it.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use crate::connection::{AnyConnection, MultiBackend};

/// A query that is valid on PostgreSQL and on SQLite, made runnable on [`AnyConnection`].
#[derive(Debug, Clone, Copy)]
pub struct Both<Q>(Q);

/// Wraps a query that type-checks for both databases: `on_conflict`, `union`, aggregate filters.
pub fn both<Q>(query: Q) -> Both<Q> {
    Both(query)
}

impl<Q: QueryFragment<Pg> + QueryFragment<Sqlite>> QueryFragment<MultiBackend> for Both<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(&self.0, pass)
    }
}

impl<Q: QueryId> QueryId for Both<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Both<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<AnyConnection> for Both<Q> {}
