//! Which mails come.

use accounts::User;
use kernel::Role;
use notifications::{Channel, SuppressionReason, Topic};
use web::account::{MailChoice, MailSection};
use web::people::MailStop;

use crate::pages::unsubscribe;
use crate::state::Pitlane;
use crate::usecases::{Error, preferences};

/// The section of this person.
///
/// # Errors
/// When the storage fails.
pub(super) async fn section(app: &Pitlane, person: &User) -> Result<MailSection, Error> {
    // What can be left out is about the cars of customers.
    let wanted = match person.role() {
        Role::Customer => preferences::read(app, person.id()).await?,
        Role::Mechanic | Role::Workshop | Role::Support | Role::Admin => Vec::new(),
    };
    let address = person.email().as_str().to_owned();
    let suppression = app.db.read(move |tx| {
        Ok::<_, Error>(notifications::Store::suppression_by_address(tx, Channel::Mail, &address)?)
    });
    let stopped = suppression.await?.map(|it| MailStop {
        complained: it.reason == SuppressionReason::Complained,
        at: it.created_at.to_string(),
    });
    let choice = |(topic, wanted): (Topic, bool)| MailChoice {
        name: topic.as_str().to_owned(),
        label: unsubscribe::what(topic).to_owned(),
        hint: hint(topic).to_owned(),
        wanted,
    };
    Ok(MailSection { choices: wanted.into_iter().map(choice).collect(), stopped })
}

const fn hint(topic: Topic) -> &'static str {
    match topic {
        Topic::FollowUp => "Once, a week after a mechanic wrote down what to do next.",
        Topic::Reviews => "We don’t send these yet. Your choice will hold when we do.",
        Topic::Recommendations => "We don’t send these yet. They come only if you ask for them here.",
    }
}
