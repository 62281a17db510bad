//! The parts of the account page.

use web::account::{CarRow, CardRow, CardSection, MailChoice, MailSection};
use web::people::MailStop;

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
        stopped: Some(MailStop { complained: false, at: "2026-11-20T14:25:00Z".to_owned() }),
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

/// One car.
pub fn kept_cars() -> Vec<CarRow> {
    vec![CarRow {
        id: "0198d7a0-0000-7000-8000-00000000000c".to_owned(),
        year: "2016".to_owned(),
        make: "Honda".to_owned(),
        model: "Civic".to_owned(),
        vin: "19XFB2F59GE000007".to_owned(),
        mileage: Some(84_210),
    }]
}
