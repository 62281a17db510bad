//! The mailbox: takes messages in place of a carrier and keeps them in the database.

use async_trait::async_trait;
use kernel::StoreError;
use notifications::{
    BatchMailer, Channel, MailboxMessage, Mailer, Message, Receipt, SendError, Store, Texter,
};

use crate::state::Pitlane;

/// Keeps what would have been sent. Development shows it at `/dev/mailbox`.
pub struct Mailbox {
    pitlane: Pitlane,
}

impl Mailbox {
    /// A mailbox in that server's database.
    pub const fn new(pitlane: Pitlane) -> Self {
        Self { pitlane }
    }
}

#[async_trait]
impl Mailer for Mailbox {
    fn deduplicates(&self) -> bool {
        true
    }

    fn in_batches(&self) -> Option<&dyn BatchMailer> {
        None
    }

    async fn send(&self, message: &Message, send_once_key: &str) -> Result<Receipt, SendError> {
        self.keep(Channel::Mail, message, send_once_key).await
    }
}

#[async_trait]
impl Texter for Mailbox {
    fn deduplicates(&self) -> bool {
        true
    }

    async fn send_text(&self, message: &Message, send_once_key: &str) -> Result<Receipt, SendError> {
        self.keep(Channel::Sms, message, send_once_key).await
    }
}

impl Mailbox {
    async fn keep(
        &self,
        channel: Channel,
        message: &Message,
        send_once_key: &str,
    ) -> Result<Receipt, SendError> {
        let cx = self.pitlane.context();
        let kept = MailboxMessage {
            id: cx.id(),
            channel,
            send_once_key: send_once_key.to_owned(),
            message: message.clone(),
            created_at: cx.now,
        };
        let receipt = kept.id.to_string();
        let taken = self.pitlane.db.write(move |tx| tx.mailbox_insert(&kept)).await;
        match taken {
            Ok(_) => Ok(receipt),
            Err(error @ (StoreError::Retry(_) | StoreError::Unavailable(_))) => {
                Err(SendError::NotSent(error.to_string()))
            }
            Err(error @ (StoreError::Constraint(_) | StoreError::Corrupt(_))) => {
                Err(SendError::Refused(error.to_string()))
            }
        }
    }
}
