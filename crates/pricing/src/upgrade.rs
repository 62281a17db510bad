//! From chat to video.

use kernel::{BasisPoints, Money, MoneyError, SessionType};

use crate::book::PriceBook;
use crate::plan::Plan;
use crate::session_price::session_price;

/// How far a session is, as far as an upgrade cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpgradeStage {
    /// Not over: requested, scheduled, accepted or in progress.
    Open,
    /// Took place and is over.
    Completed,
    /// Was called off.
    Cancelled,
    /// Nobody came.
    Expired,
}

/// Why a session can't become video. The texts of the first and the last are the seed's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UpgradeRefusal {
    /// It took place and is over.
    #[error("Cannot upgrade completed session")]
    Completed,
    /// It was called off.
    #[error("Cannot upgrade cancelled session")]
    Cancelled,
    /// Nobody came.
    #[error("Cannot upgrade expired session")]
    Expired,
    /// It is video already, or something else that is not chat.
    #[error("Only chat sessions can be upgraded")]
    NotChat,
}

/// Whether a session of this type at this stage can become video. A session that is over is refused for that first.
///
/// # Errors
/// The reason, in words for a person.
pub const fn can_upgrade(session_type: SessionType, stage: UpgradeStage) -> Result<(), UpgradeRefusal> {
    match stage {
        UpgradeStage::Completed => return Err(UpgradeRefusal::Completed),
        UpgradeStage::Cancelled => return Err(UpgradeRefusal::Cancelled),
        UpgradeStage::Expired => return Err(UpgradeRefusal::Expired),
        UpgradeStage::Open => {}
    }
    match session_type {
        SessionType::Chat => Ok(()),
        SessionType::Video
        | SessionType::Diagnostic
        | SessionType::UpgradedFromChat
        | SessionType::MobileVisit => Err(UpgradeRefusal::NotChat),
    }
}

/// The plan that a chat becomes: the direct way to video. Every book has one.
pub fn upgrade_plan(book: &PriceBook) -> Option<&Plan> {
    book.direct(SessionType::Video)
}

/// The plan at whose price and length more time is sold: the direct way to chat. Every book has one.
pub fn extension_plan(book: &PriceBook) -> Option<&Plan> {
    book.direct(SessionType::Chat)
}

/// What the switch costs and what the session costs in all, multiplier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpgradePrice {
    /// The difference between video and chat.
    pub fee: Money,
    /// The price of video.
    pub total_after: Money,
}

/// The price of the switch for a session of this type; `None` when there is no switch.
///
/// # Errors
/// The amounts leave the range of an amount.
pub fn upgrade_price(
    book: &PriceBook,
    session_type: SessionType,
) -> Result<Option<UpgradePrice>, MoneyError> {
    if can_upgrade(session_type, UpgradeStage::Open).is_err() {
        return Ok(None);
    }
    let upgraded = session_price(book, SessionType::UpgradedFromChat)?;
    Ok(upgraded.and_then(|price| Some(UpgradePrice { fee: price.upgrade?, total_after: price.total })))
}

/// What a customer who has paid `paid` for a slot with this multiplier still owes for video: the direct price of
/// video in that slot less what was paid, never less than nothing. So base and upgrade together are always the
/// direct price (reconciliation C27). `None` when the book sells no video.
///
/// # Errors
/// Another currency than the book's, or an amount out of range.
pub fn upgrade_quote(
    book: &PriceBook,
    multiplier: BasisPoints,
    paid: Money,
) -> Result<Option<UpgradePrice>, MoneyError> {
    let Some(video) = upgrade_plan(book) else { return Ok(None) };
    let direct = video.quote(multiplier)?;
    let difference = direct.minus(paid)?;
    let fee = if difference.minor() < 0 { Money::zero(book.currency()) } else { difference };
    Ok(Some(UpgradePrice { fee, total_after: paid.plus(fee)? }))
}

#[cfg(test)]
mod tests {
    use kernel::PlanCode;
    use proptest::prelude::{Strategy, prop_oneof, proptest};
    use proptest::sample::select;

    use super::*;
    use crate::testing::{catalog, two_plan_book};

    #[test]
    fn the_seeds_three_examples_hold() {
        let text = |answer: Result<(), UpgradeRefusal>| answer.map_err(|refusal| refusal.to_string());
        // 'scheduled' and 'in_progress' are both open.
        assert_eq!(text(can_upgrade(SessionType::Chat, UpgradeStage::Open)), Ok(()));
        assert_eq!(
            text(can_upgrade(SessionType::Chat, UpgradeStage::Completed)),
            Err("Cannot upgrade completed session".to_owned())
        );
        assert_eq!(
            text(can_upgrade(SessionType::Video, UpgradeStage::Open)),
            Err("Only chat sessions can be upgraded".to_owned())
        );
    }

    #[test]
    fn only_an_open_chat_can_be_upgraded() {
        use UpgradeRefusal::{Cancelled, Completed, Expired, NotChat};
        for session_type in SessionType::ALL {
            let open = if session_type == SessionType::Chat { Ok(()) } else { Err(NotChat) };
            assert_eq!(can_upgrade(session_type, UpgradeStage::Open), open, "{session_type:?}");
            assert_eq!(can_upgrade(session_type, UpgradeStage::Completed), Err(Completed));
            assert_eq!(can_upgrade(session_type, UpgradeStage::Cancelled), Err(Cancelled));
            assert_eq!(can_upgrade(session_type, UpgradeStage::Expired), Err(Expired));
        }
    }

    #[test]
    fn the_fee_is_twenty_dollars_on_both_books_because_it_is_computed() {
        let catalog = catalog("2025-10");
        for (version, total) in [("2025-01", "35.00"), ("2025-10", "29.99")] {
            let book = catalog.book(version).expect("both books are there");
            let price = upgrade_price(book, SessionType::Chat).expect("in range").expect("chat has a switch");
            assert_eq!(
                (price.fee.decimal().as_str(), price.total_after.decimal().as_str()),
                ("20.00", total)
            );
            assert_eq!(upgrade_price(book, SessionType::Video), Ok(None));
        }
        let other = two_plan_book(700, 1_850);
        let price = upgrade_price(&other, SessionType::Chat).expect("in range").expect("chat has a switch");
        assert_eq!(price.fee.minor(), 1_150);
    }

    fn books() -> impl Strategy<Value = PriceBook> {
        prop_oneof![
            select(vec!["2025-01", "2025-10"])
                .prop_map(|version| catalog("2025-10").book(version).expect("both books are there").clone()),
            (50i64..100_000, 0i64..100_000).prop_map(|(chat, more)| two_plan_book(chat, chat + more)),
        ]
    }

    proptest! {
        #[test]
        fn base_and_upgrade_are_the_direct_price_of_video(book in books(), multiplier in 1u32..=100_000) {
            let multiplier = BasisPoints::new(multiplier);
            let plan = |code| book.plan(code).expect("every book sells chat and video");
            let paid = plan(PlanCode::Chat10).quote(multiplier).expect("in range");
            let direct = plan(PlanCode::Video15).quote(multiplier).expect("in range");
            let quote = upgrade_quote(&book, multiplier, paid).expect("in range").expect("sold");
            assert_eq!(paid.plus(quote.fee), Ok(direct));
            assert_eq!(quote.total_after, direct);
            assert!(quote.fee.minor() >= 0);
        }

        #[test]
        fn nobody_is_paid_for_an_upgrade(book in books(), paid in 0i64..10_000_000) {
            let paid = Money::new(paid, book.currency());
            let quote = upgrade_quote(&book, BasisPoints::ONE, paid).expect("in range").expect("sold");
            assert!(quote.fee.minor() >= 0);
            assert!(quote.total_after.minor() >= paid.minor());
        }
    }
}
