//! Whoever carries mail and text messages.

use async_trait::async_trait;

use crate::message::Message;

/// The carrier's own name for a message it has taken.
pub type Receipt = String;

/// Why a carrier did not take a message, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will never take this one: the address or the message is wrong.
    #[error("the carrier refuses the message: {0}")]
    Refused(String),
    /// It certainly did not take it and may do so later: not reachable, busy, over a limit.
    #[error("the carrier did not take the message: {0}")]
    NotSent(String),
    /// It may or may not have taken it: the connection ended before the answer.
    #[error("the carrier did not answer: {0}")]
    Unknown(String),
}

/// Carries mail. Implemented by a provider's client and by the development mailbox; called by workers, never by a
/// domain function.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Whether a second message with the same key is recognised and not delivered again.
    fn deduplicates(&self) -> bool;

    /// Hands over one message under its send-once key.
    ///
    /// # Errors
    /// [`SendError`], which says whether it may have been sent.
    async fn send(&self, message: &Message, send_once_key: &str) -> Result<Receipt, SendError>;

    /// How it takes many messages in one call; `None` when it can't.
    fn in_batches(&self) -> Option<&dyn BatchMailer>;
}

/// Carries many mails in one call.
#[async_trait]
pub trait BatchMailer: Send + Sync {
    /// The most messages of one call.
    fn most(&self) -> u32;

    /// Hands over messages under one key, which must stand for exactly these. Answers what became of each, in their
    /// order: one that is refused keeps no other from being taken.
    ///
    /// # Errors
    /// [`SendError`] about the call as a whole. After [`SendError::Refused`] none was taken.
    async fn send_all(
        &self,
        messages: &[Message],
        key: &str,
    ) -> Result<Vec<Result<Receipt, SendError>>, SendError>;
}

/// Carries text messages. Implemented by a provider's client and by the development mailbox; called by workers, never by a
/// domain function.
#[async_trait]
pub trait Texter: Send + Sync {
    /// Whether a second message with the same key is recognised and not delivered again.
    fn deduplicates(&self) -> bool;

    /// Hands over one message under its send-once key.
    ///
    /// # Errors
    /// [`SendError`], which says whether it may have been sent.
    async fn send_text(&self, message: &Message, send_once_key: &str) -> Result<Receipt, SendError>;
}
