//! Who saw whom, and since when: what each side tells of its connection, so that money can go back when video never came.

use kernel::id::{SessionId, UserId};
use kernel::{Modality, StoreError, Timestamp};

use crate::error::{Error, Invalid, NoVideo};
use crate::gateway::VideoProvider;
use crate::participant::ParticipantRole;
use crate::store::Store;
use crate::video::video_open;

/// The longest name of a connection, in characters.
pub const CONNECTION_MAX_CHARS: usize = 64;

/// What somebody tells of their connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaState {
    /// Sound and picture go to and fro.
    Connected,
    /// They do no more.
    Disconnected,
}

/// A stretch of time in which somebody was connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The session.
    pub session: SessionId,
    /// Whose connection it was.
    pub user: UserId,
    /// The connection's own name, made by who tells of it.
    pub connection: String,
    /// Who carried it.
    pub provider: VideoProvider,
    /// Since when.
    pub connected_at: Timestamp,
    /// Until when; `None` while it goes on.
    pub disconnected_at: Option<Timestamp>,
}

/// What this asks of the database.
pub trait MediaStore: Store {
    /// Begins a stretch. `false`, and nothing changed, while one of this person goes on.
    fn media_begin(&mut self, media: &Media) -> Result<bool, StoreError>;
    /// Ends what goes on of this person: that connection alone, or all but that one.
    fn media_end(
        &mut self,
        session: SessionId,
        user: UserId,
        which: Ending<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Every stretch of a session, in the order in which they began.
    fn media_of(&mut self, session: SessionId) -> Result<Vec<Media>, StoreError>;
}

/// Which stretches end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending<'c> {
    /// All that go on.
    All,
    /// That of this connection.
    Only(&'c str),
    /// Those of other connections: a page that was loaded again has taken their place.
    AllBut(&'c str),
}

/// Notes that somebody is connected, or no more. Telling it again changes nothing; a new connection ends the one before.
/// An end is noted after the session's end too.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session, [`Error::WrongRole`] for an observer, [`Invalid::Connection`];
/// [`Error::NoVideo`] for a chat, and for a beginning outside of the time for video.
pub fn note_media(
    store: &mut dyn MediaStore,
    state: MediaState,
    connection: Option<&str>,
    (session, user): (SessionId, UserId),
    provider: VideoProvider,
    now: Timestamp,
) -> Result<(), Error> {
    let seat = store.seat_for_update(session, user)?.ok_or(Error::NotFound)?;
    if seat.role == ParticipantRole::Observer {
        return Err(Error::WrongRole);
    }
    let found = store.session_by_id(session)?.ok_or(Error::NotFound)?;
    let connection = connection.map(named).transpose()?;
    match state {
        MediaState::Connected => {
            video_open(found.modality(), found.status())?;
            let connection = connection.unwrap_or("browser").to_owned();
            store.media_end(session, user, Ending::AllBut(&connection), now)?;
            let media =
                Media { session, user, connection, provider, connected_at: now, disconnected_at: None };
            store.media_begin(&media)?;
        }
        MediaState::Disconnected => {
            if found.modality() == Modality::Chat {
                return Err(NoVideo::NotPaid.into());
            }
            store.media_end(session, user, connection.map_or(Ending::All, Ending::Only), now)?;
        }
    }
    Ok(())
}

fn named(connection: &str) -> Result<&str, Error> {
    let good = (1..=CONNECTION_MAX_CHARS).contains(&connection.chars().count())
        && !connection.chars().any(char::is_control);
    if good { Ok(connection) } else { Err(Invalid::Connection.into()) }
}

/// For how long both sides were connected at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Together {
    /// Since when, the first time; `None` when they never were.
    pub since: Option<Timestamp>,
    /// In all, in seconds.
    pub seconds: i64,
}

/// For how long the customer and anybody else of the session were connected at once. What goes on is counted until `now`.
pub fn together(stretches: &[Media], customer: UserId, now: Timestamp) -> Together {
    let mut both = Together::default();
    for hers in stretches.iter().filter(|one| one.user == customer) {
        for theirs in stretches.iter().filter(|one| one.user != customer) {
            let from = hers.connected_at.max(theirs.connected_at);
            let until = hers.disconnected_at.unwrap_or(now).min(theirs.disconnected_at.unwrap_or(now));
            if until > from {
                both.seconds += until.seconds_since(from);
                both.since = Some(both.since.map_or(from, |first| first.min(from)));
            }
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANA: UserId = UserId::new(uuid::Uuid::from_u128(1));
    const MAX: UserId = UserId::new(uuid::Uuid::from_u128(2));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus_seconds(seconds)
    }

    fn stretch(user: UserId, from: i64, until: Option<i64>) -> Media {
        Media {
            session: SessionId::new(uuid::Uuid::nil()),
            user,
            connection: "c".to_owned(),
            provider: VideoProvider::P2p,
            connected_at: at(from),
            disconnected_at: until.map(at),
        }
    }

    #[test]
    fn both_are_together_while_the_stretches_of_both_overlap() {
        let check = |stretches: &[Media], since: Option<i64>, seconds: i64| {
            let expected = Together { since: since.map(at), seconds };
            assert_eq!(together(stretches, DANA, at(100)), expected, "{stretches:?}");
        };
        check(&[], None, 0);
        check(&[stretch(DANA, 0, Some(50))], None, 0);
        check(&[stretch(DANA, 0, Some(50)), stretch(MAX, 50, Some(90))], None, 0);
        check(&[stretch(DANA, 0, Some(50)), stretch(MAX, 20, None)], Some(20), 30);
        check(&[stretch(DANA, 10, None), stretch(MAX, 20, None)], Some(20), 80);
        let reloaded = [stretch(DANA, 0, Some(30)), stretch(DANA, 40, Some(60)), stretch(MAX, 10, Some(55))];
        check(&reloaded, Some(10), 35);
    }

    #[test]
    fn a_connection_has_a_name_that_can_be_kept() {
        for (name, good) in [("a", true), ("", false), ("a\nb", false), (&*"x".repeat(64), true)] {
            assert_eq!(named(name).is_ok(), good, "{name:?}");
        }
        assert_eq!(named(&"x".repeat(65)), Err(Error::Invalid(Invalid::Connection)));
    }
}
