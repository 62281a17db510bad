//! Which mails a person wants, chosen in the account or by one click in a mail.

use hmac::{Hmac, KeyInit, Mac};
use kernel::id::UserId;
use notifications::Topic;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::config::Secret;
use crate::state::Pitlane;
use crate::usecases::Error;

/// Bytes of the signature that go into the address: 128 bits.
const TAG_BYTES: usize = 16;

/// What the person wants, topic by topic.
///
/// # Errors
/// When the storage fails.
pub async fn read(pitlane: &Pitlane, person: UserId) -> Result<Vec<(Topic, bool)>, Error> {
    pitlane.db.read(move |tx| Ok(notifications::preferences(tx, person)?)).await
}

/// Keeps what the person chose, and answers everything they want now.
///
/// # Errors
/// When the storage fails.
pub async fn choose(
    pitlane: &Pitlane,
    person: UserId,
    choices: Vec<(Topic, bool)>,
) -> Result<Vec<(Topic, bool)>, Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            for (topic, wanted) in &choices {
                notifications::prefer(tx, person, *topic, *wanted, &cx)?;
            }
            Ok(notifications::preferences(tx, person)?)
        })
        .await
}

/// The last part of the address at which this person stops mails about this topic. It needs no sign-in and does not
/// run out: a mail may be years old when somebody has had enough.
pub fn token(secret: &Secret, person: UserId, topic: Topic) -> String {
    let (person, topic) = (person.uuid().simple(), topic.as_str());
    format!("{topic}.{person}.{}", hex::encode(&tag(secret, &person.to_string(), topic)[..TAG_BYTES]))
}

/// Whose mails about what a token stops; `None` when this server did not make it.
pub fn read_token(secret: &Secret, token: &str) -> Option<(UserId, Topic)> {
    let mut parts = token.split('.');
    let (topic, person, given) = (parts.next()?, parts.next()?, hex::decode(parts.next()?).ok()?);
    let expected = tag(secret, person, topic);
    let genuine = parts.next().is_none() && bool::from(expected[..TAG_BYTES].ct_eq(&given));
    let person = Uuid::try_parse(person).ok().filter(|_| genuine)?;
    Some((UserId::new(person), Topic::parse(topic)?))
}

fn tag(secret: &Secret, person: &str, topic: &str) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(format!("unsubscribe:{person}:{topic}").as_bytes());
    mac.finalize().into_bytes().into()
}

/// Does what a mail's link says: the person gets no more mails about this topic, or gets them again. Answers the topic;
/// `None` when the link is not one of ours or its account is gone.
///
/// # Errors
/// When the storage fails.
pub async fn by_link(pitlane: &Pitlane, link: &str, wanted: bool) -> Result<Option<Topic>, Error> {
    let Some((person, topic)) = read_token(&pitlane.settings.auth.secret, link) else { return Ok(None) };
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            if accounts::UserStore::user_by_id(tx, person)?.is_none() {
                return Ok(None);
            }
            notifications::prefer(tx, person, topic, wanted, &cx)?;
            Ok(Some(topic))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_servers_links_are_read_and_each_stops_one_thing_of_one_person() {
        let (secret, other) = (Secret::new("a".repeat(32)), Secret::new("b".repeat(32)));
        let person = UserId::new(Uuid::from_u128(7));
        let link = token(&secret, person, Topic::FollowUp);
        assert_eq!(read_token(&secret, &link), Some((person, Topic::FollowUp)));
        assert_eq!(read_token(&other, &link), None);
        assert_eq!(read_token(&secret, &link.replace("follow_up", "reviews")), None);
        assert_eq!(read_token(&secret, &link.replace('7', "8")), None);
        for nonsense in ["", ".", "follow_up", "follow_up..", &format!("{link}.x"), "follow_up.7.é"] {
            assert_eq!(read_token(&secret, nonsense), None, "{nonsense}");
        }
    }
}
