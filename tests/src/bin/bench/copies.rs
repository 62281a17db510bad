//! The limit of a webhook: SQLite copies the same rows, with nothing around it.

use std::path::Path;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// What a webhook writes, parents first: the table, which of its rows, and whose they are.
const ROWS: [(&str, &str, &str); 12] = [
    ("webhook_events", "order_id IS NOT NULL", "order_id = orders.id"),
    ("payments", "1", "order_id = orders.id"),
    ("ledger_transactions", "1", "order_id = orders.id"),
    (
        "ledger_entries",
        "1",
        "transaction_id = (SELECT id FROM ledger_transactions WHERE order_id = orders.id)",
    ),
    ("sessions", "1", "id = orders.session_id"),
    ("session_participants", "1", "session_id = orders.session_id"),
    ("session_events", "1", "session_id = orders.session_id"),
    ("session_requests", "1", "session_id = orders.session_id"),
    (
        "request_offers",
        "1",
        "request_id = (SELECT id FROM session_requests WHERE session_id = orders.session_id)",
    ),
    ("crm_interactions", "interaction_type = 'checkout_completed'", "session_id = orders.session_id"),
    ("deliveries", "milestone IN ('booking_confirmed', 'receipt')", ""),
    (
        "jobs",
        "(kind = 'expire_request' OR dedupe_key GLOB 'mail:booking_confirmed:*' OR dedupe_key GLOB 'mail:receipt:*')",
        "",
    ),
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Columns {
    #[diesel(sql_type = Text)]
    columns: String,
}

/// Takes the rows of all webhooks out of a database that a server has filled and left, and puts them back, in commits of
/// `batch` webhooks and with one statement a table: webhooks a second.
pub fn copied_a_second(file: &Path, batch: i64) -> f64 {
    let mut connection = super::writer::open(file);
    let mut run = |sql: &str| connection.batch_execute(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    run(
        "PRAGMA foreign_keys = OFF; DROP TRIGGER ledger_transactions_no_delete; DROP TRIGGER ledger_entries_no_delete",
    );
    run(
        "CREATE TEMP TABLE kept_orders AS SELECT * FROM orders WHERE status = 'fulfilled' ORDER BY fulfilled_at",
    );
    for (table, which, whose) in ROWS {
        let rows = if whose.is_empty() {
            format!("SELECT * FROM {table} WHERE {which}")
        } else {
            let rows = format!("SELECT {table}.* FROM kept_orders AS orders CROSS JOIN {table}");
            format!("{rows} WHERE {which} AND {table}.{whose} ORDER BY orders.rowid")
        };
        run(&format!("CREATE TEMP TABLE kept_{table} AS {rows}"));
    }
    for (table, which, _) in ROWS {
        run(&format!("DELETE FROM {table} WHERE {which}"));
    }
    run(
        "UPDATE orders SET status = 'open', session_id = NULL, payment_intent = NULL, paid_at = NULL, fulfilled_at = NULL \
         WHERE status = 'fulfilled'",
    );
    run("PRAGMA foreign_keys = ON; PRAGMA wal_checkpoint(TRUNCATE)");
    let mut count = |table: &str| {
        let query = diesel::sql_query(format!("SELECT count(*) AS count FROM kept_{table}"));
        query.get_result::<Count>(&mut connection).expect("a count").count
    };
    let webhooks = count("orders");
    let each = ROWS.map(|(table, ..)| (table, count(table) / webhooks));
    // Without those that SQLite works out.
    let columns = ROWS.map(|(table, ..)| {
        let query = format!("SELECT group_concat(name) AS columns FROM pragma_table_info('{table}')");
        diesel::sql_query(query).get_result::<Columns>(&mut connection).expect("columns").columns
    });
    let start = Instant::now();
    for first in (0..webhooks).step_by(usize::try_from(batch).unwrap_or(1)) {
        let after = (first + batch).min(webhooks);
        connection.batch_execute("BEGIN IMMEDIATE").expect("begins");
        for ((table, rows), columns) in each.iter().zip(&columns) {
            let copy = format!(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table} WHERE rowid > {} AND rowid <= {}",
                first * rows,
                after * rows
            );
            connection.batch_execute(&copy).unwrap_or_else(|error| panic!("{error}: {copy}"));
        }
        let update = format!(
            "UPDATE orders SET status = 'fulfilled', session_id = kept.session_id, payment_intent = kept.payment_intent, \
             paid_at = kept.paid_at, fulfilled_at = kept.fulfilled_at \
             FROM kept_orders AS kept WHERE kept.rowid > {first} AND kept.rowid <= {after} AND orders.id = kept.id"
        );
        connection.batch_execute(&update).expect("updates");
        connection.batch_execute("COMMIT").expect("commits");
    }
    webhooks as f64 / start.elapsed().as_secs_f64()
}
