//! `/orders/{id}/receipt`: what was paid, line by line, so that the arithmetic can be followed.

use askama::Template;

use crate::frame::Frame;
use crate::money::{Amount, percent};
use crate::plan::ReceiptLine;

/// The receipt.
#[derive(Debug, Template)]
#[template(path = "receipt.html")]
pub struct ReceiptPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The order's id.
    pub order_id: String,
    /// RFC 3339: when it was paid.
    pub issued_at: String,
    /// Who paid.
    pub customer_name: String,
    /// The payer's mail address.
    pub customer_email: String,
    /// Year, make and model.
    pub vehicle: Option<String>,
    /// What was bought; the amounts add up to `total`, tax included.
    pub lines: Vec<ReceiptLine>,
    /// The tax rate that was in force, in basis points.
    pub tax_rate_bps: i64,
    /// The tax inside `total`.
    pub tax: Amount,
    /// `total` without the tax.
    pub net: Amount,
    /// What was owed.
    pub total: Amount,
    /// Money that came and went: payments positive, refunds negative.
    pub movements: Vec<Movement>,
    /// What Pitlane holds: the sum of `movements`.
    pub balance: Amount,
    /// The session that was bought, if it was made.
    pub session_id: Option<String>,
    /// The other receipts of that session: the order and what it bought.
    pub others: Vec<(String, &'static str)>,
}

/// Money that came or went.
#[derive(Clone, Debug, Default)]
pub struct Movement {
    /// For example `Paid by card` or `Refund`.
    pub label: String,
    /// RFC 3339.
    pub at: String,
    /// Positive for a payment, negative for a refund.
    pub amount: Amount,
}

impl ReceiptPage {
    pub(crate) fn tax_rate(&self) -> String {
        percent(self.tax_rate_bps)
    }
}
