//! A plan as a card, a radio button or a line of a receipt.

use crate::money::Amount;

/// One plan of the active price book.
#[derive(Clone, Debug, Default)]
pub struct PlanCard {
    /// `free`, `chat10`, `video15` or `diagnostic`.
    pub code: String,
    /// The name for customers, for example `Quick Chat`.
    pub name: String,
    /// One sentence from the price book.
    pub description: String,
    /// What it costs, tax included.
    pub price: Amount,
    /// How long the session lasts.
    pub duration_minutes: i64,
    /// Whether a person gets it only once.
    pub first_time_only: bool,
}

/// One line of arithmetic.
#[derive(Clone, Debug, Default)]
pub struct ReceiptLine {
    /// What the amount is for.
    pub label: String,
    /// What it came to; negative for money that went back.
    pub amount: Amount,
}
