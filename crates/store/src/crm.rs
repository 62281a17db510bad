//! The port of `crm`.

use crm::{Interaction, InteractionKind, Metadata, Store};
use diesel::RunQueryDsl;
use diesel::prelude::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use kernel::id::{InteractionId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::crm::crm_interactions;
use crate::tx::Tx;
use crate::types::{Id, Json, Ts};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_interactions, treat_none_as_default_value = false)]
struct Row {
    id: Id,
    customer_id: Id,
    interaction_type: String,
    session_id: Option<Id>,
    metadata: Json,
    created_at: Ts,
}

impl TryFrom<&Interaction> for Row {
    type Error = StoreError;

    fn try_from(interaction: &Interaction) -> Result<Self, StoreError> {
        let metadata = serde_json::to_value(&interaction.metadata)
            .map_err(|reason| StoreError::Constraint(format!("metadata that is no JSON: {reason}")))?;
        Ok(Self {
            id: Id(interaction.id.uuid()),
            customer_id: Id(interaction.customer.uuid()),
            interaction_type: interaction.kind.as_str().to_owned(),
            session_id: interaction.session.map(|session| Id(session.uuid())),
            metadata: Json(metadata),
            created_at: interaction.created_at.into(),
        })
    }
}

impl TryFrom<Row> for Interaction {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt =
            |reason: String| StoreError::corrupt("crm_interaction", format!("{reason} of {}", row.id.0));
        let kind = InteractionKind::parse(&row.interaction_type);
        let metadata: Metadata =
            serde_json::from_value(row.metadata.0).map_err(|reason| corrupt(reason.to_string()))?;
        Ok(Self {
            id: InteractionId::new(row.id.0),
            customer: UserId::new(row.customer_id.0),
            kind: kind.ok_or_else(|| corrupt(format!("kind {:?}", row.interaction_type)))?,
            session: row.session_id.map(|id| SessionId::new(id.0)),
            metadata,
            created_at: Timestamp::from(row.created_at),
        })
    }
}

impl Store for Tx<'_> {
    fn interaction_insert(&mut self, interaction: &Interaction) -> Result<(), StoreError> {
        let row = Row::try_from(interaction)?;
        diesel::insert_into(crm_interactions::table)
            .values(row)
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn interactions_by_customer(
        &mut self,
        customer: UserId,
        before: Option<InteractionId>,
        limit: u32,
    ) -> Result<Vec<Interaction>, StoreError> {
        let mut query = crm_interactions::table
            .filter(crm_interactions::customer_id.eq(Id(customer.uuid())))
            .order(crm_interactions::id.desc())
            .limit(i64::from(limit))
            .select(Row::as_select())
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(crm_interactions::id.lt(Id(before.uuid())));
        }
        let rows: Vec<Row> = query.load(self.conn()).stored()?;
        rows.into_iter().map(Interaction::try_from).collect()
    }

    fn interaction_exists(
        &mut self,
        customer: UserId,
        kind: InteractionKind,
        session: Option<SessionId>,
    ) -> Result<bool, StoreError> {
        let mut query = crm_interactions::table
            .filter(crm_interactions::customer_id.eq(Id(customer.uuid())))
            .filter(crm_interactions::interaction_type.eq(kind.as_str()))
            .select(crm_interactions::id)
            .limit(1)
            .into_boxed();
        if let Some(session) = session {
            query = query.filter(crm_interactions::session_id.eq(Id(session.uuid())));
        }
        let found: Vec<Id> = query.load(self.conn()).stored()?;
        Ok(!found.is_empty())
    }

    fn interactions_forget(&mut self, customer: UserId) -> Result<(), StoreError> {
        let told = InteractionKind::IntakeSubmitted.as_str();
        let steps = crm_interactions::table
            .filter(crm_interactions::customer_id.eq(Id(customer.uuid())))
            .filter(crm_interactions::interaction_type.eq(told));
        let nothing = serde_json::json!({});
        let emptied = diesel::update(steps).set(crm_interactions::metadata.eq(Json(nothing)));
        emptied.kept().execute(self.conn()).stored().map(drop)
    }

    fn interactions_delete(&mut self, session: SessionId) -> Result<(), StoreError> {
        let steps = crm_interactions::table.filter(crm_interactions::session_id.eq(Id(session.uuid())));
        diesel::delete(steps).kept().execute(self.conn()).stored().map(drop)
    }
}
