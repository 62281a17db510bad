//! A plan as a card, a radio button or a line of a receipt.

use crate::money::Amount;

/// The line of a receipt for the switch to video.
pub const UPGRADE: &str = "Upgrade to video";
/// The line of a receipt for more time.
pub const EXTENSION: &str = "More time";

/// What a session is called that was bought as `plan` and has become video.
#[must_use]
pub fn upgraded(plan: &str) -> String {
    format!("{plan}, upgraded to video")
}

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
