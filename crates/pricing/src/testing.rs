//! Books for tests: the shipped file, and made ones.

use crate::book::PriceBook;
use crate::catalog::Catalog;
use crate::form::CatalogForm;

pub(crate) const SHIPPED: &str = include_str!("../../../config/price-books.toml");

pub(crate) fn shipped() -> CatalogForm {
    toml::from_str(SHIPPED).expect("the shipped file has the form of a catalog")
}

pub(crate) fn catalog(active: &str) -> Catalog {
    shipped().validate(active).expect("the shipped file is valid")
}

pub(crate) fn two_plan_book(chat_cents: i64, video_cents: i64) -> PriceBook {
    let mut form = shipped();
    form.books.truncate(1);
    let book = form.books.first_mut().expect("there is a book");
    let version = book.version.clone();
    for plan in &mut book.plans {
        match plan.code.as_str() {
            "chat10" => plan.price_cents = chat_cents,
            "video15" => plan.price_cents = video_cents,
            _ => {}
        }
    }
    form.validate(&version).expect("the made book is valid").active().clone()
}
