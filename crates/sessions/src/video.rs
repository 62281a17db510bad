//! When the two sides of a session may see each other, and who is let into its room.

use kernel::Modality;
use kernel::id::{SessionId, UserId};

use crate::error::{Error, NoVideo};
use crate::participant::ParticipantRole;
use crate::status::Status;
use crate::store::Store;

/// Whether people can see each other in such a session now: video must be paid, and the two sides have met or are about
/// to.
///
/// # Errors
/// [`NoVideo`]
pub const fn video_open(modality: Modality, status: Status) -> Result<(), NoVideo> {
    match (modality, status) {
        (Modality::Chat, _) => Err(NoVideo::NotPaid),
        (Modality::Video, Status::Accepted | Status::InProgress) => Ok(()),
        (Modality::Video, Status::Requested | Status::Scheduled) => Err(NoVideo::NotAccepted),
        (Modality::Video, Status::Completed | Status::Cancelled | Status::Expired) => Err(NoVideo::Over),
    }
}

/// The name of a session's room at every provider (VID-01).
pub fn room_name(session: SessionId) -> String {
    format!("session-{session}")
}

/// The session whose room has that name; `None` for a room that is none of ours.
pub fn session_of_room(name: &str) -> Option<SessionId> {
    name.strip_prefix("session-")?.parse().ok()
}

/// Lets somebody into the room of a session now. An observer reads along and is never on camera.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the session, [`Error::WrongRole`] for an observer; [`Error::NoVideo`]
/// while there is none.
pub fn enter_video(store: &mut dyn Store, session: SessionId, user: UserId) -> Result<(), Error> {
    let seat = store.seat(session, user)?.ok_or(Error::NotFound)?;
    match seat.role {
        ParticipantRole::Observer => Err(Error::WrongRole),
        ParticipantRole::Customer | ParticipantRole::Mechanic => {
            let found = store.session_by_id(session)?.ok_or(Error::NotFound)?;
            Ok(video_open(found.modality(), found.status())?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_is_open_from_the_acceptance_to_the_end_of_a_session_that_paid_for_it() {
        let table = [
            (Status::Requested, Err(NoVideo::NotAccepted)),
            (Status::Scheduled, Err(NoVideo::NotAccepted)),
            (Status::Accepted, Ok(())),
            (Status::InProgress, Ok(())),
            (Status::Completed, Err(NoVideo::Over)),
            (Status::Cancelled, Err(NoVideo::Over)),
            (Status::Expired, Err(NoVideo::Over)),
        ];
        for (status, expected) in table {
            assert_eq!(video_open(Modality::Video, status), expected, "video, {status}");
            assert_eq!(video_open(Modality::Chat, status), Err(NoVideo::NotPaid), "chat, {status}");
        }
    }

    #[test]
    fn a_room_is_named_after_its_session() {
        let id: SessionId = "0198d7a0-0000-7000-8000-0000000044c1".parse().expect("an id");
        assert_eq!(room_name(id), "session-0198d7a0-0000-7000-8000-0000000044c1");
        assert_eq!(session_of_room(&room_name(id)), Some(id));
        for foreign in ["", "session-", "session-1", "lobby", "0198d7a0-0000-7000-8000-0000000044c1"] {
            assert_eq!(session_of_room(foreign), None, "{foreign}");
        }
    }
}
