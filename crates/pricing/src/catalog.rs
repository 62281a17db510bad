//! Every price book.

use std::collections::BTreeMap;

use kernel::PlanCode;

use crate::book::PriceBook;

/// Every price book, which one is active, and other names of plans. Made by
/// [`CatalogForm::validate`](crate::CatalogForm::validate) only, so one book is always active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    pub(crate) active: PriceBook,
    pub(crate) others: Vec<PriceBook>,
    pub(crate) aliases: BTreeMap<String, PlanCode>,
}

impl Catalog {
    /// The book that new orders are placed under.
    pub const fn active(&self) -> &PriceBook {
        &self.active
    }

    /// The book of that version, for what was agreed under it.
    pub fn book(&self, version: &str) -> Option<&PriceBook> {
        self.books().find(|book| book.version == version)
    }

    /// Every book, the active one first.
    pub fn books(&self) -> impl Iterator<Item = &PriceBook> {
        std::iter::once(&self.active).chain(&self.others)
    }

    /// The plan that a canonical code or an alias means; case counts.
    pub fn resolve(&self, name: &str) -> Option<PlanCode> {
        PlanCode::parse(name).or_else(|| self.aliases.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalog;

    #[test]
    fn aliases_and_codes_mean_the_canonical_plan() {
        let catalog = catalog("2025-10");
        let cases = [
            ("free", Some(PlanCode::Free)),
            ("chat10", Some(PlanCode::Chat10)),
            ("quick_chat", Some(PlanCode::Chat10)),
            ("expert_video", Some(PlanCode::Video15)),
            ("live_video", Some(PlanCode::Video15)),
            ("premium", Some(PlanCode::Diagnostic)),
            ("Premium", None),
            ("", None),
            ("video30", None),
        ];
        for (name, plan) in cases {
            assert_eq!(catalog.resolve(name), plan, "{name}");
        }
    }

    #[test]
    fn a_book_that_is_no_longer_active_can_still_be_read() {
        let catalog = catalog("2025-10");
        assert_eq!(catalog.active().version(), "2025-10");
        assert_eq!(catalog.book("2025-01").map(PriceBook::version), Some("2025-01"));
        assert_eq!(catalog.book("1999-01"), None);
    }
}
