//! The port of `payments`.

use diesel::prelude::{
    AsChangeset, ExpressionMethods, Identifiable, Insertable, NullableExpressionMethods, OptionalExtension,
    QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel::{BoolExpressionMethods, RunQueryDsl, alias};
use kernel::id::{IntakeId, OrderId, PaymentId, RefundId, SessionId, UserId};
use kernel::{BasisPoints, Currency, Money, PlanCode, StoreError, Timestamp};
use payments::ledger::Transaction;
use payments::refund::RefundState;
use payments::{
    Dispute, Earning, InboxEvent, Order, OrderKind, OrderState, OrderStatus, OrderTerms, Outcome, Payment,
    Refund, RefundReason, RefundStatus, Store,
};

use crate::connection::AnyConnection;
use crate::dialect::{Lock, lock_row};
use crate::earnings;
use crate::error::Stored;
use crate::literal::{literal, one_of};
use crate::prepared::{Keep, on};
use crate::schema::payments::{
    ledger_entries, ledger_transactions, orders, payments as payment_table, refunds, stripe_customers,
    webhook_events,
};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, treat_none_as_default_value = false)]
struct OrderRow {
    id: Id,
    customer_id: Id,
    intake_id: Id,
    kind: String,
    quote: String,
    plan: String,
    price_book: String,
    multiplier_bps: i64,
    amount_cents: i64,
    currency: String,
    tax_rate_bps: i64,
    fee_rate_bps: i64,
    idempotency_key: String,
    status: String,
    checkout_id: Option<String>,
    checkout_url: Option<String>,
    charge_intent: Option<String>,
    payment_intent: Option<String>,
    session_id: Option<Id>,
    created_at: Ts,
    expires_at: Ts,
    paid_at: Option<Ts>,
    fulfilled_at: Option<Ts>,
    closed_at: Option<Ts>,
}

impl From<&Order> for OrderRow {
    fn from(order: &Order) -> Self {
        let (terms, state) = (order.terms(), order.state());
        Self {
            id: Id(terms.id.uuid()),
            customer_id: Id(terms.customer.uuid()),
            intake_id: Id(terms.intake.uuid()),
            kind: terms.kind.as_str().to_owned(),
            quote: terms.quote.clone(),
            plan: terms.plan.as_str().to_owned(),
            price_book: terms.book.clone(),
            multiplier_bps: i64::from(terms.multiplier.points()),
            amount_cents: terms.amount.minor(),
            currency: terms.amount.currency().as_str().to_owned(),
            tax_rate_bps: i64::from(terms.tax_rate.points()),
            fee_rate_bps: i64::from(terms.fee_rate.points()),
            idempotency_key: terms.idempotency_key.clone(),
            status: state.status.as_str().to_owned(),
            checkout_id: state.checkout.clone(),
            checkout_url: state.checkout_url.clone(),
            charge_intent: state.charge.clone(),
            payment_intent: state.payment_intent.clone(),
            session_id: terms.session.or(state.session).map(|id| Id(id.uuid())),
            created_at: terms.created_at.into(),
            expires_at: terms.expires_at.into(),
            paid_at: state.paid_at.map(Ts::from),
            fulfilled_at: state.fulfilled_at.map(Ts::from),
            closed_at: state.closed_at.map(Ts::from),
        }
    }
}

impl TryFrom<OrderRow> for Order {
    type Error = StoreError;

    fn try_from(row: OrderRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("order", format!("{what} of {}", row.id.0));
        let rate =
            |points: i64, what: &str| u32::try_from(points).map(BasisPoints::new).map_err(|_| corrupt(what));
        let kind = OrderKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?;
        let session = row.session_id.map(|id| SessionId::new(id.0));
        let terms = OrderTerms {
            id: OrderId::new(row.id.0),
            customer: UserId::new(row.customer_id.0),
            intake: IntakeId::new(row.intake_id.0),
            kind,
            session: session.filter(|_| kind != OrderKind::Session),
            quote: row.quote.clone(),
            plan: PlanCode::parse(&row.plan).ok_or_else(|| corrupt("plan"))?,
            book: row.price_book.clone(),
            multiplier: rate(row.multiplier_bps, "multiplier")?,
            amount: money("order", row.amount_cents, &row.currency)?,
            tax_rate: rate(row.tax_rate_bps, "tax rate")?,
            fee_rate: rate(row.fee_rate_bps, "fee rate")?,
            idempotency_key: row.idempotency_key.clone(),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        };
        let state = OrderState {
            status: OrderStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            checkout: row.checkout_id.clone(),
            checkout_url: row.checkout_url.clone(),
            charge: row.charge_intent.clone(),
            payment_intent: row.payment_intent.clone(),
            // An order that changes a session names it from the beginning.
            session: session.filter(|_| row.fulfilled_at.is_some()),
            paid_at: row.paid_at.map(Timestamp::from),
            fulfilled_at: row.fulfilled_at.map(Timestamp::from),
            closed_at: row.closed_at.map(Timestamp::from),
        };
        Self::restore(terms, state)
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = payment_table)]
struct PaymentRow {
    id: Id,
    order_id: Id,
    payment_intent: String,
    amount_cents: i64,
    currency: String,
    surplus: bool,
    asked_back_cents: i64,
    created_at: Ts,
}

impl From<&Payment> for PaymentRow {
    fn from(payment: &Payment) -> Self {
        Self {
            id: Id(payment.id.uuid()),
            order_id: Id(payment.order.uuid()),
            payment_intent: payment.payment_intent.clone(),
            amount_cents: payment.amount.minor(),
            currency: payment.amount.currency().as_str().to_owned(),
            surplus: payment.surplus,
            asked_back_cents: payment.asked_back().minor(),
            created_at: payment.created_at.into(),
        }
    }
}

impl TryFrom<PaymentRow> for Payment {
    type Error = StoreError;

    fn try_from(row: PaymentRow) -> Result<Self, StoreError> {
        let amount = money("payment", row.amount_cents, &row.currency)?;
        let (id, order) = (PaymentId::new(row.id.0), OrderId::new(row.order_id.0));
        Self::new(id, order, row.payment_intent, amount, row.surplus, row.created_at.into())
            .restored(Money::new(row.asked_back_cents, amount.currency()))
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = refunds, treat_none_as_null = true, treat_none_as_default_value = false)]
struct RefundRow {
    id: Id,
    payment_id: Id,
    order_id: Id,
    amount_cents: i64,
    currency: String,
    reason: String,
    idempotency_key: String,
    status: String,
    provider_id: Option<String>,
    created_at: Ts,
    closed_at: Option<Ts>,
}

impl From<&Refund> for RefundRow {
    fn from(refund: &Refund) -> Self {
        Self {
            id: Id(refund.id.uuid()),
            payment_id: Id(refund.payment.uuid()),
            order_id: Id(refund.order.uuid()),
            amount_cents: refund.amount.minor(),
            currency: refund.amount.currency().as_str().to_owned(),
            reason: refund.reason.as_str().to_owned(),
            idempotency_key: refund.idempotency_key.clone(),
            status: refund.status().as_str().to_owned(),
            provider_id: refund.provider_id().map(str::to_owned),
            created_at: refund.created_at.into(),
            closed_at: refund.closed_at().map(Ts::from),
        }
    }
}

impl TryFrom<RefundRow> for Refund {
    type Error = StoreError;

    fn try_from(row: RefundRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("refund", format!("{what} of {}", row.id.0));
        let state = RefundState {
            status: RefundStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            provider_id: row.provider_id.clone(),
            closed_at: row.closed_at.map(Timestamp::from),
        };
        let refund = Self::restore(
            RefundId::new(row.id.0),
            PaymentId::new(row.payment_id.0),
            OrderId::new(row.order_id.0),
            money("refund", row.amount_cents, &row.currency)?,
            RefundReason::parse(&row.reason).ok_or_else(|| corrupt("reason"))?,
            row.idempotency_key.clone(),
            row.created_at.into(),
        );
        Ok(refund.restored(state))
    }
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = webhook_events)]
struct EventRow<'a> {
    id: &'a str,
    kind: &'a str,
    created_at: Ts,
    received_at: Ts,
    body: &'a str,
    outcome: &'a str,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = ledger_transactions, treat_none_as_default_value = false)]
struct LedgerTransactionRow<'a> {
    id: Id,
    kind: &'a str,
    reference: String,
    order_id: Id,
    payment_id: Id,
    refund_id: Option<Id>,
    created_at: Ts,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = ledger_entries)]
struct LedgerEntryRow<'a> {
    transaction_id: Id,
    line: i64,
    account: &'a str,
    amount_cents: i64,
    currency: &'a str,
}

pub(crate) fn money(entity: &str, minor: i64, code: &str) -> Result<Money, StoreError> {
    let currency =
        Currency::parse(code).ok_or_else(|| StoreError::corrupt(entity, format!("currency {code}")))?;
    Ok(Money::new(minor, currency))
}

fn domain<R, T: TryFrom<R, Error = StoreError>>(rows: Vec<R>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}

/// Every order that made or changes this session, oldest first, without a lock: for what is only shown.
pub(crate) fn orders_of_session(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<Order>, StoreError> {
    let query = orders::table.filter(orders::session_id.eq(Id(session.uuid()))).order(orders::id);
    domain(query.select(OrderRow::as_select()).kept().load(tx.conn()).stored()?)
}

pub(crate) fn changed_one(what: &str, changed: usize) -> Result<(), StoreError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Constraint(format!("{what} is not there to be changed")))
    }
}

// Each arm types the query for its own database. SQLite has one writer, so it neither has nor needs the clause.
macro_rules! load_locked {
    ($tx:expr, $query:expr) => {
        match $tx.conn() {
            AnyConnection::Postgres(postgres) => {
                $query.select(OrderRow::as_select()).for_update().load(postgres).stored()
            }
            AnyConnection::Sqlite(sqlite) => {
                $query.select(OrderRow::as_select()).kept().load(sqlite).stored()
            }
        }
    };
}

macro_rules! load_one {
    ($tx:expr, $query:expr) => {
        on!($tx.conn(), typed => $query.select(OrderRow::as_select()).limit(1).kept().get_result(typed))
            .optional()
            .stored()?
            .map(Order::try_from)
            .transpose()
    };
}

impl Store for Tx<'_> {
    fn order_insert(&mut self, order: &Order) -> Result<bool, StoreError> {
        let insert =
            diesel::insert_into(orders::table).values(OrderRow::from(order)).on_conflict_do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn order_by_id(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        load_one!(self, orders::table.find(Id(id.uuid())))
    }

    fn order_by_checkout(&mut self, checkout: &str) -> Result<Option<Order>, StoreError> {
        load_one!(self, orders::table.filter(orders::checkout_id.eq(checkout)))
    }

    fn orders_of_session_for_update(&mut self, session: SessionId) -> Result<Vec<Order>, StoreError> {
        let query = orders::table.filter(orders::session_id.eq(Id(session.uuid()))).order(orders::id);
        domain(load_locked!(self, query)?)
    }

    fn orders_alike_for_update(&mut self, id: OrderId) -> Result<Vec<Order>, StoreError> {
        let (orders, seen) = (orders::table, alias!(orders as seen));
        let quote = seen.filter(seen.field(orders::id).eq(Id(id.uuid()))).select(seen.field(orders::quote));
        // As one value: a list would become a table of its own.
        let query = orders.filter(orders::quote.nullable().eq(quote.single_value())).order(orders::id);
        domain(load_locked!(self, query)?)
    }

    fn orders_of_quote_for_update(&mut self, quote: &str) -> Result<Vec<Order>, StoreError> {
        let query = orders::table.filter(orders::quote.eq(quote)).order(orders::id);
        domain(load_locked!(self, query)?)
    }

    fn orders_overdue(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Order>, StoreError> {
        let unresolved =
            [OrderStatus::Open, OrderStatus::Processing, OrderStatus::Paid].map(OrderStatus::as_str);
        let open = orders::status.eq(literal(OrderStatus::Open.as_str()));
        let query = orders::table
            .filter(one_of(orders::status, unresolved))
            .filter(diesel::dsl::not(open).or(orders::expires_at.lt(Ts::from(now))))
            .order((orders::created_at, orders::id))
            .limit(i64::from(limit))
            .select(OrderRow::as_select());
        domain(query.kept().load(self.conn()).stored()?)
    }

    fn order_update(&mut self, order: &Order) -> Result<(), StoreError> {
        let row = OrderRow::from(order);
        // What is not written leaves its indexes untouched.
        let changed = diesel::update(orders::table.find(row.id))
            .set((
                orders::status.eq(row.status),
                orders::payment_intent.eq(row.payment_intent),
                orders::paid_at.eq(row.paid_at),
                orders::closed_at.eq(row.closed_at),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        changed_one("the order", changed)
    }

    fn order_fulfil(&mut self, order: &Order) -> Result<(), StoreError> {
        let row = OrderRow::from(order);
        let changed = diesel::update(orders::table.find(row.id))
            .set((
                orders::status.eq(row.status),
                orders::session_id.eq(row.session_id),
                orders::fulfilled_at.eq(row.fulfilled_at),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        changed_one("the order", changed)
    }

    fn order_means_update(&mut self, order: &Order) -> Result<(), StoreError> {
        let row = OrderRow::from(order);
        let changed = diesel::update(orders::table.find(row.id))
            .set((
                orders::checkout_id.eq(row.checkout_id),
                orders::checkout_url.eq(row.checkout_url),
                orders::charge_intent.eq(row.charge_intent),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        changed_one("the order", changed)
    }

    fn payment_insert(&mut self, payment: &Payment) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(payment_table::table)
            .values(PaymentRow::from(payment))
            .on_conflict(payment_table::payment_intent)
            .do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn payment_for_update(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        lock_row(self.conn(), Lock::Payment, id.uuid())?;
        let query = payment_table::table.find(Id(id.uuid())).select(PaymentRow::as_select());
        query.limit(1).kept().get_result(self.conn()).optional().stored()?.map(Payment::try_from).transpose()
    }

    fn payment_by_intent(&mut self, payment_intent: &str) -> Result<Option<Payment>, StoreError> {
        let query = payment_table::table
            .filter(payment_table::payment_intent.eq(payment_intent))
            .select(PaymentRow::as_select());
        query.limit(1).kept().get_result(self.conn()).optional().stored()?.map(Payment::try_from).transpose()
    }

    fn payments_of_order(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreError> {
        let query = payment_table::table
            .filter(payment_table::order_id.eq(Id(order.uuid())))
            .order((payment_table::created_at, payment_table::id))
            .select(PaymentRow::as_select());
        domain(query.kept().load(self.conn()).stored()?)
    }

    fn payment_update(&mut self, payment: &Payment) -> Result<(), StoreError> {
        let row = PaymentRow::from(payment);
        let changed = diesel::update(payment_table::table.find(row.id))
            .set(&row)
            .kept()
            .execute(self.conn())
            .stored()?;
        changed_one("the payment", changed)
    }

    fn refund_insert(&mut self, refund: &Refund) -> Result<(), StoreError> {
        diesel::insert_into(refunds::table)
            .values(RefundRow::from(refund))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn refund_by_id(&mut self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        let query = refunds::table.find(Id(id.uuid())).select(RefundRow::as_select());
        query.limit(1).kept().get_result(self.conn()).optional().stored()?.map(Refund::try_from).transpose()
    }

    fn refunds_of_payment(&mut self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        let query = refunds::table
            .filter(refunds::payment_id.eq(Id(payment.uuid())))
            .order((refunds::created_at, refunds::id))
            .select(RefundRow::as_select());
        domain(query.kept().load(self.conn()).stored()?)
    }

    fn refunds_unresolved(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Refund>, StoreError> {
        let waiting = [RefundStatus::Pending, RefundStatus::Unknown].map(RefundStatus::as_str);
        let query = refunds::table
            .filter(one_of(refunds::status, waiting))
            .filter(refunds::created_at.lt(Ts::from(before)))
            .order((refunds::created_at, refunds::id))
            .limit(i64::from(limit))
            .select(RefundRow::as_select());
        domain(query.kept().load(self.conn()).stored()?)
    }

    fn refund_update(&mut self, refund: &Refund) -> Result<(), StoreError> {
        let row = RefundRow::from(refund);
        let changed =
            diesel::update(refunds::table.find(row.id)).set(&row).kept().execute(self.conn()).stored()?;
        changed_one("the refund", changed)
    }

    fn event_insert(&mut self, event: &InboxEvent, now: Timestamp) -> Result<bool, StoreError> {
        let row = EventRow {
            id: &event.id,
            kind: &event.kind,
            created_at: event.created_at.into(),
            received_at: now.into(),
            body: &event.body,
            outcome: Outcome::Ignored.as_str(),
        };
        let insert = diesel::insert_into(webhook_events::table)
            .values(row)
            .on_conflict(webhook_events::id)
            .do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn events_known(&mut self, ids: &[String]) -> Result<Vec<String>, StoreError> {
        let mut known = Vec::new();
        // SQLite takes a limited number of values in one statement.
        for part in ids.chunks(500) {
            let found: Vec<String> = webhook_events::table
                .filter(webhook_events::id.eq_any(part))
                .select(webhook_events::id)
                .load(self.conn())
                .stored()?;
            known.extend(found);
        }
        Ok(known)
    }

    fn event_conclude(
        &mut self,
        id: &str,
        outcome: Outcome,
        order: Option<OrderId>,
    ) -> Result<(), StoreError> {
        use webhook_events as e;
        let outcome = e::outcome.eq(outcome.as_str());
        let event = diesel::update(e::table.find(id));
        let changed = match order {
            Some(order) => {
                event.set((outcome, e::order_id.eq(Some(Id(order.uuid()))))).kept().execute(self.conn())
            }
            None => event.set((outcome, e::body.eq("{}"))).kept().execute(self.conn()),
        };
        changed_one("the event", changed.stored()?)
    }

    fn events_compared(&mut self, ids: &[String], now: Timestamp) -> Result<(), StoreError> {
        for id in ids {
            diesel::update(webhook_events::table.find(id))
                .set(webhook_events::compared_at.eq(Some(Ts::from(now))))
                .kept()
                .execute(self.conn())
                .stored()?;
        }
        Ok(())
    }

    fn event_watermark(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let newest: Option<Ts> = webhook_events::table
            .filter(webhook_events::compared_at.is_not_null())
            .order(webhook_events::created_at.desc())
            .select(webhook_events::created_at)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        Ok(newest.map(Timestamp::from))
    }

    fn ledger_append(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        let row = LedgerTransactionRow {
            id: Id(transaction.id().uuid()),
            kind: transaction.kind().as_str(),
            reference: transaction.reference(),
            order_id: Id(transaction.order().uuid()),
            payment_id: Id(transaction.payment().uuid()),
            refund_id: transaction.refund().map(|id| Id(id.uuid())),
            created_at: transaction.at().into(),
        };
        diesel::insert_into(ledger_transactions::table).values(row).kept().execute(self.conn()).stored()?;
        for (line, entry) in (1..).zip(transaction.entries()) {
            let row = LedgerEntryRow {
                transaction_id: Id(transaction.id().uuid()),
                line,
                account: entry.account.as_str(),
                amount_cents: entry.amount.minor(),
                currency: entry.amount.currency().as_str(),
            };
            diesel::insert_into(ledger_entries::table).values(row).kept().execute(self.conn()).stored()?;
        }
        Ok(())
    }

    fn earning_of_payment(&mut self, payment: PaymentId) -> Result<Option<Earning>, StoreError> {
        earnings::earning_of_payment(self, payment)
    }

    fn earning_insert(&mut self, earning: &Earning) -> Result<(), StoreError> {
        earnings::earning_insert(self, earning)
    }

    fn earning_update(&mut self, earning: &Earning) -> Result<(), StoreError> {
        earnings::earning_update(self, earning)
    }

    fn disputes_of_payment(&mut self, payment: PaymentId) -> Result<Vec<Dispute>, StoreError> {
        earnings::disputes_of_payment(self, payment)
    }

    fn dispute_insert(&mut self, dispute: &Dispute) -> Result<(), StoreError> {
        earnings::dispute_insert(self, dispute)
    }

    fn dispute_update(&mut self, dispute: &Dispute) -> Result<(), StoreError> {
        earnings::dispute_update(self, dispute)
    }

    fn customer_reference(&mut self, customer: UserId) -> Result<Option<String>, StoreError> {
        let query = stripe_customers::table.find(Id(customer.uuid())).select(stripe_customers::reference);
        query.limit(1).kept().get_result(self.conn()).optional().stored()
    }

    fn customer_reference_put(
        &mut self,
        customer: UserId,
        reference: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = diesel::insert_into(stripe_customers::table)
            .values((
                stripe_customers::user_id.eq(Id(customer.uuid())),
                stripe_customers::reference.eq(reference),
                stripe_customers::created_at.eq(Ts::from(now)),
            ))
            .on_conflict(stripe_customers::user_id)
            .do_update()
            .set((stripe_customers::reference.eq(reference), stripe_customers::created_at.eq(Ts::from(now))));
        insert.kept().execute(self.conn()).stored().map(drop)
    }

    fn customer_reference_delete(&mut self, customer: UserId) -> Result<(), StoreError> {
        diesel::delete(stripe_customers::table.find(Id(customer.uuid())))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }
}
