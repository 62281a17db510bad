//! Column types that exist on both databases, and the Rust values that go into them.
//!
//! | SQL type | PostgreSQL | SQLite | value |
//! |---|---|---|---|
//! | [`AnyUuid`] | `uuid` | BLOB of 16 bytes | [`Id`] |
//! | [`AnyTs`] | `timestamptz` | TEXT of fixed width in UTC, so that text order is time order | [`Ts`] |
//! | [`AnyJson`] | `jsonb` | TEXT | [`Json`] |

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, HasSqlType, Jsonb, SqlType, Timestamptz, TimestamptzSqlite};
use diesel::sqlite::Sqlite;
use kernel::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connection::MultiBackend;
use crate::fixed_width;

/// `uuid`, or a BLOB of 16 bytes.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct AnyUuid;

/// `timestamptz`, or text of fixed width.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
pub struct AnyTs;

/// `jsonb`, or text.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct AnyJson;

// Lets a value of a type of our own pass through the derived connection.
macro_rules! pass_through {
    ($sql:ident, $value:ty) => {
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                MultiBackend::lookup_sql_type::<$sql>(lookup)
            }
        }
        impl ToSql<$sql, MultiBackend> for $value {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }
        impl FromSql<$sql, MultiBackend> for $value {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<$value, $sql>()
            }
        }
    };
}

/// An id as it stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = AnyUuid)]
pub struct Id(pub Uuid);

impl ToSql<AnyUuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<AnyUuid, Pg> for Id {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <Uuid as FromSql<diesel::sql_types::Uuid, Pg>>::from_sql(bytes).map(Self)
    }
}
impl ToSql<AnyUuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        ToSql::<Binary, Sqlite>::to_sql(self.0.as_bytes().as_slice(), out)
    }
}
impl FromSql<AnyUuid, Sqlite> for Id {
    fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(bytes.read_blob())?))
    }
}
pass_through!(AnyUuid, Id);

/// An instant as it stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = AnyTs)]
pub struct Ts(pub OffsetDateTime);

impl From<Timestamp> for Ts {
    fn from(at: Timestamp) -> Self {
        Self(at.as_offset_date_time())
    }
}
impl From<Ts> for Timestamp {
    fn from(at: Ts) -> Self {
        Self::new(at.0)
    }
}

impl ToSql<AnyTs, Pg> for Ts {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamptz, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<AnyTs, Pg> for Ts {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <OffsetDateTime as FromSql<Timestamptz, Pg>>::from_sql(bytes).map(Self)
    }
}
impl ToSql<AnyTs, Sqlite> for Ts {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(fixed_width::write(self.0)?);
        Ok(IsNull::No)
    }
}
impl FromSql<AnyTs, Sqlite> for Ts {
    fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        match fixed_width::read(bytes.read_text()) {
            Some(at) => Ok(Self(at)),
            // Written by hand, in one of the other forms that SQLite's own functions take.
            None => <OffsetDateTime as FromSql<TimestamptzSqlite, Sqlite>>::from_sql(bytes).map(Self),
        }
    }
}
pass_through!(AnyTs, Ts);

/// A JSON document as it stands in a row.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = AnyJson)]
pub struct Json(pub serde_json::Value);

impl ToSql<AnyJson, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Jsonb, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<AnyJson, Pg> for Json {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(bytes).map(Self)
    }
}
impl ToSql<AnyJson, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        // `Display` would write each piece through a formatter.
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl FromSql<AnyJson, Sqlite> for Json {
    fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(bytes.read_text())?))
    }
}
pass_through!(AnyJson, Json);
