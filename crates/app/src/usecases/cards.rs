//! The cards that the payment provider keeps for a customer. None of it is stored here.

use std::time::Duration;

use kernel::UserId;
use payments::gateway::SavedCard;

use super::Error;
use crate::state::Pitlane;

/// The longest id of a card.
const ID_MAX_BYTES: usize = 200;

/// The cards that are kept for this person, newest first.
///
/// # Errors
/// The provider's, or the storage's.
pub async fn list(pitlane: &Pitlane, person: UserId) -> Result<Vec<SavedCard>, Error> {
    match reference(pitlane, person).await? {
        Some(customer) => Ok(pitlane.gateway.cards_of_customer(&customer).await?),
        None => Ok(Vec::new()),
    }
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

/// Forgets a card of this person; `false` when they have no such card.
///
/// # Errors
/// The provider's, or the storage's.
pub async fn forget(pitlane: &Pitlane, person: UserId, card: &str) -> Result<bool, Error> {
    // It becomes part of an address at the provider.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if card.is_empty() || card.len() > ID_MAX_BYTES || !card.bytes().all(plain) {
        return Ok(false);
    }
    match reference(pitlane, person).await? {
        Some(customer) => Ok(pitlane.gateway.card_forget(&customer, card).await?),
        None => Ok(false),
    }
}

async fn reference(pitlane: &Pitlane, person: UserId) -> Result<Option<String>, Error> {
    pitlane.db.read(move |tx| Ok(payments::Store::customer_reference(tx, person)?)).await
}
