//! The audit log and kept answers.

use std::collections::BTreeMap;

use accounts::idempotency::{KEY_LIFE_SECONDS, KeptAnswer, ProcessId};
use accounts::{AuditEntry, AuditFilter, IdempotencyKey, IdempotencyRecord, RecordStore, mail_quota};
use diesel::RunQueryDsl;
use diesel::prelude::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use kernel::{AuditId, StoreError, Timestamp, UserId};
use serde_json::Value;

use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::accounts::{
    api_tokens, audit_log, idempotency_keys, login_attempts, one_time_tokens, sign_ins,
};
use crate::tx::Tx;
use crate::types::{Id, Json, Ts};

/// For how long what has ended is kept, so that it can still be looked at.
const GRACE_SECONDS: i64 = 24 * 3_600;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
struct AuditRow {
    id: Id,
    at: Ts,
    actor_id: Option<Id>,
    actor_role: String,
    action: String,
    object_kind: String,
    object_id: String,
    details: Json,
    address: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
struct KeyRow {
    user_id: Id,
    route: String,
    key: String,
    request_hash: Vec<u8>,
    holder: Vec<u8>,
    started_at: Ts,
    status: Option<i64>,
    body: Option<String>,
    reached: Option<String>,
}

impl From<&AuditEntry> for AuditRow {
    fn from(entry: &AuditEntry) -> Self {
        let details = entry.details.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
        Self {
            id: Id(entry.id.uuid()),
            at: entry.at.into(),
            actor_id: entry.actor.map(|user| Id(user.uuid())),
            actor_role: entry.actor_role.clone(),
            action: entry.action.clone(),
            object_kind: entry.object_kind.clone(),
            object_id: entry.object_id.clone(),
            details: Json(Value::Object(details.collect())),
            address: entry.address.clone(),
        }
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let details: BTreeMap<String, String> = serde_json::from_value(row.details.0)
            .map_err(|_| StoreError::corrupt("audit entry", format!("details of {}", row.id.0)))?;
        Ok(Self {
            id: AuditId::new(row.id.0),
            at: row.at.into(),
            actor: row.actor_id.map(|id| UserId::new(id.0)),
            actor_role: row.actor_role,
            action: row.action,
            object_kind: row.object_kind,
            object_id: row.object_id,
            details,
            address: row.address,
        })
    }
}

fn key_row(key: &IdempotencyKey, record: &IdempotencyRecord) -> KeyRow {
    KeyRow {
        user_id: Id(key.user.uuid()),
        route: key.route.clone(),
        key: key.as_str().to_owned(),
        request_hash: record.request_hash.to_vec(),
        holder: record.holder.0.to_vec(),
        started_at: record.started_at.into(),
        status: record.answer.as_ref().map(|answer| i64::from(answer.status)),
        body: record.answer.as_ref().map(|answer| answer.body.clone()),
        reached: record.reached.clone(),
    }
}

impl TryFrom<KeyRow> for IdempotencyRecord {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("idempotency key", what);
        let answer = match (row.status, row.body) {
            (Some(status), Some(body)) => {
                let status = u16::try_from(status).map_err(|_| corrupt("status"))?;
                Some(KeptAnswer { status, body })
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(corrupt("half an answer")),
        };
        Ok(Self {
            request_hash: <[u8; 32]>::try_from(row.request_hash).map_err(|_| corrupt("request hash"))?,
            holder: ProcessId(<[u8; 16]>::try_from(row.holder).map_err(|_| corrupt("holder"))?),
            started_at: row.started_at.into(),
            reached: row.reached,
            answer,
        })
    }
}

impl RecordStore for Tx<'_> {
    fn audit_insert(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        diesel::insert_into(audit_log::table)
            .values(AuditRow::from(entry))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut query = audit_log::table
            .order(audit_log::id.desc())
            .limit(i64::from(limit))
            .select(AuditRow::as_select())
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(audit_log::id.lt(Id(before.uuid())));
        }
        if let Some(actor) = filter.actor {
            query = query.filter(audit_log::actor_id.eq(Id(actor.uuid())));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit_log::action.eq(action));
        }
        if let Some(kind) = &filter.object_kind {
            query = query.filter(audit_log::object_kind.eq(kind));
        }
        if let Some(id) = &filter.object_id {
            query = query.filter(audit_log::object_id.eq(id));
        }
        let rows: Vec<AuditRow> = query.load(self.conn()).stored()?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    fn idempotency_insert(
        &mut self,
        key: &IdempotencyKey,
        record: &IdempotencyRecord,
    ) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(idempotency_keys::table)
            .values(key_row(key, record))
            .on_conflict_do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn idempotency_by_key(&mut self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        let row: Option<KeyRow> = idempotency_keys::table
            .find((Id(key.user.uuid()), &key.route, key.as_str()))
            .select(KeyRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(IdempotencyRecord::try_from).transpose()
    }

    fn idempotency_replace(
        &mut self,
        key: &IdempotencyKey,
        found: &IdempotencyRecord,
        fresh: &IdempotencyRecord,
    ) -> Result<bool, StoreError> {
        let (found, fresh) = (key_row(key, found), key_row(key, fresh));
        let unchanged = idempotency_keys::table
            .find((found.user_id, found.route, found.key))
            .filter(idempotency_keys::holder.eq(found.holder))
            .filter(idempotency_keys::started_at.eq(found.started_at));
        let replaced = diesel::update(unchanged)
            .set((
                idempotency_keys::request_hash.eq(fresh.request_hash),
                idempotency_keys::holder.eq(fresh.holder),
                idempotency_keys::started_at.eq(fresh.started_at),
                idempotency_keys::status.eq(fresh.status),
                idempotency_keys::body.eq(fresh.body),
                idempotency_keys::reached.eq(fresh.reached),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(replaced == 1)
    }

    fn idempotency_complete(
        &mut self,
        key: &IdempotencyKey,
        holder: ProcessId,
        answer: &KeptAnswer,
    ) -> Result<bool, StoreError> {
        let held = idempotency_keys::table
            .find((Id(key.user.uuid()), &key.route, key.as_str()))
            .filter(idempotency_keys::holder.eq(holder.0.to_vec()))
            .filter(idempotency_keys::status.is_null());
        let completed = diesel::update(held)
            .set((
                idempotency_keys::status.eq(Some(i64::from(answer.status))),
                idempotency_keys::body.eq(Some(answer.body.clone())),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(completed == 1)
    }

    fn idempotency_reach(
        &mut self,
        key: &IdempotencyKey,
        holder: ProcessId,
        reached: &str,
    ) -> Result<(), StoreError> {
        let held = idempotency_keys::table
            .find((Id(key.user.uuid()), &key.route, key.as_str()))
            .filter(idempotency_keys::holder.eq(holder.0.to_vec()))
            .filter(idempotency_keys::status.is_null());
        let noted = diesel::update(held).set(idempotency_keys::reached.eq(Some(reached)));
        noted.kept().execute(self.conn()).stored().map(drop)
    }

    fn idempotency_release(&mut self, key: &IdempotencyKey, holder: ProcessId) -> Result<(), StoreError> {
        let held = || {
            idempotency_keys::table
                .find((Id(key.user.uuid()), &key.route, key.as_str()))
                .filter(idempotency_keys::holder.eq(holder.0.to_vec()))
                .filter(idempotency_keys::status.is_null())
        };
        let nothing = held().filter(idempotency_keys::reached.is_null());
        diesel::delete(nothing).kept().execute(self.conn()).stored()?;
        let something = diesel::update(held()).set(idempotency_keys::holder.eq(ProcessId::NOBODY.0.to_vec()));
        something.kept().execute(self.conn()).stored().map(drop)
    }

    fn expired_sweep(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let ended = Ts::from(now.plus_seconds(-GRACE_SECONDS));
        let windows = Ts::from(now.plus_seconds(-2 * mail_quota::MAIL_WINDOW_SECONDS));
        let answers = Ts::from(now.plus_seconds(-KEY_LIFE_SECONDS));
        let old_sign_ins = sign_ins::table.filter(sign_ins::expires_at.lt(ended));
        let left_sign_ins = sign_ins::table.filter(sign_ins::revoked_at.lt(ended));
        let old_tokens = api_tokens::table.filter(api_tokens::revoked_at.lt(ended));
        let old_links = one_time_tokens::table.filter(one_time_tokens::expires_at.lt(ended));
        let old_windows = login_attempts::table.filter(login_attempts::window_started_at.lt(windows));
        let old_keys = idempotency_keys::table.filter(idempotency_keys::started_at.lt(answers));
        let mut removed = diesel::delete(old_sign_ins).kept().execute(self.conn()).stored()?;
        removed += diesel::delete(left_sign_ins).kept().execute(self.conn()).stored()?;
        removed += diesel::delete(old_tokens).kept().execute(self.conn()).stored()?;
        removed += diesel::delete(old_links).kept().execute(self.conn()).stored()?;
        removed += diesel::delete(old_windows).kept().execute(self.conn()).stored()?;
        removed += diesel::delete(old_keys).kept().execute(self.conn()).stored()?;
        Ok(removed)
    }
}
