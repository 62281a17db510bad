//! Plans as pages show them.

use pricing::{Plan, PriceBook};
use web::money::Amount;
use web::plan::PlanCard;

/// A plan as a card.
pub fn card(plan: &Plan) -> PlanCard {
    PlanCard {
        code: plan.code().as_str().to_owned(),
        name: plan.name().to_owned(),
        description: plan.description().to_owned(),
        price: amount(plan.price()),
        duration_minutes: i64::from(plan.duration_minutes()),
        first_time_only: plan.first_time_only(),
    }
}

/// Every plan of a book, cheapest first.
pub fn cards(book: &PriceBook) -> Vec<PlanCard> {
    let mut plans: Vec<&Plan> = book.plans().iter().collect();
    plans.sort_by_key(|plan| plan.price().minor());
    plans.into_iter().map(card).collect()
}

/// An amount as pages write it.
pub fn amount(money: kernel::Money) -> Amount {
    Amount::new(money.minor(), money.currency().as_str())
}
