//! Base, upgrade and total of a session.

use kernel::{Money, MoneyError, SessionType};

use crate::book::PriceBook;

/// What a session of some type costs, multiplier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPrice {
    /// What it was booked for.
    pub base: Money,
    /// What the switch to video added; `None` when there was no switch.
    pub upgrade: Option<Money>,
    /// Both together.
    pub total: Money,
}

/// The price of a session of this type; `None` when the book does not sell it (nothing sells a mobile visit).
///
/// An upgraded session costs what video costs, whichever way one came to it.
///
/// # Errors
/// The amounts leave the range of an amount.
pub fn session_price(
    book: &PriceBook,
    session_type: SessionType,
) -> Result<Option<SessionPrice>, MoneyError> {
    let priced = match session_type {
        SessionType::Chat | SessionType::Video | SessionType::Diagnostic | SessionType::MobileVisit => book
            .direct(session_type)
            .map(|plan| SessionPrice { base: plan.price(), upgrade: None, total: plan.price() }),
        SessionType::UpgradedFromChat => {
            match (book.direct(SessionType::Chat), book.direct(SessionType::Video)) {
                (Some(chat), Some(video)) => {
                    let upgrade = video.price().minus(chat.price())?;
                    let total = chat.price().plus(upgrade)?;
                    Some(SessionPrice { base: chat.price(), upgrade: Some(upgrade), total })
                }
                (Some(_) | None, Some(_) | None) => None,
            }
        }
    };
    Ok(priced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalog;

    // The three examples of the seed, and the same three on the other price table.
    #[test]
    fn the_seeds_examples_hold_on_both_books() {
        let cases = [
            ("2025-01", SessionType::Chat, "15.00", None, "15.00"),
            ("2025-01", SessionType::Video, "35.00", None, "35.00"),
            ("2025-01", SessionType::UpgradedFromChat, "15.00", Some("20.00"), "35.00"),
            ("2025-10", SessionType::Chat, "9.99", None, "9.99"),
            ("2025-10", SessionType::Video, "29.99", None, "29.99"),
            ("2025-10", SessionType::Diagnostic, "49.99", None, "49.99"),
            ("2025-10", SessionType::UpgradedFromChat, "9.99", Some("20.00"), "29.99"),
        ];
        let catalog = catalog("2025-10");
        for (book, session_type, base, upgrade, total) in cases {
            let book = catalog.book(book).expect("both books are there");
            let price = session_price(book, session_type).expect("in range").expect("sold");
            assert_eq!(price.base.decimal(), base, "{} {session_type:?}", book.version());
            assert_eq!(price.upgrade.map(Money::decimal).as_deref(), upgrade, "{}", book.version());
            assert_eq!(price.total.decimal(), total, "{} {session_type:?}", book.version());
        }
    }

    #[test]
    fn nothing_sells_a_mobile_visit() {
        let catalog = catalog("2025-10");
        assert_eq!(session_price(catalog.active(), SessionType::MobileVisit), Ok(None));
    }
}
