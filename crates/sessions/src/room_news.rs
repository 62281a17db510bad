//! What a provider of video tells of its rooms: the two sides may use the provider's own client, and then nobody but the
//! provider knows who saw whom. Its calls come twice, late and in any order.

use kernel::id::{SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::error::Error;
use crate::gateway::VideoProvider;
use crate::media::{CONNECTION_MAX_CHARS, Ending, Media, MediaStore};
use crate::participant::ParticipantRole;
use crate::video::video_open;

/// Something that happened in the room of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomNews {
    /// The session whose room it is.
    pub session: SessionId,
    /// Who carries it.
    pub provider: VideoProvider,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: RoomEvent,
}

/// What happens in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// Somebody came in.
    Joined {
        /// Who.
        user: UserId,
        /// The provider's name of this stay: another one each time the person comes.
        connection: String,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        user: UserId,
        /// The stay that ended.
        connection: String,
        /// Since when they were there, if the provider says so.
        since: Option<Timestamp>,
    },
    /// The room is closed, and nobody who came before is in it.
    Closed,
}

/// Notes it. `false`, and nothing changed, for what is known already or is of no use: a person who is not one of the two
/// sides, a beginning outside of the time for video. None of it is an error, because the provider would only tell it
/// again.
///
/// # Errors
/// The storage's.
pub fn hear_room(store: &mut dyn MediaStore, news: &RoomNews, now: Timestamp) -> Result<bool, Error> {
    let at = news.at.min(now);
    match &news.event {
        RoomEvent::Joined { user, connection } => joined(store, news, *user, connection, at),
        RoomEvent::Left { user, connection, since } => {
            left(store, news, *user, connection, since.unwrap_or(at).min(at)..at)
        }
        RoomEvent::Closed => {
            // Who came after it was told late is in another room of the same name.
            let going_on = |one: &Media| {
                one.disconnected_at.is_none() && one.provider == news.provider && one.connected_at <= at
            };
            let open: Vec<Media> = store.media_of(news.session)?.into_iter().filter(going_on).collect();
            for one in &open {
                end(store, one, at)?;
            }
            Ok(!open.is_empty())
        }
    }
}

fn joined(
    store: &mut dyn MediaStore,
    news: &RoomNews,
    user: UserId,
    connection: &str,
    at: Timestamp,
) -> Result<bool, Error> {
    let Some(stays) = stays(store, news, user, connection)? else { return Ok(false) };
    let Some(session) = store.session_by_id(news.session)? else { return Ok(false) };
    if video_open(session.modality(), session.status()).is_err()
        || stays.iter().any(|one| one.connection == connection)
    {
        return Ok(false);
    }
    let going_on = stays.iter().find(|one| one.disconnected_at.is_none());
    // Told late: the person has come again since.
    let until = going_on.map(|one| one.connected_at).filter(|came| *came > at);
    if let (Some(before), None) = (going_on, until) {
        end(store, before, at)?;
    }
    Ok(store.media_begin(&stay(news, user, connection, at, until))?)
}

fn left(
    store: &mut dyn MediaStore,
    news: &RoomNews,
    user: UserId,
    connection: &str,
    there: std::ops::Range<Timestamp>,
) -> Result<bool, Error> {
    let Some(stays) = stays(store, news, user, connection)? else { return Ok(false) };
    match stays.iter().find(|one| one.connection == connection) {
        Some(known) if known.disconnected_at.is_some() => Ok(false),
        Some(known) => {
            end(store, known, there.end)?;
            Ok(true)
        }
        // The end came before the beginning, which is then known.
        None => Ok(store.media_begin(&stay(news, user, connection, there.start, Some(there.end)))?),
    }
}

fn stay(
    news: &RoomNews,
    user: UserId,
    connection: &str,
    connected_at: Timestamp,
    disconnected_at: Option<Timestamp>,
) -> Media {
    let (session, provider) = (news.session, news.provider);
    Media { session, user, connection: connection.to_owned(), provider, connected_at, disconnected_at }
}

fn end(store: &mut dyn MediaStore, stay: &Media, at: Timestamp) -> Result<(), StoreError> {
    store.media_end(stay.session, stay.user, Ending::Only(&stay.connection), at.max(stay.connected_at))
}

// What is known of this person's connections; nothing for who is not one of the two sides.
fn stays(
    store: &mut dyn MediaStore,
    news: &RoomNews,
    user: UserId,
    connection: &str,
) -> Result<Option<Vec<Media>>, StoreError> {
    let seat = store.seat_for_update(news.session, user)?;
    let on_camera = seat.is_some_and(|seat| seat.role != ParticipantRole::Observer);
    if !on_camera || !(1..=CONNECTION_MAX_CHARS).contains(&connection.chars().count()) {
        return Ok(None);
    }
    let of_all = store.media_of(news.session)?;
    Ok(Some(of_all.into_iter().filter(|one| one.user == user).collect()))
}
