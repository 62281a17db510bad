//! The cards that the payment provider keeps for a customer. None of it is stored here.

use std::time::Duration;

use kernel::UserId;
use payments::gateway::SavedCard;

use super::Error;
use crate::state::Pitlane;

/// The longest id of a card.
const ID_MAX_BYTES: usize = 200;

/// The cards that are kept for this person, newest first; one that was kept again and again is there once.
///
/// # Errors
/// The provider's, or the storage's.
pub async fn list(pitlane: &Pitlane, person: UserId) -> Result<Vec<SavedCard>, Error> {
    match reference(pitlane, person).await? {
        Some(customer) => {
            let mut cards: Vec<SavedCard> = Vec::new();
            for card in pitlane.gateway.cards_of_customer(&customer).await? {
                if !cards.iter().any(|known| is_same(known, &card)) {
                    cards.push(card);
                }
            }
            Ok(cards)
        }
        None => Ok(Vec::new()),
    }
}

fn is_same(one: &SavedCard, other: &SavedCard) -> bool {
    let expires = |card: &SavedCard| (card.exp_year, card.exp_month);
    one.fingerprint.is_some() && one.fingerprint == other.fingerprint && expires(one) == expires(other)
}

/// The cards of this person, for a page or a file that goes on without them: `None` when the provider does not answer
/// within that time, or refuses.
///
/// # Errors
/// The storage's.
pub async fn list_within(
    pitlane: &Pitlane,
    person: UserId,
    patience: Duration,
) -> Result<Option<Vec<SavedCard>>, Error> {
    match tokio::time::timeout(patience, list(pitlane, person)).await {
        Ok(Ok(cards)) => Ok(Some(cards)),
        Ok(Err(Error::Gateway(error))) => {
            tracing::warn!(%error, "the kept cards can't be told");
            Ok(None)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Forgets a card of this person, as often as it was kept; `false` when they have no such card.
///
/// # Errors
/// The provider's, or the storage's.
pub async fn forget(pitlane: &Pitlane, person: UserId, card: &str) -> Result<bool, Error> {
    // It becomes part of an address at the provider.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if card.is_empty() || card.len() > ID_MAX_BYTES || !card.bytes().all(plain) {
        return Ok(false);
    }
    let Some(customer) = reference(pitlane, person).await? else { return Ok(false) };
    let cards = pitlane.gateway.cards_of_customer(&customer).await?;
    let shown = cards.iter().find(|known| known.id == card);
    for twin in
        cards.iter().filter(|known| shown.is_some_and(|shown| shown.id != known.id && is_same(shown, known)))
    {
        pitlane.gateway.card_forget(&customer, &twin.id).await?;
    }
    Ok(pitlane.gateway.card_forget(&customer, card).await?)
}

async fn reference(pitlane: &Pitlane, person: UserId) -> Result<Option<String>, Error> {
    pitlane.db.read(move |tx| Ok(payments::Store::customer_reference(tx, person)?)).await
}
