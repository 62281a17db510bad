//! What goes wrong in a session that runs: a side is away for long, or the video that was paid for does not come about.

use kernel::id::{SessionId, UserId};
use kernel::{Modality, Timestamp};

use crate::attendance::Attendance;
use crate::error::Error;
use crate::media::{MediaStore, together};
use crate::participant::ParticipantRole;
use crate::status::Status;

/// Something that a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// This side is not in the room.
    Away {
        /// Who.
        user: UserId,
        /// When they were there last, or when they should have come.
        since: Timestamp,
    },
    /// Both are in the room of a session with video and have never seen each other.
    NoVideo {
        /// Since when they could.
        since: Timestamp,
    },
}

/// A customer or a mechanic of a session that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedSide {
    /// The person.
    pub user: UserId,
    /// Since when they take part.
    pub joined_at: Timestamp,
    /// When they were there.
    pub attendance: Attendance,
}

/// A session that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// When it began.
    pub started_at: Timestamp,
    /// Since when its two sides may see each other; `None` for a chat.
    pub video_since: Option<Timestamp>,
    /// Whether they have.
    pub met: bool,
    /// The customer, and the mechanic if there is one.
    pub sides: Vec<WatchedSide>,
}

impl WatchedSide {
    /// Since when this side is away from a session that began at `started_at`; `None` while it is there.
    fn away_since(&self, started_at: Timestamp) -> Option<Timestamp> {
        let Attendance { present_since, last_seen } = self.attendance;
        present_since.is_none().then(|| last_seen.unwrap_or(self.joined_at).max(started_at))
    }
}

impl Watched {
    /// Since when this person is away; `None` while they are there, and for who is no side of the session.
    pub fn away_since(&self, user: UserId) -> Option<Timestamp> {
        self.sides.iter().find(|side| side.user == user)?.away_since(self.started_at)
    }

    /// What has gone on for `patience_seconds` by now. While the server was away nobody could be there, so no patience
    /// begins before `not_before`.
    pub fn troubles(&self, patience_seconds: i64, not_before: Timestamp, now: Timestamp) -> Vec<Trouble> {
        let over = |from: Timestamp| now >= from.max(not_before).plus_seconds(patience_seconds);
        let mut troubles = Vec::new();
        for side in &self.sides {
            if let Some(since) = side.away_since(self.started_at).filter(|since| over(*since)) {
                troubles.push(Trouble::Away { user: side.user, since });
            }
        }
        if let (Some(since), false) = (self.video_since, self.met) {
            let present: Option<Vec<Timestamp>> =
                self.sides.iter().map(|side| side.attendance.present_since).collect();
            let both = present.filter(|present| present.len() == 2);
            if both.is_some_and(|both| over(both.into_iter().fold(since, Timestamp::max))) {
                troubles.push(Trouble::NoVideo { since });
            }
        }
        troubles
    }
}

/// What is known by now of a session that runs; `None` for any other.
///
/// # Errors
/// The storage failed.
pub fn watched(
    store: &mut dyn MediaStore,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<Watched>, Error> {
    let Some(session) = store.session_by_id(session)? else { return Ok(None) };
    let parts = session.parts();
    let Some(started_at) = parts.started_at.filter(|_| session.status() == Status::InProgress) else {
        return Ok(None);
    };
    let video_since = match session.modality() {
        Modality::Chat => None,
        Modality::Video => Some(parts.upgraded_at.map_or(started_at, |at| at.max(started_at))),
    };
    let seen = store.attendance(session.id())?;
    let sides = seen
        .into_iter()
        .filter(|(person, _)| person.role != ParticipantRole::Observer)
        .map(|(person, attendance)| WatchedSide {
            user: person.user,
            joined_at: person.joined_at,
            attendance,
        })
        .collect();
    let met = match video_since {
        Some(_) => together(&store.media_of(session.id())?, session.customer(), now).since.is_some(),
        None => false,
    };
    Ok(Some(Watched { started_at, video_since, met, sides }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANA: UserId = UserId::new(uuid::Uuid::from_u128(1));
    const MAX: UserId = UserId::new(uuid::Uuid::from_u128(2));
    const PATIENCE: i64 = 120;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_760_000_000 + seconds).expect("in range")
    }

    fn there(since: i64) -> Attendance {
        Attendance { present_since: Some(at(since)), last_seen: None }
    }

    fn gone(since: i64) -> Attendance {
        Attendance { present_since: None, last_seen: Some(at(since)) }
    }

    const NEVER: Attendance = Attendance { present_since: None, last_seen: None };

    fn session(customer: Attendance, mechanic: Attendance) -> Watched {
        let side = |user, attendance| WatchedSide { user, joined_at: at(-600), attendance };
        let sides = vec![side(DANA, customer), side(MAX, mechanic)];
        Watched { started_at: at(0), video_since: None, met: false, sides }
    }

    fn away(user: UserId, since: i64) -> Trouble {
        Trouble::Away { user, since: at(since) }
    }

    /// Nothing is wrong before `limit`, and exactly `expected` from then on.
    fn check(watched: &Watched, not_before: i64, limit: i64, expected: &[Trouble]) {
        let found = |now: i64| watched.troubles(PATIENCE, at(not_before), at(now));
        assert_eq!(found(limit - 1), [], "{watched:?} before {limit}");
        assert_eq!(found(limit), expected, "{watched:?} at {limit}");
    }

    #[test]
    fn a_side_that_is_away_for_the_whole_patience_is_noticed_and_one_that_came_back_is_not() {
        check(&session(there(-60), gone(300)), -900, 420, &[away(MAX, 300)]);
        check(&session(gone(300), there(-60)), -900, 420, &[away(DANA, 300)]);
        check(&session(gone(300), gone(300)), -900, 420, &[away(DANA, 300), away(MAX, 300)]);
        // Who never came, or left before it began, is away since it began.
        check(&session(NEVER, there(-60)), -900, 120, &[away(DANA, 0)]);
        check(&session(gone(-30), there(-60)), -900, 120, &[away(DANA, 0)]);
        // The patience begins anew with the server, and what is counted as the cause does not.
        check(&session(there(-60), gone(300)), 1_000, 1_120, &[away(MAX, 300)]);
        assert_eq!(session(gone(300), NEVER).away_since(DANA), Some(at(300)));
        let back = session(there(-60), there(400));
        assert_eq!(back.away_since(MAX), None);
        assert_eq!(back.troubles(PATIENCE, at(-900), at(9_000)), []);
    }

    #[test]
    fn a_mechanic_who_was_put_in_later_is_expected_from_then() {
        let mut watched = session(there(-60), NEVER);
        watched.sides[1].joined_at = at(500);
        check(&watched, -900, 620, &[away(MAX, 500)]);
    }

    #[test]
    fn video_that_does_not_come_is_noticed_while_both_wait_for_it() {
        let video = |customer, mechanic| Watched { video_since: Some(at(50)), ..session(customer, mechanic) };
        let missing = [Trouble::NoVideo { since: at(50) }];
        check(&video(there(-60), there(-60)), -900, 170, &missing);
        // Somebody came back: both have the patience from then, and it is the same cause.
        check(&video(there(400), there(-60)), -900, 520, &missing);
        // Who is away is told of; what they would see is not.
        check(&video(gone(300), there(-60)), -900, 420, &[away(DANA, 300)]);
        let met = Watched { met: true, ..video(there(-60), there(-60)) };
        assert_eq!(met.troubles(PATIENCE, at(-900), at(9_000)), []);
        let mut alone = video(there(-60), there(-60));
        alone.sides.truncate(1);
        assert_eq!(alone.troubles(PATIENCE, at(-900), at(9_000)), [], "nobody to see");
    }
}
