//! Providers and mechanics.

use accounts::{
    Approval, ApprovalState, Mechanic, MechanicPlace, MechanicRecord, Provider, ProviderKind, ProviderStore,
    Status, User,
};
use diesel::RunQueryDsl;
use diesel::prelude::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Identifiable, Insertable, OptionalExtension,
    QueryDsl, Queryable, Selectable, SelectableHelper,
};
use kernel::{ProviderId, StoreError, Timestamp, UserId};

use super::users::Row as UserRow;
use crate::dialect::{Lock, lock_row};
use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::accounts::{mechanics, providers, users};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = providers)]
struct ProviderRow {
    id: Id,
    kind: String,
    name: String,
    owner_id: Id,
    created_at: Ts,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = mechanics, primary_key(user_id), treat_none_as_null = true, treat_none_as_default_value = false)]
struct MechanicRow {
    user_id: Id,
    provider_id: Id,
    approval: String,
    decided_by: Option<Id>,
    decided_at: Option<Ts>,
    decision_reason: Option<String>,
    on_duty: bool,
    created_at: Ts,
}

impl TryFrom<ProviderRow> for Provider {
    type Error = StoreError;

    fn try_from(row: ProviderRow) -> Result<Self, StoreError> {
        let kind = ProviderKind::parse(&row.kind)
            .ok_or_else(|| StoreError::corrupt("provider", format!("kind of {}", row.id.0)))?;
        Ok(Self {
            id: ProviderId::new(row.id.0),
            kind,
            name: row.name,
            owner: UserId::new(row.owner_id.0),
            created_at: row.created_at.into(),
        })
    }
}

impl From<&Mechanic> for MechanicRow {
    fn from(mechanic: &Mechanic) -> Self {
        let record = mechanic.record();
        Self {
            user_id: Id(record.user.uuid()),
            provider_id: Id(record.provider.uuid()),
            approval: record.approval.state.as_str().to_owned(),
            decided_by: record.approval.decided_by.map(|user| Id(user.uuid())),
            decided_at: record.approval.decided_at.map(Ts::from),
            decision_reason: record.approval.reason.clone(),
            on_duty: record.on_duty,
            created_at: record.created_at.into(),
        }
    }
}

impl TryFrom<MechanicRow> for Mechanic {
    type Error = StoreError;

    fn try_from(row: MechanicRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("mechanic", format!("{what} of {}", row.user_id.0));
        let state = ApprovalState::parse(&row.approval).ok_or_else(|| corrupt("approval"))?;
        let record = MechanicRecord {
            user: UserId::new(row.user_id.0),
            provider: ProviderId::new(row.provider_id.0),
            approval: Approval {
                state,
                decided_by: row.decided_by.map(|id| UserId::new(id.0)),
                decided_at: row.decided_at.map(Timestamp::from),
                reason: row.decision_reason.clone(),
            },
            on_duty: row.on_duty,
            created_at: row.created_at.into(),
        };
        Self::stored(record).ok_or_else(|| corrupt("duty without approval"))
    }
}

impl ProviderStore for Tx<'_> {
    fn provider_insert(&mut self, provider: &Provider) -> Result<(), StoreError> {
        let row = ProviderRow {
            id: Id(provider.id.uuid()),
            kind: provider.kind.as_str().to_owned(),
            name: provider.name.clone(),
            owner_id: Id(provider.owner.uuid()),
            created_at: provider.created_at.into(),
        };
        diesel::insert_into(providers::table).values(row).kept().execute(self.conn()).stored().map(drop)
    }

    fn provider_by_id(&mut self, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        let row: Option<ProviderRow> = providers::table
            .find(Id(id.uuid()))
            .select(ProviderRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Provider::try_from).transpose()
    }

    fn provider_by_owner(&mut self, owner: UserId) -> Result<Option<Provider>, StoreError> {
        let row: Option<ProviderRow> = providers::table
            .filter(providers::owner_id.eq(Id(owner.uuid())))
            .select(ProviderRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Provider::try_from).transpose()
    }

    fn provider_delete(&mut self, id: ProviderId) -> Result<(), StoreError> {
        diesel::delete(providers::table.find(Id(id.uuid()))).kept().execute(self.conn()).stored().map(drop)
    }

    fn provider_rename(&mut self, owner: UserId, name: &str) -> Result<(), StoreError> {
        diesel::update(providers::table.filter(providers::owner_id.eq(Id(owner.uuid()))))
            .set(providers::name.eq(name))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn mechanic_insert(&mut self, mechanic: &Mechanic) -> Result<(), StoreError> {
        diesel::insert_into(mechanics::table)
            .values(MechanicRow::from(mechanic))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn mechanic_by_user(&mut self, user: UserId) -> Result<Option<Mechanic>, StoreError> {
        let row: Option<MechanicRow> = mechanics::table
            .find(Id(user.uuid()))
            .select(MechanicRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Mechanic::try_from).transpose()
    }

    fn mechanic_for_update(&mut self, user: UserId) -> Result<Option<Mechanic>, StoreError> {
        // A mechanic is the account in another role, so the account's lock is theirs too.
        lock_row(self.conn(), Lock::User, user.uuid())?;
        self.mechanic_by_user(user)
    }

    fn mechanic_delete(&mut self, user: UserId) -> Result<(), StoreError> {
        diesel::delete(mechanics::table.find(Id(user.uuid()))).kept().execute(self.conn()).stored().map(drop)
    }

    fn mechanic_update(&mut self, mechanic: &Mechanic) -> Result<(), StoreError> {
        let row = MechanicRow::from(mechanic);
        let changed = diesel::update(mechanics::table.find(row.user_id))
            .set(&row)
            .kept()
            .execute(self.conn())
            .stored()?;
        if changed == 1 {
            Ok(())
        } else {
            Err(StoreError::Constraint(format!("mechanic {} is not there to be changed", mechanic.user())))
        }
    }

    fn mechanics_on_duty(&mut self) -> Result<Vec<UserId>, StoreError> {
        let ids: Vec<Id> = mechanics::table
            .inner_join(users::table)
            .filter(mechanics::on_duty.eq(true))
            .filter(users::status.eq(Status::Active.as_str()))
            .order((mechanics::created_at, mechanics::user_id))
            .select(mechanics::user_id)
            .kept()
            .load(self.conn())
            .stored()?;
        Ok(ids.into_iter().map(|id| UserId::new(id.0)).collect())
    }

    fn mechanics_of_provider(&mut self, provider: ProviderId) -> Result<Vec<Mechanic>, StoreError> {
        let rows: Vec<MechanicRow> = mechanics::table
            .filter(mechanics::provider_id.eq(Id(provider.uuid())))
            .order((mechanics::created_at, mechanics::user_id))
            .select(MechanicRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?;
        rows.into_iter().map(Mechanic::try_from).collect()
    }

    fn mechanics(
        &mut self,
        after: Option<MechanicPlace>,
        limit: u32,
    ) -> Result<Vec<(Mechanic, User)>, StoreError> {
        let mut query = mechanics::table
            .inner_join(users::table)
            .filter(users::status.ne(Status::Erased.as_str()))
            // `false` sorts first: a decision that is still missing.
            .order((mechanics::decided_at.is_not_null(), mechanics::user_id.desc()))
            .limit(i64::from(limit))
            .select((MechanicRow::as_select(), UserRow::as_select()))
            .into_boxed();
        if let Some(MechanicPlace { decided, user }) = after {
            let older = mechanics::user_id.lt(Id(user.uuid()));
            let is_decided = mechanics::decided_at.is_not_null();
            query = match decided {
                true => query.filter(is_decided.and(older)),
                false => query.filter(is_decided.or(older)),
            };
        }
        let rows: Vec<(MechanicRow, UserRow)> = query.load(self.conn()).stored()?;
        rows.into_iter().map(|(mechanic, user)| Ok((mechanic.try_into()?, user.try_into()?))).collect()
    }
}
