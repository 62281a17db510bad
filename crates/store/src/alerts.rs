//! What support was told of.

use diesel::prelude::*;
use kernel::id::{AlertId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use notifications::{Alert, AlertCause, AlertStore, NewAlert};

use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::notifications::support_alerts;
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = support_alerts, treat_none_as_default_value = false)]
pub(crate) struct AlertRow {
    id: Id,
    cause: String,
    object_id: Id,
    session_id: Option<Id>,
    once_key: String,
    since: Ts,
    raised_at: Ts,
    ended_at: Option<Ts>,
    seen_by: Option<Id>,
    seen_at: Option<Ts>,
}

impl From<&Alert> for AlertRow {
    fn from(alert: &Alert) -> Self {
        Self {
            id: Id(alert.id.uuid()),
            cause: alert.found.cause.as_str().to_owned(),
            object_id: Id(alert.found.object),
            session_id: alert.found.session.map(|session| Id(session.uuid())),
            once_key: alert.found.once_key(),
            since: alert.found.since.into(),
            raised_at: alert.raised_at.into(),
            ended_at: alert.ended_at.map(Ts::from),
            seen_by: alert.seen.map(|(by, _)| Id(by.uuid())),
            seen_at: alert.seen.map(|(_, at)| at.into()),
        }
    }
}

impl TryFrom<AlertRow> for Alert {
    type Error = StoreError;

    fn try_from(row: AlertRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: AlertId::new(row.id.0),
            found: NewAlert {
                cause: AlertCause::parse(&row.cause)
                    .ok_or_else(|| StoreError::corrupt("support_alerts.cause", &row.cause))?,
                object: row.object_id.0,
                session: row.session_id.map(|id| SessionId::new(id.0)),
                since: row.since.into(),
            },
            raised_at: row.raised_at.into(),
            ended_at: row.ended_at.map(Timestamp::from),
            seen: row.seen_by.zip(row.seen_at).map(|(by, at)| (UserId::new(by.0), at.into())),
        })
    }
}

impl AlertStore for Tx<'_> {
    fn alert_insert(&mut self, alert: &Alert) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(support_alerts::table)
            .values(AlertRow::from(alert))
            .on_conflict(support_alerts::once_key)
            .do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn alert_by_id(&mut self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        let query = support_alerts::table.find(Id(id.uuid())).select(AlertRow::as_select());
        query.limit(1).kept().get_result(self.conn()).optional().stored()?.map(Alert::try_from).transpose()
    }

    fn alerts_lasting(&mut self, session: Option<SessionId>) -> Result<Vec<Alert>, StoreError> {
        let mut query = support_alerts::table
            .filter(support_alerts::ended_at.is_null())
            .order((support_alerts::since, support_alerts::id))
            .select(AlertRow::as_select())
            .into_boxed();
        if let Some(session) = session {
            query = query.filter(support_alerts::session_id.eq(Some(Id(session.uuid()))));
        }
        let rows: Vec<AlertRow> = query.load(self.conn()).stored()?;
        rows.into_iter().map(Alert::try_from).collect()
    }

    fn alert_end(&mut self, id: AlertId, now: Timestamp) -> Result<bool, StoreError> {
        let lasting = support_alerts::table.find(Id(id.uuid())).filter(support_alerts::ended_at.is_null());
        let changed = diesel::update(lasting)
            .set(support_alerts::ended_at.eq(Some(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(changed == 1)
    }

    fn alert_see(&mut self, id: AlertId, by: UserId, now: Timestamp) -> Result<bool, StoreError> {
        let unseen = support_alerts::table.find(Id(id.uuid())).filter(support_alerts::seen_at.is_null());
        let changed = diesel::update(unseen)
            .set((
                support_alerts::seen_by.eq(Some(Id(by.uuid()))),
                support_alerts::seen_at.eq(Some(Ts::from(now))),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(changed == 1)
    }

    fn alerts_delete_before(&mut self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let old: Vec<Id> = support_alerts::table
            .filter(support_alerts::ended_at.lt(Ts::from(before)))
            .limit(i64::from(limit))
            .select(support_alerts::id)
            .load(self.conn())
            .stored()?;
        let deleted = diesel::delete(support_alerts::table.filter(support_alerts::id.eq_any(old)))
            .execute(self.conn())
            .stored()?;
        Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
    }
}
