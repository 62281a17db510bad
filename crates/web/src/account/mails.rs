//! The part of the account page that says which mails come. It sends `PUT /api/me/notifications`.

use crate::people::MailStop;

/// Which mails can be switched off, and whether they are.
#[derive(Clone, Debug, Default)]
pub struct MailSection {
    /// One switch a kind of mail.
    pub choices: Vec<MailChoice>,
    /// What stops mail to the address.
    pub stopped: Option<MailStop>,
}

/// One switch.
#[derive(Clone, Debug, Default)]
pub struct MailChoice {
    /// Its name in the API.
    pub name: String,
    /// What the mails are.
    pub label: String,
    /// When they come.
    pub hint: String,
    /// Whether they come now.
    pub wanted: bool,
}
