//! A session and the steps of its life.

use std::collections::BTreeMap;

use kernel::id::{IntakeId, SessionId, UserId};
use kernel::{Modality, PlanCode, SessionType, Timestamp};

use crate::chain::Head;
use crate::clock::lengthened;
use crate::error::{Error, InvalidTransition};
use crate::status::{EndReason, Status};

/// Every field of a session as it is stored. [`Session::restore`] checks that they fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionParts {
    /// The session.
    pub id: SessionId,
    /// Who paid for it.
    pub customer: UserId,
    /// The plan that was bought; an upgrade doesn't change it.
    pub plan: PlanCode,
    /// What it is now.
    pub session_type: SessionType,
    /// Where it stands.
    pub status: Status,
    /// Why it ended; set exactly when it has ended.
    pub end_reason: Option<EndReason>,
    /// Who ended it, when a person did.
    pub ended_by: Option<UserId>,
    /// How long it may take from its start, in minutes.
    pub allowance_minutes: u32,
    /// What the customer wrote before paying.
    pub intake: IntakeId,
    /// The version of the price book that holds for its whole life.
    pub price_book: String,
    /// What checkout handed over, for people to read; nothing is decided by it.
    pub metadata: BTreeMap<String, String>,
    /// When it was booked for; `None` for now.
    pub scheduled_for: Option<Timestamp>,
    /// When it was fulfilled.
    pub created_at: Timestamp,
    /// When it last changed, messages not counted.
    pub updated_at: Timestamp,
    /// When it got its mechanic.
    pub accepted_at: Option<Timestamp>,
    /// When the two sides began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When it became video.
    pub upgraded_at: Option<Timestamp>,
    /// The end of its log.
    pub head: Head,
}

/// A consultation. Its status changes by its own steps only; each consumes the session and gives the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    parts: SessionParts,
}

impl Session {
    /// A session from its stored fields.
    ///
    /// # Errors
    /// The name of the first rule that the fields break together.
    pub fn restore(parts: SessionParts) -> Result<Self, &'static str> {
        let ended = parts.status.is_ended();
        let started = matches!(parts.status, Status::InProgress | Status::Completed);
        if ended != parts.ended_at.is_some() || ended != parts.end_reason.is_some() {
            return Err("an end needs a time and a reason, and nothing else has them");
        }
        if started != parts.started_at.is_some() {
            return Err("started_at does not fit the status");
        }
        if parts.status == Status::Scheduled && parts.scheduled_for.is_none() {
            return Err("scheduled without a time");
        }
        if parts.allowance_minutes == 0 {
            return Err("the allowance is zero");
        }
        Ok(Self { parts })
    }

    /// Everything about it, to be read or stored.
    pub const fn parts(&self) -> &SessionParts {
        &self.parts
    }

    /// Its id.
    pub const fn id(&self) -> SessionId {
        self.parts.id
    }

    /// Who paid for it.
    pub const fn customer(&self) -> UserId {
        self.parts.customer
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.parts.status
    }

    /// Why it ended.
    pub const fn end_reason(&self) -> Option<EndReason> {
        self.parts.end_reason
    }

    /// How its two sides talk.
    pub const fn modality(&self) -> Modality {
        self.parts.session_type.modality()
    }

    /// The end of its log.
    pub const fn head(&self) -> &Head {
        &self.parts.head
    }

    /// When its time is up: its start plus the allowance; `None` before it starts.
    pub fn deadline_at(&self) -> Option<Timestamp> {
        self.parts.started_at.map(|at| at.plus_seconds(i64::from(self.parts.allowance_minutes) * 60))
    }

    /// Whole seconds from its start to its end; `None` when it never started or hasn't ended.
    pub fn duration_seconds(&self) -> Option<i64> {
        Some(self.parts.ended_at?.seconds_since(self.parts.started_at?).max(0))
    }

    /// Got its mechanic.
    ///
    /// # Errors
    /// It is not `requested` or `scheduled`.
    pub fn accept(self, now: Timestamp) -> Result<Self, InvalidTransition> {
        let mut next = self.step(Status::Accepted, now)?;
        next.parts.accepted_at = Some(now);
        Ok(next)
    }

    /// The two sides begin; the allowance runs from `now`.
    ///
    /// # Errors
    /// It is not `accepted`.
    pub fn start(self, now: Timestamp) -> Result<Self, InvalidTransition> {
        let mut next = self.step(Status::InProgress, now)?;
        next.parts.started_at = Some(now);
        Ok(next)
    }

    /// Gets more time; the deadline moves by as much.
    ///
    /// # Errors
    /// It is not `in_progress`; [`Invalid::ExtensionMinutes`](crate::Invalid::ExtensionMinutes).
    pub fn extend(mut self, minutes: u32, now: Timestamp) -> Result<Self, Error> {
        if self.parts.status != Status::InProgress {
            return Err(InvalidTransition { from: self.parts.status, to: Status::InProgress }.into());
        }
        self.parts.allowance_minutes = lengthened(self.parts.allowance_minutes, minutes)?;
        self.parts.updated_at = now;
        Ok(self)
    }

    /// Took place and is over.
    ///
    /// # Errors
    /// It is not `in_progress`.
    pub fn complete(
        self,
        reason: EndReason,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Result<Self, InvalidTransition> {
        self.finish(Status::Completed, reason, by, now)
    }

    /// Called off before it started.
    ///
    /// # Errors
    /// It has started or ended.
    pub fn cancel(
        self,
        reason: EndReason,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Result<Self, InvalidTransition> {
        self.finish(Status::Cancelled, reason, by, now)
    }

    /// Nobody accepted it in time.
    ///
    /// # Errors
    /// It is not `requested`.
    pub fn expire(self, now: Timestamp) -> Result<Self, InvalidTransition> {
        self.finish(Status::Expired, EndReason::Unaccepted, None, now)
    }

    /// Becomes video, and may take that much longer than before.
    ///
    /// # Errors
    /// [`Error::NotUpgradable`] when it is over or no chat.
    pub fn upgrade(mut self, longer_by_minutes: u32, now: Timestamp) -> Result<Self, Error> {
        if self.parts.status.is_ended() || self.parts.session_type != SessionType::Chat {
            return Err(Error::NotUpgradable);
        }
        self.parts.session_type = SessionType::UpgradedFromChat;
        self.parts.upgraded_at = Some(now);
        self.parts.allowance_minutes = self.parts.allowance_minutes.saturating_add(longer_by_minutes);
        self.parts.updated_at = now;
        Ok(self)
    }

    /// The same session after an event was appended to its log.
    #[must_use]
    pub fn logged(mut self, head: Head) -> Self {
        self.parts.head = head;
        self
    }

    fn finish(
        self,
        to: Status,
        reason: EndReason,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Result<Self, InvalidTransition> {
        let mut next = self.step(to, now)?;
        next.parts.end_reason = Some(reason);
        next.parts.ended_by = by;
        next.parts.ended_at = Some(now);
        Ok(next)
    }

    fn step(mut self, to: Status, now: Timestamp) -> Result<Self, InvalidTransition> {
        let from = self.parts.status;
        if !from.leads_to(to) {
            return Err(InvalidTransition { from, to });
        }
        self.parts.status = to;
        self.parts.updated_at = now;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use kernel::id::{IntakeId, SessionId, UserId};
    use kernel::{PlanCode, SessionType, Timestamp};
    use proptest::prelude::{Just, prop_oneof, proptest};
    use proptest::strategy::Strategy;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_760_000_000 + seconds).expect("in range")
    }

    fn fresh(scheduled_for: Option<Timestamp>) -> Session {
        Session::restore(SessionParts {
            id: SessionId::new(Uuid::from_u128(1)),
            customer: UserId::new(Uuid::from_u128(2)),
            plan: PlanCode::Chat10,
            session_type: SessionType::Chat,
            status: if scheduled_for.is_some() { Status::Scheduled } else { Status::Requested },
            end_reason: None,
            ended_by: None,
            allowance_minutes: 10,
            intake: IntakeId::new(Uuid::from_u128(3)),
            price_book: "2025-10".to_owned(),
            metadata: BTreeMap::new(),
            scheduled_for,
            created_at: at(0),
            updated_at: at(0),
            accepted_at: None,
            started_at: None,
            ended_at: None,
            upgraded_at: None,
            head: Head::default(),
        })
        .expect("valid")
    }

    #[derive(Debug, Clone, Copy)]
    enum Move {
        Accept,
        Start,
        Complete,
        Cancel,
        Expire,
    }

    impl Move {
        const ALL: [Self; 5] = [Self::Accept, Self::Start, Self::Complete, Self::Cancel, Self::Expire];

        fn apply(self, session: Session, now: Timestamp) -> Result<Session, InvalidTransition> {
            match self {
                Self::Accept => session.accept(now),
                Self::Start => session.start(now),
                Self::Complete => session.complete(EndReason::Customer, None, now),
                Self::Cancel => session.cancel(EndReason::Mechanic, None, now),
                Self::Expire => session.expire(now),
            }
        }
    }

    fn reach(status: Status) -> Session {
        let path: &[Move] = match status {
            Status::Requested => &[],
            Status::Scheduled => return fresh(Some(at(9_000))),
            Status::Accepted => &[Move::Accept],
            Status::InProgress => &[Move::Accept, Move::Start],
            Status::Completed => &[Move::Accept, Move::Start, Move::Complete],
            Status::Cancelled => &[Move::Cancel],
            Status::Expired => &[Move::Expire],
        };
        path.iter().fold(fresh(None), |session, step| step.apply(session, at(1)).expect("a legal path"))
    }

    #[test]
    fn each_step_leads_where_the_table_says_and_nowhere_else() {
        let table = [
            (Status::Requested, [true, false, false, true, true]),
            (Status::Scheduled, [true, false, false, true, false]),
            (Status::Accepted, [false, true, false, true, false]),
            (Status::InProgress, [false, false, true, false, false]),
            (Status::Completed, [false; 5]),
            (Status::Cancelled, [false; 5]),
            (Status::Expired, [false; 5]),
        ];
        for (from, allowed) in table {
            for (step, legal) in Move::ALL.into_iter().zip(allowed) {
                let result = step.apply(reach(from), at(5));
                assert_eq!(result.is_ok(), legal, "{step:?} from {from}");
                if let Err(refused) = result {
                    assert_eq!(refused.from, from);
                }
            }
        }
    }

    #[test]
    fn the_deadline_is_the_start_plus_the_allowance() {
        assert_eq!(reach(Status::Accepted).deadline_at(), None);
        let session = fresh(None).accept(at(10)).and_then(|s| s.start(at(60))).expect("legal");
        assert_eq!(session.deadline_at(), Some(at(660)));
        let ended = session.complete(EndReason::Customer, None, at(100)).expect("legal");
        assert_eq!(ended.duration_seconds(), Some(40));
    }

    #[test]
    fn an_open_chat_becomes_video_once_and_its_deadline_moves_from_its_start() {
        for status in Status::ALL {
            let upgraded = reach(status).upgrade(20, at(400));
            assert_eq!(upgraded.is_ok(), !status.is_ended(), "{status}");
            let Ok(upgraded) = upgraded else { continue };
            assert_eq!(upgraded.parts().session_type, SessionType::UpgradedFromChat);
            assert_eq!(upgraded.parts().upgraded_at, Some(at(400)));
            assert_eq!(upgraded.modality(), Modality::Video);
            assert_eq!(upgraded.parts().allowance_minutes, 30);
            assert_eq!(
                upgraded.deadline_at(),
                upgraded.parts().started_at.map(|from| from.plus_seconds(1_800))
            );
            assert_eq!(upgraded.upgrade(20, at(401)), Err(Error::NotUpgradable), "{status}: twice");
        }
    }

    #[test]
    fn only_a_session_in_progress_gets_more_time_and_its_deadline_moves_by_it() {
        for status in Status::ALL {
            let longer = reach(status).extend(5, at(20));
            assert_eq!(longer.is_ok(), status == Status::InProgress, "{status}");
            let moved = longer.map(|session| session.deadline_at());
            assert!(moved.is_err() || moved == Ok(Some(at(1 + 900))), "{status}: {moved:?}");
        }
    }

    #[test]
    fn fields_that_do_not_fit_the_status_are_refused() {
        let check = |change: fn(&mut SessionParts)| {
            let mut parts = reach(Status::InProgress).parts().clone();
            change(&mut parts);
            Session::restore(parts).is_err()
        };
        assert!(check(|p| p.started_at = None));
        assert!(check(|p| p.ended_at = p.started_at));
        assert!(check(|p| p.end_reason = Some(EndReason::Admin)));
        assert!(check(|p| p.status = Status::Completed));
        assert!(check(|p| p.status = Status::Scheduled));
        assert!(check(|p| p.allowance_minutes = 0));
        assert!(!check(|_| {}));
    }

    fn any_move() -> impl Strategy<Value = Move> {
        prop_oneof![
            Just(Move::Accept),
            Just(Move::Start),
            Just(Move::Complete),
            Just(Move::Cancel),
            Just(Move::Expire)
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_tried_the_session_stays_valid_and_an_end_is_final(moves in proptest::collection::vec(any_move(), 0..12)) {
            let mut session = fresh(None);
            for (step, now) in moves.into_iter().zip(1..) {
                let before = session.clone();
                match step.apply(session, at(now)) {
                    Ok(next) => {
                        assert!(!before.status().is_ended());
                        assert!(Session::restore(next.parts().clone()).is_ok());
                        session = next;
                    }
                    Err(refused) => {
                        assert_eq!(refused.from, before.status());
                        session = before;
                    }
                }
            }
        }
    }
}
