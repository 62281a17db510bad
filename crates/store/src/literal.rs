//! Names that stand in a statement's text instead of being bound to it.
//!
//! A partial index (`… WHERE status = 'queued'`) serves a query only if its text says the same. A bound value doesn't:
//! PostgreSQL's generic plans leave the index out, and SQLite is built to keep a plan whatever is bound
//! (`SQLITE_ENABLE_QPSG`), because it otherwise plans a statement again for every value.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel::{Column, QueryResult};

/// A name of the code's own, such as a status; never a value from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Literal(&'static str);

/// The name as a text literal.
pub(crate) fn literal(name: &'static str) -> Literal {
    debug_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name} is no name");
    Literal(name)
}

impl Expression for Literal {
    type SqlType = Text;
}

impl<DB: Backend> QueryFragment<DB> for Literal {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("'");
        pass.push_sql(self.0);
        pass.push_sql("'");
        Ok(())
    }
}

/// That a column holds one of some names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneOf<C, const N: usize> {
    column: C,
    names: [Literal; N],
}

/// `(column = 'a' OR column = 'b')`, in this order, which must be the index's.
pub(crate) fn one_of<C: Column, const N: usize>(column: C, names: [&'static str; N]) -> OneOf<C, N> {
    OneOf { column, names: names.map(literal) }
}

impl<C, const N: usize> Expression for OneOf<C, N> {
    type SqlType = Bool;
}

impl<DB: Backend, C: QueryFragment<DB>, const N: usize> QueryFragment<DB> for OneOf<C, N> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("(");
        for (place, name) in self.names.iter().enumerate() {
            if place > 0 {
                pass.push_sql(" OR ");
            }
            self.column.walk_ast(pass.reborrow())?;
            pass.push_sql(" = ");
            name.walk_ast(pass.reborrow())?;
        }
        pass.push_sql(")");
        Ok(())
    }
}

// Statements with these are known by their text.
macro_rules! textual { ($(<$($parameter:ident $(: $bound:ident)?),* $(; $size:ident)?> $name:ty),+ $(,)?) => { $(
    impl<$($parameter $(: $bound)?,)* $(const $size: usize)?> QueryId for $name {
        type QueryId = ();
        const HAS_STATIC_QUERY_ID: bool = false;
    }
    impl<Source, $($parameter $(: $bound)?,)* $(const $size: usize)?> AppearsOnTable<Source> for $name {}
    impl<Source, $($parameter $(: $bound)?,)* $(const $size: usize)?> SelectableExpression<Source> for $name {}
    impl<Grouping, $($parameter $(: $bound)?,)* $(const $size: usize)?> ValidGrouping<Grouping> for $name {
        type IsAggregate = is_aggregate::Never;
    }
)+ } }

textual!(<> Literal, <C; N> OneOf<C, N>);
