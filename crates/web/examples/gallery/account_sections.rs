//! The parts of the account page.

use web::account::{CardRow, CardSection, MailChoice, MailSection};

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

/// One kept card.
pub fn cards() -> CardSection {
    CardSection::Cards(vec![CardRow {
        id: "pm_1".to_owned(),
        brand: "Visa".to_owned(),
        last4: "4242".to_owned(),
        expires: "09/2027".to_owned(),
    }])
}
