//! What the customer's journey needs from a database.

use kernel::StoreError;
use kernel::id::{InteractionId, SessionId, UserId};

use crate::interaction::Interaction;
use crate::kind::InteractionKind;

/// Interactions, inside one transaction.
pub trait Store {
    /// Adds a step.
    ///
    /// # Errors
    /// When the storage fails, or there is no such customer or session.
    fn interaction_insert(&mut self, interaction: &Interaction) -> Result<(), StoreError>;

    /// The steps of a customer, newest first, at most `limit`; with `before`, only those older than that one.
    ///
    /// # Errors
    /// When the storage fails.
    fn interactions_by_customer(
        &mut self,
        customer: UserId,
        before: Option<InteractionId>,
        limit: u32,
    ) -> Result<Vec<Interaction>, StoreError>;

    /// Whether this customer took this step before, of this session where one is named.
    ///
    /// # Errors
    /// When the storage fails.
    fn interaction_exists(
        &mut self,
        customer: UserId,
        kind: InteractionKind,
        session: Option<SessionId>,
    ) -> Result<bool, StoreError>;

    /// Empties what the steps of this customer say about their car. That the steps were taken stays.
    ///
    /// # Errors
    /// When the storage fails.
    fn interactions_forget(&mut self, customer: UserId) -> Result<(), StoreError>;

    /// Deletes the steps of a session whose time is over.
    ///
    /// # Errors
    /// When the storage fails.
    fn interactions_delete(&mut self, session: SessionId) -> Result<(), StoreError>;
}
