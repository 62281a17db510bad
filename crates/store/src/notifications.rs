//! The port of `notifications`.

use diesel::RunQueryDsl;
use diesel::prelude::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel::upsert::excluded;
use kernel::id::{BatchId, DeliveryId, EventId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use notifications::{
    Channel, Delivery, DeliveryStatus, MailboxMessage, Message, Milestone, PersonalNotice, Store,
    StoredDelivery, Suppression, SuppressionReason, Topic,
};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::prepared::{Keep, Value, prepared};
use crate::schema::notifications::{
    deliveries, mailbox_messages, notification_preferences, personal_notices, suppressions,
};
use crate::tx::Tx;
use crate::types::{Id, Json, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = personal_notices, treat_none_as_default_value = false)]
struct NoticeRow {
    event_id: Id,
    user_id: Id,
    session_id: Id,
    kind: String,
    created_at: Ts,
    acknowledged_at: Option<Ts>,
}

impl TryFrom<NoticeRow> for PersonalNotice {
    type Error = StoreError;

    fn try_from(row: NoticeRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: EventId::new(row.event_id.0),
            user: UserId::new(row.user_id.0),
            session: SessionId::new(row.session_id.0),
            milestone: Milestone::parse(&row.kind)
                .ok_or_else(|| StoreError::corrupt("personal_notices.kind", &row.kind))?,
            created_at: row.created_at.into(),
            acknowledged_at: row.acknowledged_at.map(Timestamp::from),
        })
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
struct DeliveryRow {
    id: Id,
    milestone: String,
    channel: String,
    recipient: Id,
    send_once_key: String,
    context: Option<Json>,
    status: String,
    provider_ref: Option<String>,
    last_error: Option<String>,
    created_at: Ts,
    sent_at: Option<Ts>,
    batch: Option<Id>,
}

impl TryFrom<&Delivery> for DeliveryRow {
    type Error = StoreError;

    fn try_from(delivery: &Delivery) -> Result<Self, StoreError> {
        let delivery = delivery.stored();
        let context = delivery
            .context
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| StoreError::Constraint("a delivery's context must be JSON".to_owned()))?;
        Ok(Self {
            id: Id(delivery.id.uuid()),
            milestone: delivery.milestone.as_str().to_owned(),
            channel: delivery.channel.as_str().to_owned(),
            recipient: Id(delivery.recipient.uuid()),
            send_once_key: delivery.send_once_key.clone(),
            context: context.map(Json),
            status: delivery.status.as_str().to_owned(),
            provider_ref: delivery.provider_ref.clone(),
            last_error: delivery.last_error.clone(),
            created_at: delivery.created_at.into(),
            sent_at: delivery.sent_at.map(Ts::from),
            batch: delivery.batch.map(|batch| Id(batch.uuid())),
        })
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("delivery", format!("{what} of {}", row.id.0));
        Self::restore(StoredDelivery {
            id: DeliveryId::new(row.id.0),
            milestone: Milestone::parse(&row.milestone).ok_or_else(|| corrupt("milestone"))?,
            channel: Channel::parse(&row.channel).ok_or_else(|| corrupt("channel"))?,
            recipient: UserId::new(row.recipient.0),
            send_once_key: row.send_once_key.clone(),
            context: row.context.as_ref().map(|context| context.0.to_string()),
            status: DeliveryStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            batch: row.batch.map(|batch| BatchId::new(batch.0)),
            provider_ref: row.provider_ref.clone(),
            last_error: row.last_error.clone(),
            created_at: row.created_at.into(),
            sent_at: row.sent_at.map(Timestamp::from),
        })
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = suppressions)]
struct SuppressionRow {
    channel: String,
    address: String,
    reason: String,
    created_at: Ts,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = mailbox_messages, treat_none_as_default_value = false)]
struct MailboxRow {
    id: Id,
    channel: String,
    send_once_key: String,
    recipient_address: String,
    subject: String,
    text_body: String,
    html_body: Option<String>,
    links: Json,
    milestone: String,
    created_at: Ts,
    unsubscribe_url: Option<String>,
}

impl From<&MailboxMessage> for MailboxRow {
    fn from(stored: &MailboxMessage) -> Self {
        let message = &stored.message;
        Self {
            id: Id(stored.id),
            channel: stored.channel.as_str().to_owned(),
            send_once_key: stored.send_once_key.clone(),
            recipient_address: message.to.clone(),
            subject: message.subject.clone(),
            text_body: message.text.clone(),
            html_body: message.html.clone(),
            links: Json(message.links.clone().into()),
            milestone: message.milestone.as_str().to_owned(),
            created_at: stored.created_at.into(),
            unsubscribe_url: message.unsubscribe_url.clone(),
        }
    }
}

impl TryFrom<MailboxRow> for MailboxMessage {
    type Error = StoreError;

    fn try_from(row: MailboxRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("mailbox message", format!("{what} of {}", row.id.0));
        let channel = Channel::parse(&row.channel).ok_or_else(|| corrupt("channel"))?;
        let milestone = Milestone::parse(&row.milestone).ok_or_else(|| corrupt("milestone"))?;
        let links = serde_json::from_value(row.links.0.clone()).map_err(|_| corrupt("links"))?;
        Ok(Self {
            id: row.id.0,
            channel,
            send_once_key: row.send_once_key,
            message: Message {
                to: row.recipient_address,
                subject: row.subject,
                text: row.text_body,
                html: row.html_body,
                links,
                milestone,
                unsubscribe_url: row.unsubscribe_url,
            },
            created_at: row.created_at.into(),
        })
    }
}

impl Store for Tx<'_> {
    fn delivery_insert(&mut self, delivery: &Delivery) -> Result<bool, StoreError> {
        let row = DeliveryRow::try_from(delivery)?;
        let insert = diesel::insert_into(deliveries::table)
            .values(row)
            .on_conflict(deliveries::send_once_key)
            .do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn delivery_update(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        let row = DeliveryRow::try_from(delivery)?;
        let changed = diesel::update(deliveries::table.find(row.id))
            .set((
                deliveries::context.eq(row.context),
                deliveries::status.eq(row.status),
                deliveries::provider_ref.eq(row.provider_ref),
                deliveries::last_error.eq(row.last_error),
                deliveries::sent_at.eq(row.sent_at),
                deliveries::batch.eq(row.batch),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        if changed == 1 {
            Ok(())
        } else {
            Err(StoreError::Constraint(format!("delivery {} is not there to be changed", delivery.id())))
        }
    }

    fn delivery_by_id(&mut self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let row: Option<DeliveryRow> = deliveries::table
            .find(Id(id.uuid()))
            .select(DeliveryRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Delivery::try_from).transpose()
    }

    fn delivery_by_id_for_update(&mut self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let query = deliveries::table.find(Id(id.uuid()));
        let row = match self.conn() {
            AnyConnection::Postgres(postgres) => {
                query.select(DeliveryRow::as_select()).for_update().first(postgres)
            }
            AnyConnection::Sqlite(sqlite) => query.select(DeliveryRow::as_select()).first(sqlite),
        };
        row.optional().stored()?.map(Delivery::try_from).transpose()
    }

    fn deliveries_of_batch(&mut self, batch: BatchId) -> Result<Vec<DeliveryId>, StoreError> {
        let ids: Vec<Id> = deliveries::table
            .filter(deliveries::batch.eq(Some(Id(batch.uuid()))))
            .order(deliveries::id)
            .select(deliveries::id)
            .kept()
            .load(self.conn())
            .stored()?;
        Ok(ids.into_iter().map(|id| DeliveryId::new(id.0)).collect())
    }

    fn suppression_upsert(&mut self, suppression: &Suppression) -> Result<(), StoreError> {
        let row = SuppressionRow {
            channel: suppression.channel.as_str().to_owned(),
            address: suppression.address.clone(),
            reason: suppression.reason.as_str().to_owned(),
            created_at: suppression.created_at.into(),
        };
        let upsert = diesel::insert_into(suppressions::table)
            .values(row)
            .on_conflict((suppressions::channel, suppressions::address))
            .do_update()
            .set(suppressions::reason.eq(excluded(suppressions::reason)));
        upsert.kept().execute(self.conn()).stored().map(drop)
    }

    fn suppression_by_address(
        &mut self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<Suppression>, StoreError> {
        let row: Option<SuppressionRow> = suppressions::table
            .find((channel.as_str(), address))
            .select(SuppressionRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(|row| {
            let reason = SuppressionReason::parse(&row.reason)
                .ok_or_else(|| StoreError::corrupt("suppression", "its reason"))?;
            Ok(Suppression { channel, address: row.address, reason, created_at: row.created_at.into() })
        })
        .transpose()
    }

    fn preference(&mut self, person: UserId, topic: Topic) -> Result<Option<bool>, StoreError> {
        notification_preferences::table
            .find((Id(person.uuid()), topic.as_str()))
            .select(notification_preferences::wanted)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()
    }

    fn preference_put(
        &mut self,
        person: UserId,
        topic: Topic,
        wanted: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        use notification_preferences as p;
        let row = (
            p::user_id.eq(Id(person.uuid())),
            p::topic.eq(topic.as_str()),
            p::wanted.eq(wanted),
            p::updated_at.eq(Ts::from(now)),
        );
        let upsert = diesel::insert_into(p::table)
            .values(row)
            .on_conflict((p::user_id, p::topic))
            .do_update()
            .set((p::wanted.eq(excluded(p::wanted)), p::updated_at.eq(excluded(p::updated_at))));
        upsert.kept().execute(self.conn()).stored().map(drop)
    }

    fn preferences_delete(&mut self, person: UserId) -> Result<(), StoreError> {
        let theirs = notification_preferences::user_id.eq(Id(person.uuid()));
        let delete = diesel::delete(notification_preferences::table.filter(theirs));
        delete.kept().execute(self.conn()).stored().map(drop)
    }

    fn notice_insert(&mut self, notice: &PersonalNotice) -> Result<(), StoreError> {
        let row = NoticeRow {
            event_id: Id(notice.id.uuid()),
            user_id: Id(notice.user.uuid()),
            session_id: Id(notice.session.uuid()),
            kind: notice.milestone.as_str().to_owned(),
            created_at: notice.created_at.into(),
            acknowledged_at: notice.acknowledged_at.map(Ts::from),
        };
        diesel::insert_into(personal_notices::table)
            .values(row)
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn notice_by_id(&mut self, id: EventId) -> Result<Option<PersonalNotice>, StoreError> {
        let query = personal_notices::table.find(Id(id.uuid())).select(NoticeRow::as_select());
        query
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(PersonalNotice::try_from)
            .transpose()
    }

    fn notice_since(
        &mut self,
        user: UserId,
        session: SessionId,
        milestone: Milestone,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        use personal_notices as n;
        let told = n::table
            .filter(n::session_id.eq(Id(session.uuid())).and(n::user_id.eq(Id(user.uuid()))))
            .filter(n::kind.eq(milestone.as_str()).and(n::created_at.ge(Ts::from(since))))
            .select(n::event_id)
            .limit(1)
            .kept()
            .get_result::<Id>(self.conn());
        Ok(told.optional().stored()?.is_some())
    }

    fn notice_acknowledge(&mut self, id: EventId, user: UserId, now: Timestamp) -> Result<(), StoreError> {
        let shown = personal_notices::table
            .find(Id(id.uuid()))
            .filter(personal_notices::user_id.eq(Id(user.uuid())))
            .filter(personal_notices::acknowledged_at.is_null());
        diesel::update(shown)
            .set(personal_notices::acknowledged_at.eq(Some(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn mailbox_insert(&mut self, message: &MailboxMessage) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(mailbox_messages::table)
            .values(MailboxRow::from(message))
            .on_conflict(mailbox_messages::send_once_key)
            .do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn mailbox_newest(&mut self, limit: u32) -> Result<Vec<MailboxMessage>, StoreError> {
        let rows: Vec<MailboxRow> = mailbox_messages::table
            .order((mailbox_messages::created_at.desc(), mailbox_messages::id.desc()))
            .limit(i64::from(limit))
            .select(MailboxRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?;
        rows.into_iter().map(MailboxMessage::try_from).collect()
    }

    fn mailbox_by_id(&mut self, id: Uuid) -> Result<Option<MailboxMessage>, StoreError> {
        let row: Option<MailboxRow> = mailbox_messages::table
            .find(Id(id))
            .select(MailboxRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(MailboxMessage::try_from).transpose()
    }

    fn suppression_delete(&mut self, channel: Channel, address: &str) -> Result<bool, StoreError> {
        let found = suppressions::table.find((channel.as_str(), address));
        Ok(diesel::delete(found).kept().execute(self.conn()).stored()? == 1)
    }

    fn messages_forget(&mut self, person: UserId, address: &str) -> Result<(), StoreError> {
        let values = [Value::Id(Id(person.uuid())), Value::Text(address)];
        // A carrier's words may hold the address. The job of a message has them too.
        let statements = [
            "DELETE FROM mailbox_messages WHERE recipient_address = $2
               OR send_once_key IN (SELECT send_once_key FROM deliveries WHERE recipient = $1)",
            "UPDATE jobs SET last_error = NULL WHERE last_error IS NOT NULL AND dedupe_key IN
               (SELECT kind.name || ':' || send_once_key || kind.alone FROM deliveries,
                  (SELECT 'mail' AS name, '' AS alone UNION ALL SELECT 'mail', ':alone'
                   UNION ALL SELECT 'sms', '') AS kind
                WHERE recipient = $1)",
            "UPDATE deliveries SET last_error = NULL WHERE recipient = $1 AND last_error IS NOT NULL",
            "DELETE FROM suppressions WHERE address = $2",
        ];
        for sql in statements {
            prepared::<()>(sql, &values).execute(self.conn()).stored()?;
        }
        Ok(())
    }

    fn mailbox_delete_before(&mut self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let old: Vec<Id> = mailbox_messages::table
            .filter(mailbox_messages::created_at.lt(Ts::from(before)))
            .limit(i64::from(limit))
            .select(mailbox_messages::id)
            .load(self.conn())
            .stored()?;
        let deleted = diesel::delete(mailbox_messages::table.filter(mailbox_messages::id.eq_any(old)))
            .execute(self.conn())
            .stored()?;
        Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
    }
}
