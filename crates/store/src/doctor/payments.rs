//! What must hold of orders, payments, refunds and the ledger.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl};
use kernel::id::SessionId;
use kernel::{BasisPoints, Currency, Money, StoreError};

use super::{Invariant, found, id_text};
use crate::error::Stored;
use crate::tx::Tx;
use crate::types::{AnyUuid, Id};

/// The invariants of money.
pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant { number: 1, statement: "a quote keeps at most one charge", check: one_charge_a_quote },
    Invariant {
        number: 1,
        statement: "an order that costs something and is paid keeps exactly the agreed amount",
        check: paid_orders_have_their_money,
    },
    Invariant { number: 3, statement: "refunds are at most the payment", check: refunds_within_payments },
    Invariant {
        number: 4,
        statement: "every ledger transaction sums to zero in each currency",
        check: transactions_balance,
    },
    Invariant {
        number: 4,
        statement: "the ledger holds every payment and refund with its amount, and nothing else",
        check: ledger_agrees,
    },
    Invariant {
        number: 4,
        statement: "what providers have earned and what banks hold is in the ledger, and nothing else",
        check: earnings_agree,
    },
    Invariant {
        number: 6,
        statement: "no session is in progress without a paid order",
        check: sessions_paid,
    },
    Invariant {
        number: 8,
        statement: "a paid order is fulfilled, or its money is on the way back",
        check: paid_orders_end,
    },
    Invariant {
        number: 8,
        statement: "a charge that buys nothing goes back whole",
        check: surplus_goes_back,
    },
    Invariant {
        number: 10,
        statement: "a session is upgraded by one paid order, at most once and never after its end",
        check: upgrades_paid_once,
    },
    Invariant { number: 12, statement: "a customer has the free plan at most once", check: free_once },
];

fn one_charge_a_quote(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    found(
        tx,
        "SELECT 'quote ' || o.quote || ' keeps several charges' AS what \
         FROM payments p JOIN orders o ON o.id = p.order_id \
         WHERE NOT p.surplus AND o.status IN ('paid', 'fulfilled') GROUP BY o.quote HAVING count(*) > 1",
    )
}

fn paid_orders_have_their_money(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let order = id_text(tx, "o.id");
    found(
        tx,
        &format!(
            "SELECT 'order ' || {order} || ' is ' || o.status || ' without its money' AS what FROM orders o \
             WHERE o.status IN ('paid', 'fulfilled', 'refunded') AND o.amount_cents > 0 AND NOT EXISTS ( \
               SELECT 1 FROM payments p WHERE p.order_id = o.id AND NOT p.surplus \
               AND p.payment_intent = o.payment_intent AND p.amount_cents = o.amount_cents \
               AND p.currency = o.currency) \
             UNION ALL \
             SELECT 'order ' || {order} || ' is ' || o.status || ' and keeps money' AS what \
             FROM orders o JOIN payments p ON p.order_id = o.id \
             WHERE NOT p.surplus AND o.status NOT IN ('paid', 'fulfilled', 'refunded')"
        ),
    )
}

fn refunds_within_payments(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let payment = id_text(tx, "p.id");
    found(
        tx,
        &format!(
            "SELECT 'payment ' || {payment} || ': its refunds are more than it, or not what was asked back' AS what \
             FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id AND r.status <> 'failed' \
             GROUP BY p.id, p.amount_cents, p.asked_back_cents \
             HAVING coalesce(sum(r.amount_cents), 0) > p.amount_cents \
             OR coalesce(sum(r.amount_cents), 0) <> p.asked_back_cents"
        ),
    )
}

fn transactions_balance(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let transaction = id_text(tx, "t.id");
    found(
        tx,
        &format!(
            "SELECT 'ledger transaction ' || t.reference || ' does not sum to zero' AS what \
             FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id \
             GROUP BY t.id, t.reference, e.currency HAVING sum(e.amount_cents) <> 0 \
             UNION ALL \
             SELECT 'ledger transaction ' || {transaction} || ' has no lines' AS what FROM ledger_transactions t \
             WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.transaction_id = t.id)"
        ),
    )
}

// What the provider holds for us, seen from the ledger, must be what the payments and refunds say, row by row.
fn ledger_agrees(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let (payment, refund) = (id_text(tx, "p.id"), id_text(tx, "r.id"));
    let moved = "SELECT e.amount_cents FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id \
                 AND e.account = 'stripe_clearing'";
    found(
        tx,
        &format!(
            "SELECT 'payment ' || {payment} || ' is not in the ledger with its amount' AS what FROM payments p \
             WHERE NOT EXISTS ({moved} WHERE t.payment_id = p.id AND e.amount_cents = p.amount_cents \
               AND e.currency = p.currency AND ((t.kind = 'charge' AND NOT p.surplus) OR (t.kind = 'surplus' AND p.surplus))) \
             UNION ALL \
             SELECT 'refund ' || {refund} || ' went out and is not in the ledger with its amount' AS what \
             FROM refunds r WHERE r.status = 'succeeded' AND NOT EXISTS ({moved} WHERE t.refund_id = r.id \
               AND t.kind = 'refund_paid' AND e.amount_cents = -r.amount_cents AND e.currency = r.currency) \
             UNION ALL \
             SELECT 'refund ' || {refund} || ' did not go out and the ledger says it did' AS what \
             FROM refunds r JOIN ledger_transactions t ON t.refund_id = r.id AND t.kind = 'refund_paid' \
             WHERE r.status <> 'succeeded' AND NOT EXISTS ( \
               SELECT 1 FROM ledger_transactions b WHERE b.refund_id = r.id AND b.kind = 'refund_bounced')"
        ),
    )
}

fn earnings_agree(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let (payment, dispute) = (id_text(tx, "p.id"), id_text(tx, "d.id"));
    let booked = |account: &str| {
        format!(
            "(SELECT coalesce(sum(e.amount_cents), 0) FROM ledger_transactions t \
              JOIN ledger_entries e ON e.transaction_id = t.id AND e.account = '{account}' WHERE t.payment_id = p.id)"
        )
    };
    let (revenue, payable, held) =
        (booked("platform_revenue"), booked("provider_payable"), booked("disputes_held"));
    found(
        tx,
        &format!(
            "SELECT 'payment ' || {payment} || ': what was earned with it is not what the ledger says' AS what \
             FROM payments p LEFT JOIN provider_earnings g ON g.payment_id = p.id \
             WHERE {revenue} <> -coalesce(g.fee_cents, 0) OR {payable} <> -coalesce(g.payable_cents, 0) \
             UNION ALL \
             SELECT 'payment ' || {payment} || ': what a bank holds of it is not what the ledger says' AS what \
             FROM payments p WHERE {held} <> (SELECT coalesce(sum(d.amount_cents), 0) FROM disputes d \
               WHERE d.payment_id = p.id AND d.withdrawn AND d.closed_at IS NULL) \
             UNION ALL \
             SELECT 'dispute ' || {dispute} || ' is not won and what was earned is paid out' AS what \
             FROM disputes d JOIN provider_earnings g ON g.payment_id = d.payment_id \
             WHERE d.status <> 'won' AND NOT g.frozen"
        ),
    )
}

fn sessions_paid(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let session = id_text(tx, "s.id");
    found(
        tx,
        &format!(
            "SELECT 'session ' || {session} || ' is in progress and nobody paid for it' AS what FROM sessions s \
             WHERE s.status = 'in_progress' AND NOT EXISTS (SELECT 1 FROM orders o \
             WHERE o.session_id = s.id AND o.kind = 'session' AND o.status IN ('fulfilled', 'refunded'))"
        ),
    )
}

fn paid_orders_end(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let order = id_text(tx, "o.id");
    found(
        tx,
        &format!(
            "SELECT 'order ' || {order} || ' is paid, not fulfilled, and its money is not on the way back' AS what \
             FROM orders o WHERE o.status = 'paid' AND NOT EXISTS (SELECT 1 FROM refunds r \
             JOIN payments p ON p.id = r.payment_id \
             WHERE p.order_id = o.id AND NOT p.surplus AND r.status <> 'failed')"
        ),
    )
}

fn surplus_goes_back(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let payment = id_text(tx, "p.id");
    found(
        tx,
        &format!(
            "SELECT 'payment ' || {payment} || ' buys nothing and does not go back whole' AS what FROM payments p \
             WHERE p.surplus AND p.asked_back_cents <> p.amount_cents"
        ),
    )
}

fn free_once(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let customer = id_text(tx, "o.customer_id");
    found(
        tx,
        &format!(
            "SELECT 'customer ' || {customer} || ' had the free plan several times' AS what FROM orders o \
             WHERE o.plan = 'free' AND o.status IN ('paid', 'fulfilled') \
             GROUP BY o.customer_id HAVING count(*) > 1"
        ),
    )
}

// A session whose money has outlived its retention is left out.
fn upgrades_paid_once(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let session = id_text(tx, "s.id");
    let upgrades = "SELECT count(*) FROM orders o WHERE o.session_id = s.id AND o.kind = 'upgrade' \
                    AND o.fulfilled_at IS NOT NULL";
    let told =
        "SELECT count(*) FROM session_events e WHERE e.session_id = s.id AND e.kind = 'session_upgraded'";
    found(
        tx,
        &format!(
            "SELECT 'session ' || {session} || ' is ' || s.session_type || ' and its upgrade was paid ' \
               || CAST(({upgrades}) AS text) || ' times' AS what FROM sessions s \
             WHERE EXISTS (SELECT 1 FROM orders b WHERE b.session_id = s.id AND b.kind = 'session') \
               AND ({upgrades}) <> CASE WHEN s.upgraded_at IS NULL THEN 0 ELSE 1 END \
             UNION ALL \
             SELECT 'session ' || {session} || ' was upgraded after its end' AS what FROM sessions s \
             WHERE s.upgraded_at > s.ended_at \
             UNION ALL \
             SELECT 'session ' || {session} || ' tells its upgrade ' || CAST(({told}) AS text) || ' times' AS what \
             FROM sessions s WHERE ({told}) <> CASE WHEN s.upgraded_at IS NULL THEN 0 ELSE 1 END"
        ),
    )
}

/// An upgrade as it was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldUpgrade {
    /// The session.
    pub session: SessionId,
    /// The price book of both its orders.
    pub book: String,
    /// The multiplier of the booked slot.
    pub multiplier: BasisPoints,
    /// What the session cost.
    pub base: Money,
    /// What its upgrade cost.
    pub upgrade: Money,
}

/// Every upgrade that was made. Whether its price is right is for the price books to say.
///
/// # Errors
/// A failure of the storage.
pub fn sold_upgrades(tx: &mut Tx<'_>) -> Result<Vec<SoldUpgrade>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = AnyUuid)]
        session_id: Id,
        #[diesel(sql_type = Text)]
        price_book: String,
        #[diesel(sql_type = BigInt)]
        multiplier_bps: i64,
        #[diesel(sql_type = BigInt)]
        base_cents: i64,
        #[diesel(sql_type = BigInt)]
        upgrade_cents: i64,
        #[diesel(sql_type = Text)]
        currency: String,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT u.session_id, u.price_book, u.multiplier_bps, b.amount_cents AS base_cents, \
           u.amount_cents AS upgrade_cents, u.currency \
         FROM orders u JOIN orders b ON b.session_id = u.session_id AND b.kind = 'session' \
         WHERE u.kind = 'upgrade' AND u.fulfilled_at IS NOT NULL ORDER BY u.id",
    )
    .load(tx.conn())
    .stored()?;
    rows.into_iter()
        .map(|row| {
            let currency = Currency::parse(&row.currency)
                .ok_or_else(|| StoreError::corrupt("orders.currency", &row.currency))?;
            let multiplier = u32::try_from(row.multiplier_bps)
                .map_err(|reason| StoreError::corrupt("orders.multiplier_bps", reason))?;
            Ok(SoldUpgrade {
                session: SessionId::new(row.session_id.0),
                book: row.price_book,
                multiplier: BasisPoints::new(multiplier),
                base: Money::new(row.base_cents, currency),
                upgrade: Money::new(row.upgrade_cents, currency),
            })
        })
        .collect()
}
