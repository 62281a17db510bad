//! `/dev/mailbox`: what would have been sent, on a development server.
//!
//! A mail's HTML is shown in a sandboxed frame from `/dev/mailbox/{id}/html`; that response needs a policy that
//! allows inline style, because mails have to use it.

use askama::Template;

use crate::frame::Frame;

/// The mailbox.
#[derive(Debug, Template)]
#[template(path = "mailbox.html")]
pub struct MailboxPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Newest first.
    pub items: Vec<MailboxItem>,
}

/// One message.
#[derive(Clone, Debug, Default)]
pub struct MailboxItem {
    /// The message's id.
    pub id: String,
    /// `mail`, `sms` or `push`.
    pub channel: String,
    /// The bare address.
    pub to: String,
    /// The subject; empty for a text message.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// Whether there is HTML too.
    pub has_html: bool,
    /// The addresses in the text.
    pub links: Vec<String>,
    /// Why it was sent.
    pub milestone: String,
    /// RFC 3339.
    pub created_at: String,
}

impl MailboxItem {
    /// A line for the list.
    pub(crate) fn title(&self) -> &str {
        if self.subject.is_empty() { &self.text } else { &self.subject }
    }
}
