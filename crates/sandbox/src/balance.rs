//! The platform's balance, and the transactions that it is the sum of.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::Tx;
use crate::timers::Due;

/// Seconds until the money of a charge can be passed on.
const PENDING_FOR: i64 = 2 * 86_400;

/// Money that comes in or goes out.
pub(crate) struct Entry<'a> {
    /// Stripe's `type`.
    pub(crate) kind: &'static str,
    /// Stripe's `reporting_category`.
    pub(crate) category: &'static str,
    /// In the currency's smallest unit; negative for what goes out.
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) currency: &'a str,
    pub(crate) source: &'a str,
    pub(crate) description: Option<&'a str>,
    /// When it counts as available; the past is now.
    pub(crate) available_on: i64,
}

/// When the money of a charge that is paid now becomes available.
pub(crate) fn available_on(now: i64) -> i64 {
    now + PENDING_FOR
}

/// What Stripe keeps of a charge: 2.9 percent, rounded half up, and 30 of the smallest unit
/// (<https://stripe.com/pricing>, cards in the USA).
pub(crate) fn fee(amount: i64) -> i64 {
    (amount * 29 + 500) / 1_000 + 30
}

/// Writes a transaction of the balance.
pub(crate) fn enter(tx: &mut Tx<'_>, entry: &Entry<'_>) -> Result<Document, Fault> {
    let pending = entry.available_on > tx.now;
    let details = if entry.fee == 0 {
        json!([])
    } else {
        json!([{
            "amount": entry.fee,
            "application": null,
            "currency": entry.currency,
            "description": if entry.kind == "charge" { "Stripe processing fees" } else { "Dispute fee" },
            "type": "stripe_fee",
        }])
    };
    let transaction = Document::new(json!({
        "id": ids::object("txn"),
        "object": "balance_transaction",
        "amount": entry.amount,
        "available_on": entry.available_on.max(tx.now),
        "balance_type": "payments",
        "created": tx.now,
        "currency": entry.currency,
        "description": entry.description,
        "exchange_rate": null,
        "fee": entry.fee,
        "fee_details": details,
        "net": entry.amount - entry.fee,
        "reporting_category": entry.category,
        "source": entry.source,
        "status": if pending { "pending" } else { "available" },
        "type": entry.kind,
    }));
    tx.insert(Kind::BalanceTransaction, &transaction, &Value::Null)?;
    if pending {
        tx.timer_set(Due::ReleaseFunds.name(), transaction.id(), entry.available_on)?;
    }
    Ok(transaction)
}

/// When the money of a charge is or was available.
pub(crate) fn release_of(tx: &mut Tx<'_>, charge: &Document) -> Result<i64, Fault> {
    match charge.maybe("balance_transaction") {
        Some(id) => Ok(tx.require(Kind::BalanceTransaction, id, "id")?.integer("available_on")),
        None => Ok(tx.now),
    }
}

/// A transaction's time has come.
pub(crate) fn release(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let mut transaction = tx.require(Kind::BalanceTransaction, id, "id")?;
    transaction.set("status", "available");
    tx.update(&transaction)
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    net: i64,
}

fn sums(tx: &mut Tx<'_>) -> Result<Vec<Sum>, Fault> {
    let sums = sql_query(
        "select json_extract(json, '$.currency') as currency, json_extract(json, '$.status') as status,
                sum(json_extract(json, '$.net')) as net
         from document where kind = 'balance_transaction' group by 1, 2 order by 1",
    )
    .load(tx.connection)?;
    Ok(sums)
}

/// What can be passed on now, in a currency's smallest unit.
pub(crate) fn available(tx: &mut Tx<'_>, currency: &str) -> Result<i64, Fault> {
    let sums = sums(tx)?;
    let of = sums.iter().filter(|sum| sum.currency == currency && sum.status == "available");
    Ok(of.map(|sum| sum.net).sum())
}

pub(crate) fn retrieve(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[])?;
    let sums = sums(tx)?;
    let mut currencies: Vec<&str> = sums.iter().map(|sum| sum.currency.as_str()).collect();
    currencies.dedup();
    if currencies.is_empty() {
        currencies.push("usd");
    }
    let part = |status: &str| -> Value {
        let of = |currency: &str| -> i64 {
            let matching = sums.iter().filter(|sum| sum.currency == currency && sum.status == status);
            matching.map(|sum| sum.net).sum()
        };
        currencies
            .iter()
            .map(|currency| {
                json!({
                    "amount": of(currency),
                    "currency": currency,
                    "source_types": {"card": of(currency)},
                })
            })
            .collect()
    };
    Ok(Reply::ok(json!({
        "object": "balance",
        "available": part("available"),
        "livemode": false,
        "pending": part("pending"),
    })))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(
        tx,
        params,
        Kind::BalanceTransaction,
        &[
            Filter::Field("type"),
            Filter::Field("source"),
            Filter::Field("currency"),
            // Nothing is ever paid out here, so that no transaction has one.
            Filter::Field("payout"),
        ],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::fee;

    #[test]
    fn the_fee_is_rounded_half_up() {
        for (amount, wanted) in [(999, 59), (2_999, 117), (1_000, 59), (500, 45), (50, 31)] {
            assert_eq!(fee(amount), wanted, "{amount}");
        }
    }
}
