//! Time that was added to sessions.

use diesel::prelude::*;
use kernel::StoreError;
use kernel::id::{OrderId, SessionId};
use sessions::Extension;

use crate::error::Stored;
use crate::schema::sessions::session_extensions;
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = session_extensions, treat_none_as_default_value = false)]
struct Row {
    session_id: Id,
    number: i64,
    order_id: Option<Id>,
    minutes: i64,
    price_cents: i64,
    created_at: Ts,
}

impl TryFrom<Row> for Extension {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let number = |stored: i64| {
            u32::try_from(stored).map_err(|reason| StoreError::corrupt("session_extensions", reason))
        };
        Ok(Self {
            session: SessionId::new(row.session_id.0),
            number: number(row.number)?,
            minutes: number(row.minutes)?,
            order: row.order_id.map(|id| OrderId::new(id.0)),
            price_cents: row.price_cents,
            created_at: row.created_at.into(),
        })
    }
}

pub(crate) fn extensions(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<Extension>, StoreError> {
    session_extensions::table
        .filter(session_extensions::session_id.eq(Id(session.uuid())))
        .order(session_extensions::number)
        .select(Row::as_select())
        .load(tx.conn())
        .stored()?
        .into_iter()
        .map(Extension::try_from)
        .collect()
}

pub(crate) fn extension_insert(tx: &mut Tx<'_>, extension: &Extension) -> Result<(), StoreError> {
    let row = Row {
        session_id: Id(extension.session.uuid()),
        number: extension.number.into(),
        order_id: extension.order.map(|id| Id(id.uuid())),
        minutes: extension.minutes.into(),
        price_cents: extension.price_cents,
        created_at: extension.created_at.into(),
    };
    diesel::insert_into(session_extensions::table).values(row).execute(tx.conn()).stored().map(drop)
}
