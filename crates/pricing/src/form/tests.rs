use super::*;
use crate::testing::{SHIPPED, catalog, shipped};

fn keys(form: CatalogForm, active: &str) -> Vec<String> {
    match form.validate(active) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.key).collect(),
    }
}

#[test]
fn the_shipped_books_carry_the_prices_and_lengths_of_the_two_tables() {
    let expected = [
        ("2025-10", PlanCode::Free, "Free Diagnostic", 0, 10),
        ("2025-10", PlanCode::Chat10, "Quick Chat", 999, 10),
        ("2025-10", PlanCode::Video15, "Expert Video", 2_999, 30),
        ("2025-10", PlanCode::Diagnostic, "Premium Diagnostic", 4_999, 60),
        ("2025-01", PlanCode::Chat10, "Quick Chat", 1_500, 10),
        ("2025-01", PlanCode::Video15, "Expert Video", 3_500, 30),
    ];
    let catalog = catalog("2025-10");
    for (version, code, name, cents, minutes) in expected {
        let plan = catalog.book(version).and_then(|book| book.plan(code)).expect("sold");
        assert_eq!((plan.name(), plan.price().minor(), plan.duration_minutes()), (name, cents, minutes));
        assert_eq!(plan.first_time_only(), code == PlanCode::Free);
    }
}

#[test]
fn each_mistake_is_named_by_its_key() {
    type Mistake = fn(&mut CatalogForm);
    let cases: [(&str, Mistake); 21] = [
        ("books[2025-10].plans[chat10].price_cents", |form| form.books[0].plans[1].price_cents = -1),
        ("books[2025-10].plans[chat10].price_cents", |form| form.books[0].plans[1].price_cents = 49),
        ("books[2025-10].plans[chat10].price_cents", |form| form.books[0].plans[1].price_cents = i64::MAX),
        ("books[2025-10].plans[free].first_time_only", |form| form.books[0].plans[0].first_time_only = false),
        ("books[2025-10].plans[video15].price_cents", |form| form.books[0].plans[2].price_cents = 998),
        ("books[2025-10].plans", |form| drop(form.books[0].plans.remove(1))),
        ("books[2025-10].plans", |form| {
            let again = form.books[0].plans[0].clone();
            form.books[0].plans.push(again);
        }),
        ("books[2025-10].plans[chat11].code", |form| form.books[0].plans[1].code = "chat11".to_owned()),
        ("books[2025-10].plans[chat10].session_type", |form| {
            form.books[0].plans[1].session_type = "upgraded_from_chat".to_owned();
        }),
        ("books[2025-10].plans[chat10].duration_minutes", |form| form.books[0].plans[1].duration_minutes = 0),
        ("books[2025-10].plans[chat10].name", |form| form.books[0].plans[1].name = " ".to_owned()),
        ("books[2025-10].plans[chat10].description", |form| {
            form.books[0].plans[1].description = "x".repeat(201);
        }),
        ("books[2025-10].plans[chat10].stripe_price_ids.production", |form| {
            form.books[0].plans[1].stripe_price_ids.insert("production".to_owned(), "prod_1".to_owned());
        }),
        ("books[2025-10].currency", |form| form.books[0].currency = "USD".to_owned()),
        ("books[2025-10].tax_rate_bps", |form| form.books[0].tax_rate_bps = 10_001),
        ("books[2025-10].cancellation.tiers[1].minutes_before_start", |form| {
            form.books[0].cancellation.tiers[1].minutes_before_start = 1_440;
        }),
        ("books[2025-10].cancellation.tiers[1].refund_bps", |form| {
            form.books[0].cancellation.tiers[0].refund_bps = 4_000;
        }),
        ("books[2025-10].cancellation.mechanic_no_show_refund_bps", |form| {
            form.books[0].cancellation.mechanic_no_show_refund_bps = 10_001;
        }),
        ("books", |form| {
            let again = form.books[0].clone();
            form.books.push(again);
        }),
        ("aliases.chat10", |form| {
            form.aliases.insert("chat10".to_owned(), "video15".to_owned());
        }),
        ("aliases.fast", |form| {
            form.aliases.insert("fast".to_owned(), "rocket".to_owned());
        }),
    ];
    for (index, (key, mistake)) in cases.into_iter().enumerate() {
        let mut form = shipped();
        mistake(&mut form);
        assert_eq!(keys(form, "2025-10"), [key], "case {index}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_what_would_be_right() {
    let mut form = shipped();
    form.books[0].plans[1].price_cents = -1;
    form.books[0].plans[2].duration_minutes = 0;
    let problems = form.validate("2025-10").expect_err("two mistakes");
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "books[2025-10].plans[chat10].price_cents is -1: write 0, or 50 to 10000000",
            "books[2025-10].plans[video15].duration_minutes is 0: write 1 to 480",
        ]
    );
}

#[test]
fn the_active_book_must_exist() {
    assert_eq!(keys(shipped(), "2031-01"), ["active_book"]);
    assert_eq!(keys(CatalogForm { aliases: BTreeMap::new(), books: vec![] }, "2025-10"), ["active_book"]);
}

#[test]
fn a_price_id_from_outside_reaches_its_environment_and_no_other() {
    let mut form = shipped();
    assert!(form.put_stripe_price_id("2025-10", PlanCode::Chat10, "production", "price_1".to_owned()));
    assert!(!form.put_stripe_price_id("2031-01", PlanCode::Chat10, "production", "price_1".to_owned()));
    let catalog = form.validate("2025-10").expect("valid");
    let plan =
        |version: &str| catalog.book(version).and_then(|book| book.plan(PlanCode::Chat10)).expect("sold");
    assert_eq!(plan("2025-10").stripe_price_id("production"), Some("price_1"));
    assert_eq!(plan("2025-10").stripe_price_id("development"), None);
    assert_eq!(plan("2025-01").stripe_price_id("production"), None);
}

#[test]
fn an_unknown_key_is_refused() {
    let text = SHIPPED.replacen("currency =", "curency =", 1);
    let refusal = toml::from_str::<CatalogForm>(&text).expect_err("unknown key").to_string();
    assert!(refusal.contains("curency"), "{refusal}");
}
