//! What is sent.

use kernel::Timestamp;
use uuid::Uuid;

use crate::milestone::{Channel, Milestone};

/// A message, written and addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The bare address.
    pub to: String,
    /// One line; empty for a channel without subjects.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML beside it, for mail.
    pub html: Option<String>,
    /// The addresses it links to, the most important one first.
    pub links: Vec<String>,
    /// What it is about.
    pub milestone: Milestone,
    /// Where one click, or a mail program by itself, stops such messages; `None` for what can't be switched off.
    pub unsubscribe_url: Option<String>,
}

/// A message that the development mailbox took in place of a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxMessage {
    /// Its id.
    pub id: Uuid,
    /// How it would have been sent.
    pub channel: Channel,
    /// The send-once key it came with.
    pub send_once_key: String,
    /// The message.
    pub message: Message,
    /// When it was taken.
    pub created_at: Timestamp,
}
