//! Which mails come.

use kernel::UserId;
use notifications::Topic;
use web::account::{MailChoice, MailSection};

use crate::pages::unsubscribe;
use crate::state::Pitlane;
use crate::usecases::{Error, preferences};

/// The section of this person.
///
/// # Errors
/// When the storage fails.
pub(super) async fn section(app: &Pitlane, person: UserId) -> Result<MailSection, Error> {
    let wanted = preferences::read(app, person).await?;
    let choice = |(topic, wanted): (Topic, bool)| MailChoice {
        name: topic.as_str().to_owned(),
        label: unsubscribe::what(topic).to_owned(),
        hint: hint(topic).to_owned(),
        wanted,
    };
    Ok(MailSection { choices: wanted.into_iter().map(choice).collect() })
}

const fn hint(topic: Topic) -> &'static str {
    match topic {
        Topic::FollowUp => "Once, a week after a mechanic wrote down what to do next.",
        Topic::Reviews => "We don’t send these yet. Your choice will hold when we do.",
        Topic::Recommendations => "We don’t send these yet. They come only if you ask for them here.",
    }
}
