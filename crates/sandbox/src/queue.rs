//! What is kept between requests beside the objects: answers under idempotency keys, timers, webhooks that
//! are on their way, and the controls.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};

use crate::control::Control;
use crate::fault::Fault;
use crate::state::Tx;

/// A kept answer.
#[derive(QueryableByName)]
pub(crate) struct Kept {
    #[diesel(sql_type = Text)]
    pub(crate) endpoint: String,
    #[diesel(sql_type = Text)]
    pub(crate) fingerprint: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) status: i64,
    #[diesel(sql_type = Text)]
    pub(crate) body: String,
}

/// A webhook that is still to be sent.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Pending {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) event: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) next_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) created: i64,
    #[diesel(sql_type = Text)]
    pub(crate) json: String,
    /// Where it goes, when that is not the application's endpoint.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) url: Option<String>,
    /// What it is signed with there.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) secret: Option<String>,
}

/// What became of a webhook, for the overview page.
#[derive(QueryableByName)]
pub(crate) struct Delivered {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Text)]
    pub(crate) object: String,
    #[diesel(sql_type = Text)]
    pub(crate) state: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) last_status: Option<i64>,
}

/// Something that is due.
#[derive(QueryableByName)]
pub(crate) struct Timer {
    #[diesel(sql_type = Text)]
    pub(crate) what: String,
    #[diesel(sql_type = Text)]
    pub(crate) id: String,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Tx<'_> {
    pub(crate) fn kept(&mut self, key: &str) -> Result<Option<Kept>, Fault> {
        // Stripe forgets keys after a day.
        sql_query("delete from idempotency where created <= ?")
            .bind::<BigInt, _>(self.now - 86_400)
            .execute(self.connection)?;
        let kept = sql_query("select endpoint, fingerprint, status, body from idempotency where key = ?")
            .bind::<Text, _>(key)
            .get_result::<Kept>(self.connection)
            .optional()?;
        Ok(kept)
    }

    pub(crate) fn keep(&mut self, key: &str, kept: &Kept) -> Result<(), Fault> {
        sql_query("insert into idempotency (key, endpoint, fingerprint, status, body, created) values (?, ?, ?, ?, ?, ?)")
            .bind::<Text, _>(key)
            .bind::<Text, _>(&kept.endpoint)
            .bind::<Text, _>(&kept.fingerprint)
            .bind::<BigInt, _>(kept.status)
            .bind::<Text, _>(&kept.body)
            .bind::<BigInt, _>(self.now)
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn timer_set(&mut self, what: &str, id: &str, at: i64) -> Result<(), Fault> {
        sql_query(
            "insert into timer (what, id, at) values (?, ?, ?) on conflict do update set at = excluded.at",
        )
        .bind::<Text, _>(what)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(at)
        .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn timer_clear(&mut self, what: &str, id: &str) -> Result<(), Fault> {
        sql_query("delete from timer where what = ? and id = ?")
            .bind::<Text, _>(what)
            .bind::<Text, _>(id)
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn timers_due(&mut self) -> Result<Vec<Timer>, Fault> {
        let due = sql_query("select what, id from timer where at <= ? order by at, id limit 200")
            .bind::<BigInt, _>(self.now)
            .load(self.connection)?;
        Ok(due)
    }

    /// Adds an event to the outgoing webhooks, to the application's endpoint and to these further ones: twice
    /// when they are to be doubled, marked as dropped when they are to be lost.
    pub(crate) fn delivery_insert(&mut self, event: &str, endpoints: &[String]) -> Result<(), Fault> {
        let control = self.control()?;
        let state = if control.drop { "dropped" } else { "pending" };
        for endpoint in [None].into_iter().chain(endpoints.iter().map(Some)) {
            for _ in 0..if control.duplicate { 2 } else { 1 } {
                sql_query("insert into delivery (event, state) values (?, ?)")
                    .bind::<Text, _>(event)
                    .bind::<Text, _>(state)
                    .execute(self.connection)?;
                if let Some(endpoint) = endpoint {
                    sql_query(
                        "insert into delivery_endpoint (delivery, endpoint) values (last_insert_rowid(), ?)",
                    )
                    .bind::<Text, _>(endpoint)
                    .execute(self.connection)?;
                }
            }
        }
        self.told = true;
        Ok(())
    }

    /// The registered endpoints that want to hear of an event of this name.
    pub(crate) fn endpoints_for(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let found = sql_query(
            "select id as value from document
             where kind = 'webhook_endpoint' and json_extract(json, '$.status') = 'enabled'
               and exists (select 1 from json_each(document.json, '$.enabled_events') where json_each.value in ('*', ?))
             order by seq",
        )
        .bind::<Text, _>(name)
        .load::<Named>(self.connection)?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    /// Sends nothing more to an endpoint.
    pub(crate) fn deliveries_forget(&mut self, endpoint: &str) -> Result<(), Fault> {
        sql_query(
            "update delivery set state = 'dropped'
             where state = 'pending' and id in (select delivery from delivery_endpoint where endpoint = ?)",
        )
        .bind::<Text, _>(endpoint)
        .execute(self.connection)?;
        Ok(())
    }

    /// The oldest deliveries that are not done.
    pub(crate) fn deliveries_pending(&mut self) -> Result<Vec<Pending>, Fault> {
        let pending = sql_query(
            "select delivery.id, event, attempts, next_at, document.created, document.json,
                    json_extract(target.json, '$.url') as url, json_extract(target.hidden, '$.secret') as secret
             from delivery join document on document.id = delivery.event
             left join delivery_endpoint on delivery_endpoint.delivery = delivery.id
             left join document target on target.id = delivery_endpoint.endpoint
             where state = 'pending'
               -- An endpoint that was deleted while a try was under way is told nothing more.
               and (delivery_endpoint.endpoint is null or json_extract(target.json, '$.url') is not null)
             order by delivery.id limit 500",
        )
        .load(self.connection)?;
        Ok(pending)
    }

    /// The newest webhooks.
    pub(crate) fn deliveries_newest(&mut self) -> Result<Vec<Delivered>, Fault> {
        let newest = sql_query(
            "select json_extract(json, '$.type') as name, json_extract(json, '$.data.object.id') as object,
                    state, attempts, last_status
             from delivery join document on document.id = delivery.event
             order by delivery.id desc limit 50",
        )
        .load(self.connection)?;
        Ok(newest)
    }

    /// Notes how an attempt ended.
    pub(crate) fn delivery_note(
        &mut self,
        id: i64,
        state: &str,
        next_at: i64,
        status: Option<i64>,
    ) -> Result<(), Fault> {
        sql_query("update delivery set state = ?, attempts = attempts + 1, next_at = ?, last_status = ? where id = ?")
            .bind::<Text, _>(state)
            .bind::<BigInt, _>(next_at)
            .bind::<Nullable<BigInt>, _>(status)
            .bind::<BigInt, _>(id)
            .execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn deliveries_drop(&mut self) -> Result<(), Fault> {
        sql_query("update delivery set state = 'dropped' where state = 'pending'")
            .execute(self.connection)?;
        Ok(())
    }

    /// Makes everything undelivered due at once.
    pub(crate) fn deliveries_hurry(&mut self) -> Result<(), Fault> {
        sql_query("update delivery set next_at = 0 where state = 'pending'").execute(self.connection)?;
        Ok(())
    }

    pub(crate) fn control(&mut self) -> Result<Control, Fault> {
        match self.setting("control")? {
            None => Ok(Control::default()),
            Some(kept) => serde_json::from_str(&kept)
                .map_err(|error| Fault::Internal(format!("stored control: {error}"))),
        }
    }

    pub(crate) fn control_set(&mut self, control: &Control) -> Result<(), Fault> {
        let text = serde_json::to_string(control).map_err(|error| Fault::Internal(error.to_string()))?;
        self.setting_set("control", &text)
    }

    /// What is kept under a name.
    pub(crate) fn setting(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let kept = sql_query("select value from setting where name = ?")
            .bind::<Text, _>(name)
            .get_result::<Named>(self.connection)
            .optional()?;
        Ok(kept.map(|kept| kept.value))
    }

    pub(crate) fn setting_set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        sql_query("insert into setting (name, value) values (?, ?) on conflict do update set value = excluded.value")
            .bind::<Text, _>(name)
            .bind::<Text, _>(value)
            .execute(self.connection)?;
        Ok(())
    }
}
