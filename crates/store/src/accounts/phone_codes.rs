//! Codes that show whose a telephone is.

use accounts::{Phone, PhoneCode};
use diesel::prelude::*;
use diesel::upsert::excluded;
use kernel::{PhoneCodeId, StoreError, Timestamp, UserId};

use crate::error::Stored;
use crate::prepared::on;
use crate::schema::accounts::phone_codes;
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = phone_codes, treat_none_as_default_value = false)]
struct Row {
    user_id: Id,
    id: Id,
    phone: String,
    code_hash: Vec<u8>,
    failures: i64,
    sent_at: Ts,
    day_started_at: Ts,
    sends: i64,
    used_at: Option<Ts>,
}

pub(super) fn read(tx: &mut Tx<'_>, user: UserId) -> Result<Option<PhoneCode>, StoreError> {
    let row: Option<Row> = phone_codes::table
        .find(Id(user.uuid()))
        .select(Row::as_select())
        .first(tx.conn())
        .optional()
        .stored()?;
    row.map(PhoneCode::try_from).transpose()
}

pub(super) fn put(tx: &mut Tx<'_>, code: &PhoneCode) -> Result<(), StoreError> {
    use phone_codes as p;
    let upsert =
        diesel::insert_into(p::table).values(Row::from(code)).on_conflict(p::user_id).do_update().set((
            p::id.eq(excluded(p::id)),
            p::phone.eq(excluded(p::phone)),
            p::code_hash.eq(excluded(p::code_hash)),
            p::failures.eq(excluded(p::failures)),
            p::sent_at.eq(excluded(p::sent_at)),
            p::day_started_at.eq(excluded(p::day_started_at)),
            p::sends.eq(excluded(p::sends)),
            p::used_at.eq(excluded(p::used_at)),
        ));
    on!(tx.conn(), typed => upsert.execute(typed)).stored().map(drop)
}

impl From<&PhoneCode> for Row {
    fn from(code: &PhoneCode) -> Self {
        Self {
            user_id: Id(code.user.uuid()),
            id: Id(code.id.uuid()),
            phone: code.phone.as_str().to_owned(),
            code_hash: code.hash.to_vec(),
            failures: i64::from(code.failures),
            sent_at: code.sent_at.into(),
            day_started_at: code.day_started_at.into(),
            sends: i64::from(code.sends),
            used_at: code.used_at.map(Ts::from),
        }
    }
}

impl TryFrom<Row> for PhoneCode {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("phone code", format!("{what} of {}", row.id.0));
        Ok(Self {
            id: PhoneCodeId::new(row.id.0),
            user: UserId::new(row.user_id.0),
            hash: row.code_hash.as_slice().try_into().map_err(|_| corrupt("hash"))?,
            failures: u32::try_from(row.failures).map_err(|_| corrupt("failures"))?,
            sends: u32::try_from(row.sends).map_err(|_| corrupt("sends"))?,
            phone: Phone::stored(row.phone),
            sent_at: row.sent_at.into(),
            day_started_at: row.day_started_at.into(),
            used_at: row.used_at.map(Timestamp::from),
        })
    }
}
