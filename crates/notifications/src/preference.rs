//! Which mails a person wants, of those that are not part of something they bought or asked for.

use kernel::{Context, UserId};

use crate::send::Error;
use crate::store::Store;

/// What mails are about that nobody needs in order to get what they paid for. Each has its own switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What to do next, some time after a session.
    FollowUp,
    /// An invitation to say how a session went.
    Reviews,
    /// Services that may suit the person's car.
    Recommendations,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 3] = [Self::FollowUp, Self::Reviews, Self::Recommendations];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Reviews => "reviews",
            Self::Recommendations => "recommendations",
        }
    }

    /// The topic of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// Whether somebody who has not chosen gets such mails. What advertises is sent only to who asked for it.
    pub const fn wanted_by_default(self) -> bool {
        match self {
            Self::FollowUp | Self::Reviews => true,
            Self::Recommendations => false,
        }
    }
}

/// Whether the person wants mails about that topic: what they chose, or else what everybody has.
///
/// # Errors
/// When the storage fails.
pub fn wants(store: &mut dyn Store, person: UserId, topic: Topic) -> Result<bool, Error> {
    Ok(store.preference(person, topic)?.unwrap_or(topic.wanted_by_default()))
}

/// What the person wants, topic by topic.
///
/// # Errors
/// When the storage fails.
pub fn preferences(store: &mut dyn Store, person: UserId) -> Result<Vec<(Topic, bool)>, Error> {
    Topic::ALL.into_iter().map(|topic| Ok((topic, wants(store, person, topic)?))).collect()
}

/// The person wants mails about that topic from now on, or does not.
///
/// # Errors
/// When the storage fails.
pub fn prefer(
    store: &mut dyn Store,
    person: UserId,
    topic: Topic,
    wanted: bool,
    cx: &Context,
) -> Result<(), Error> {
    Ok(store.preference_put(person, topic, wanted, cx.now)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_nobody_gets_advertising_unasked() {
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(topic.as_str()), Some(topic));
        }
        assert!(!Topic::Recommendations.wanted_by_default());
        assert_eq!(Topic::parse("transactional"), None);
    }
}
