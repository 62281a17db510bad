//! The cards that the payment provider keeps.

use std::time::Duration;

use accounts::User;
use kernel::Role;
use payments::gateway::SavedCard;
use web::account::{CardRow, CardSection};

use crate::state::Pitlane;
use crate::usecases::{Error, cards};

/// How long the page waits for the provider. Everything else on it is there without that.
const PATIENCE: Duration = Duration::from_secs(2);

/// The section of this person.
///
/// # Errors
/// When the storage fails; a provider that does not answer is told on the page.
pub(super) async fn section(app: &Pitlane, person: &User) -> Result<CardSection, Error> {
    match person.role() {
        Role::Customer => {}
        Role::Mechanic | Role::Workshop | Role::Support | Role::Admin => return Ok(CardSection::Absent),
    }
    let cards = cards::list_within(app, person.id(), PATIENCE).await?;
    Ok(cards
        .map_or(CardSection::Unavailable, |cards| CardSection::Cards(cards.into_iter().map(row).collect())))
}

fn row(card: SavedCard) -> CardRow {
    let SavedCard { id, brand, last4, exp_month, exp_year, fingerprint: _ } = card;
    CardRow { id, brand: brand_name(&brand), last4, expires: format!("{exp_month:02}/{exp_year}") }
}

// Stripe's names are lower case with `_` between words.
fn brand_name(brand: &str) -> String {
    let known = match brand {
        "amex" => "American Express",
        "jcb" => "JCB",
        "mastercard" => "Mastercard",
        "unionpay" => "UnionPay",
        "visa" => "Visa",
        "unknown" => "Card",
        other => {
            let words = other.replace('_', " ");
            let mut chars = words.chars();
            return chars
                .next()
                .map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), chars.as_str()));
        }
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::brand_name;

    #[test]
    fn brands_are_written_as_on_the_card() {
        for (brand, name) in [
            ("visa", "Visa"),
            ("amex", "American Express"),
            ("cartes_bancaires", "Cartes bancaires"),
            ("unknown", "Card"),
        ] {
            assert_eq!(brand_name(brand), name);
        }
    }
}
