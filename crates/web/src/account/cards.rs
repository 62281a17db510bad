//! The part of the account page that lists kept cards. It sends `DELETE /api/me/cards/{id}`.

/// The kept cards.
#[derive(Clone, Debug, Default)]
pub enum CardSection {
    /// The viewer pays for nothing here, so there is no such section.
    #[default]
    Absent,
    /// The payment provider did not answer in time.
    Unavailable,
    /// The cards, newest first; there may be none.
    Cards(Vec<CardRow>),
}

/// One card.
#[derive(Clone, Debug, Default)]
pub struct CardRow {
    /// The provider's id of it.
    pub id: String,
    /// The brand, such as `Visa`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// When it expires, as `09/2027`.
    pub expires: String,
}
