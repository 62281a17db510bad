//! The parts of the account page.

use web::account::{MailChoice, MailSection};

/// Which mails come.
pub fn mails() -> MailSection {
    let choice = |name: &str, label: &str, wanted| MailChoice {
        name: name.to_owned(),
        label: label.to_owned(),
        hint: "Once, a week after a mechanic wrote down what to do next.".to_owned(),
        wanted,
    };
    MailSection {
        choices: vec![
            choice("follow_up", "Reminders of your next steps", true),
            choice("reviews", "Invitations to review a session", false),
        ],
    }
}
