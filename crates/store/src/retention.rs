//! What is forgotten: the retention ports of the domains.
//!
//! Files are never deleted here: their bytes lie elsewhere. They are made unused and expired, and the sweep of unused
//! uploads deletes bytes and rows.

use diesel::sql_types::{Nullable, Text};
use intake::ERASED_CONCERN;
use kernel::id::{IntakeId, OrderId, SessionId, UserId};
use kernel::{StoreError, Timestamp};
use payments::PastOrder;
use sessions::{OpenSeat, ParticipantRole, Status};

use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::tx::Tx;
use crate::types::{AnyUuid, Id, Ts};

/// The events that hold what a person typed.
const TYPED: &str = "kind IN ('message', 'file', 'reaction')";
const OF_CUSTOMER: &str = "session_id IN (SELECT id FROM sessions WHERE customer_id = $1)";

fn run(tx: &mut Tx<'_>, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
    prepared::<()>(sql, values).execute(tx.conn()).stored()
}

fn all(tx: &mut Tx<'_>, statements: &[&str], values: &[Value<'_>]) -> Result<(), StoreError> {
    statements.iter().try_for_each(|sql| run(tx, sql, values).map(drop))
}

impl sessions::RetentionStore for Tx<'_> {
    fn seats_open(&mut self, user: UserId, limit: u32) -> Result<Vec<OpenSeat>, StoreError> {
        let rows: Vec<(Id, String, String)> = prepared::<(AnyUuid, Text, Text)>(
            "SELECT s.id, s.status, p.role FROM session_participants p JOIN sessions s ON s.id = p.session_id
             WHERE p.user_id = $1 AND p.left_at IS NULL
               AND s.status IN ('requested', 'scheduled', 'accepted', 'in_progress')
             ORDER BY s.id LIMIT $2",
            &[Value::Id(Id(user.uuid())), Value::Number(i64::from(limit))],
        )
        .load(self.conn())
        .stored()?;
        let seat = |(id, status, role): (Id, String, String)| {
            Ok(OpenSeat {
                session: SessionId::new(id.0),
                status: Status::parse(&status)
                    .ok_or_else(|| StoreError::corrupt("sessions.status", &status))?,
                role: ParticipantRole::parse(&role)
                    .ok_or_else(|| StoreError::corrupt("session_participants.role", &role))?,
            })
        };
        rows.into_iter().map(seat).collect()
    }

    fn person_forget(&mut self, user: UserId, now: Timestamp) -> Result<(), StoreError> {
        let bare =
            "UPDATE session_events SET body = NULL, salt = NULL, client_ref = NULL WHERE body IS NOT NULL";
        let loose = "UPDATE files SET session_id = NULL, attached_at = NULL, expires_at = $2 WHERE";
        let values = [Value::Id(Id(user.uuid())), Value::Time(Ts::from(now))];
        let statements = [
            format!("{bare} AND {TYPED} AND {OF_CUSTOMER}"),
            format!(
                "{bare} AND {TYPED} AND actor_id = $1
                 AND session_id IN (SELECT session_id FROM session_participants WHERE user_id = $1)"
            ),
            format!("{loose} owner_id = $1"),
            format!("{loose} {OF_CUSTOMER}"),
            format!("DELETE FROM session_summaries WHERE {OF_CUSTOMER}"),
            "DELETE FROM session_summaries WHERE author_id = $1 AND state = 'draft'".to_owned(),
            "UPDATE sessions SET metadata = '{}', content_dropped_at = $2 WHERE customer_id = $1".to_owned(),
        ];
        all(self, &statements.each_ref().map(String::as_str), &values)
    }

    fn sessions_with_content(&mut self, before: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError> {
        let rows: Vec<Id> = prepared::<AnyUuid>(
            "SELECT id FROM sessions WHERE content_dropped_at IS NULL AND ended_at IS NOT NULL AND ended_at < $1
             ORDER BY ended_at LIMIT $2",
            &[Value::Time(Ts::from(before)), Value::Number(i64::from(limit))],
        )
        .load(self.conn())
        .stored()?;
        Ok(rows.into_iter().map(|id| SessionId::new(id.0)).collect())
    }

    fn session_content_drop(&mut self, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
        let values = [Value::Id(Id(session.uuid())), Value::Time(Ts::from(now))];
        let statements = [
            "UPDATE session_events SET body = NULL, salt = NULL, client_ref = NULL
             WHERE session_id = $1 AND kind IN ('message', 'file', 'reaction') AND body IS NOT NULL",
            "DELETE FROM session_summaries WHERE session_id = $1 AND state = 'draft'",
            "DELETE FROM session_summary_photos WHERE session_id = $1",
            "UPDATE files SET session_id = NULL, attached_at = NULL, expires_at = $2 WHERE session_id = $1",
            "UPDATE sessions SET content_dropped_at = $2 WHERE id = $1",
        ];
        all(self, &statements, &values)
    }

    fn session_delete(&mut self, session: SessionId, now: Timestamp) -> Result<Option<IntakeId>, StoreError> {
        self.session_content_drop(session, now)?;
        let id = [Value::Id(Id(session.uuid()))];
        let intakes: Vec<Id> = prepared::<AnyUuid>("SELECT intake_id FROM sessions WHERE id = $1", &id)
            .load(self.conn())
            .stored()?;
        let statements = [
            "DELETE FROM session_summaries WHERE session_id = $1",
            "DELETE FROM session_extensions WHERE session_id = $1",
            "DELETE FROM session_media WHERE session_id = $1",
            "DELETE FROM personal_notices WHERE session_id = $1",
            "DELETE FROM support_alerts WHERE session_id = $1",
            "DELETE FROM session_events WHERE session_id = $1",
            "DELETE FROM session_participants WHERE session_id = $1",
            "DELETE FROM sessions WHERE id = $1",
        ];
        all(self, &statements, &id)?;
        Ok(intakes.first().map(|id| IntakeId::new(id.0)))
    }
}

impl intake::RetentionStore for Tx<'_> {
    fn customer_forget(&mut self, customer: UserId) -> Result<(), StoreError> {
        let id = [Value::Id(Id(customer.uuid())), Value::Text(ERASED_CONCERN)];
        all(
            self,
            &[
                "UPDATE intakes SET concern = $2, mileage = NULL WHERE customer_id = $1",
                "UPDATE waiver_acceptances SET address = '' WHERE customer_id = $1",
            ],
            &id,
        )?;
        let cars: Vec<Id> = prepared::<AnyUuid>("SELECT id FROM vehicles WHERE customer_id = $1", &id[..1])
            .load(self.conn())
            .stored()?;
        for car in cars {
            // The identity names the car, and is unique among those of its customer.
            let identity = format!("erased {}", car.0);
            let values = [Value::Id(car), Value::Text(&identity)];
            let sql = "UPDATE vehicles SET identity = $2, vin = NULL, mileage = NULL WHERE id = $1";
            run(self, sql, &values)?;
        }
        Ok(())
    }

    fn intakes_forget(&mut self, before: Timestamp, limit: u32, now: Timestamp) -> Result<usize, StoreError> {
        let rows: Vec<Id> = prepared::<AnyUuid>(
            "SELECT id FROM intakes WHERE concern <> '(erased)' AND created_at < $1 ORDER BY created_at LIMIT $2",
            &[Value::Time(Ts::from(before)), Value::Number(i64::from(limit))],
        )
        .load(self.conn())
        .stored()?;
        for id in &rows {
            let values = [Value::Id(*id), Value::Time(Ts::from(now))];
            let sql = "UPDATE files SET attached_at = NULL, expires_at = $2
                       WHERE session_id IS NULL AND id IN (SELECT file_id FROM intake_files WHERE intake_id = $1)";
            run(self, sql, &values)?;
            run(self, "UPDATE intakes SET concern = '(erased)' WHERE id = $1", &values[..1])?;
        }
        Ok(rows.len())
    }

    fn intake_delete(&mut self, intake: IntakeId, now: Timestamp) -> Result<(), StoreError> {
        let values = [Value::Id(Id(intake.uuid())), Value::Time(Ts::from(now))];
        let statements = [
            "UPDATE files SET attached_at = NULL, expires_at = $2
             WHERE session_id IS NULL AND id IN (SELECT file_id FROM intake_files WHERE intake_id = $1)",
            "DELETE FROM intake_files WHERE intake_id = $1",
            "DELETE FROM waiver_acceptances WHERE intake_id = $1",
            "DELETE FROM intakes WHERE id = $1",
        ];
        all(self, &statements, &values)
    }
}

impl payments::RetentionStore for Tx<'_> {
    fn orders_open_of(&mut self, customer: UserId, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let rows: Vec<Id> = prepared::<AnyUuid>(
            "SELECT id FROM orders WHERE customer_id = $1 AND status = 'open' ORDER BY id LIMIT $2",
            &[Value::Id(Id(customer.uuid())), Value::Number(i64::from(limit))],
        )
        .load(self.conn())
        .stored()?;
        Ok(rows.into_iter().map(|id| OrderId::new(id.0)).collect())
    }

    fn events_forget(&mut self, customer: UserId) -> Result<(), StoreError> {
        let sql = "UPDATE webhook_events SET body = '{}'
             WHERE order_id IN (SELECT id FROM orders WHERE customer_id = $1) AND body <> '{}'";
        run(self, sql, &[Value::Id(Id(customer.uuid()))]).map(drop)
    }

    fn events_forget_before(&mut self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        run(
            self,
            "UPDATE webhook_events SET body = '{}' WHERE id IN
               (SELECT id FROM webhook_events WHERE received_at < $1 AND body <> '{}' LIMIT $2)",
            &[Value::Time(Ts::from(before)), Value::Number(i64::from(limit))],
        )
    }

    fn orders_past(&mut self, before: Timestamp, limit: u32) -> Result<Vec<PastOrder>, StoreError> {
        let rows: Vec<(Id, Option<Id>, Id)> = prepared::<(AnyUuid, Nullable<AnyUuid>, AnyUuid)>(
            "SELECT id, session_id, intake_id FROM orders
             WHERE created_at < $1 AND status NOT IN ('open', 'processing', 'paid')
               AND NOT EXISTS (SELECT 1 FROM orders later WHERE later.session_id = orders.session_id
                 AND (later.created_at >= $1 OR later.status IN ('open', 'processing', 'paid')))
             ORDER BY created_at LIMIT $2",
            &[Value::Time(Ts::from(before)), Value::Number(i64::from(limit))],
        )
        .load(self.conn())
        .stored()?;
        let past = |(order, session, intake): (Id, Option<Id>, Id)| PastOrder {
            order: OrderId::new(order.0),
            session: session.map(|id| SessionId::new(id.0)),
            intake: IntakeId::new(intake.0),
        };
        Ok(rows.into_iter().map(past).collect())
    }

    fn order_delete(&mut self, order: OrderId, before: Timestamp) -> Result<(), StoreError> {
        let values = [Value::Id(Id(order.uuid())), Value::Time(Ts::from(before))];
        run(
            self,
            "INSERT INTO ledger_retention (id, removable_before) VALUES (1, $2)
             ON CONFLICT (id) DO UPDATE SET removable_before = excluded.removable_before",
            // The place of a value is the same in every statement.
            &values,
        )?;
        let statements = [
            "DELETE FROM ledger_entries WHERE transaction_id IN
               (SELECT id FROM ledger_transactions WHERE order_id = $1)",
            "DELETE FROM ledger_transactions WHERE order_id = $1",
            "DELETE FROM refunds WHERE order_id = $1",
            "DELETE FROM disputes WHERE payment_id IN (SELECT id FROM payments WHERE order_id = $1)",
            "DELETE FROM provider_earnings WHERE payment_id IN (SELECT id FROM payments WHERE order_id = $1)",
            "DELETE FROM payments WHERE order_id = $1",
            "DELETE FROM orders WHERE id = $1",
        ];
        all(self, &statements, &values[..1])
    }
}
