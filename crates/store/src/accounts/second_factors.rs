//! Authenticator apps and recovery codes.

use accounts::{SecondFactor, SecondFactorStore, TokenHash};
use diesel::prelude::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel::{AsChangeset, RunQueryDsl};
use kernel::{EnrolmentId, StoreError, Timestamp, UserId};

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::accounts::{recovery_codes, second_factors};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = second_factors, primary_key(user_id), treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    user_id: Id,
    enrolment_id: Id,
    created_at: Ts,
    confirmed_at: Option<Ts>,
    last_step: i64,
}

impl TryFrom<Row> for SecondFactor {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            user: UserId::new(row.user_id.0),
            enrolment: EnrolmentId::new(row.enrolment_id.0),
            created_at: row.created_at.into(),
            confirmed_at: row.confirmed_at.map(Timestamp::from),
            last_step: u64::try_from(row.last_step)
                .map_err(|_| StoreError::corrupt("second factor", "last_step"))?,
        })
    }
}

impl SecondFactorStore for Tx<'_> {
    fn second_factor_by_user(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let row: Option<Row> = second_factors::table
            .find(Id(user.uuid()))
            .select(Row::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(SecondFactor::try_from).transpose()
    }

    fn second_factor_for_update(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let query = second_factors::table.find(Id(user.uuid()));
        let row = match self.conn() {
            AnyConnection::Postgres(postgres) => query.select(Row::as_select()).for_update().first(postgres),
            AnyConnection::Sqlite(sqlite) => query.select(Row::as_select()).first(sqlite),
        };
        row.optional().stored()?.map(SecondFactor::try_from).transpose()
    }

    fn second_factor_put(&mut self, factor: &SecondFactor) -> Result<(), StoreError> {
        let row = Row {
            user_id: Id(factor.user.uuid()),
            enrolment_id: Id(factor.enrolment.uuid()),
            created_at: factor.created_at.into(),
            confirmed_at: factor.confirmed_at.map(Ts::from),
            last_step: i64::try_from(factor.last_step)
                .map_err(|_| StoreError::corrupt("second factor", "last_step"))?,
        };
        let put = diesel::insert_into(second_factors::table)
            .values(row.clone())
            .on_conflict(second_factors::user_id)
            .do_update()
            .set(row);
        put.kept().execute(self.conn()).stored().map(drop)
    }

    fn second_factor_delete(&mut self, user: UserId) -> Result<(), StoreError> {
        let codes = recovery_codes::table.filter(recovery_codes::user_id.eq(Id(user.uuid())));
        diesel::delete(codes).kept().execute(self.conn()).stored()?;
        let factor = second_factors::table.find(Id(user.uuid()));
        diesel::delete(factor).kept().execute(self.conn()).stored().map(drop)
    }

    fn recovery_codes_replace(
        &mut self,
        user: UserId,
        codes: &[TokenHash],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let older = recovery_codes::table.filter(recovery_codes::user_id.eq(Id(user.uuid())));
        diesel::delete(older).kept().execute(self.conn()).stored()?;
        for code in codes {
            diesel::insert_into(recovery_codes::table)
                .values((
                    recovery_codes::user_id.eq(Id(user.uuid())),
                    recovery_codes::code_hash.eq(code.as_bytes().to_vec()),
                    recovery_codes::created_at.eq(Ts::from(now)),
                ))
                .kept()
                .execute(self.conn())
                .stored()?;
        }
        Ok(())
    }

    fn recovery_code_claim(&mut self, user: UserId, code: &TokenHash) -> Result<bool, StoreError> {
        let code = recovery_codes::table.find((Id(user.uuid()), code.as_bytes().to_vec()));
        diesel::delete(code).kept().execute(self.conn()).stored().map(|deleted| deleted == 1)
    }

    fn recovery_codes_left(&mut self, user: UserId) -> Result<usize, StoreError> {
        let left: i64 = recovery_codes::table
            .filter(recovery_codes::user_id.eq(Id(user.uuid())))
            .count()
            .kept()
            .get_result(self.conn())
            .stored()?;
        usize::try_from(left).map_err(|_| StoreError::corrupt("recovery codes", "count"))
    }
}
