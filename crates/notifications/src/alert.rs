//! What needs a person's eye: told once for each cause, and on the board until the cause is gone or somebody has seen it.

use kernel::id::{AlertId, SessionId, UserId};
use kernel::{Context, StoreError, Timestamp};
use uuid::Uuid;

use crate::send::Error;

/// Why support is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertCause {
    /// One side of a session that runs has been away for long; the object is the person.
    ParticipantAbsent,
    /// Both sides of a session with video wait for it; the object is the session.
    NoVideo,
    /// The payment provider refuses to send money back; the object is the refund.
    RefundFailed,
    /// Work that money or a session hangs on was given up; the object is the job.
    JobDead,
    /// A customer has taken a payment to their bank; the object is the dispute.
    Dispute,
}

impl AlertCause {
    /// Every cause.
    pub const ALL: [Self; 5] =
        [Self::ParticipantAbsent, Self::NoVideo, Self::RefundFailed, Self::JobDead, Self::Dispute];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParticipantAbsent => "participant_absent",
            Self::NoVideo => "no_video",
            Self::RefundFailed => "refund_failed",
            Self::JobDead => "job_dead",
            Self::Dispute => "dispute",
        }
    }

    /// The cause of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// A cause that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAlert {
    /// Why.
    pub cause: AlertCause,
    /// The thing it is about; the cause says of which kind it is.
    pub object: Uuid,
    /// The session it is about, if it is about one.
    pub session: Option<SessionId>,
    /// Since when the cause is there. The same object with another instant is another cause.
    pub since: Timestamp,
}

impl NewAlert {
    /// `{cause}:{session}:{object}:{since}`: at most one alert with this key ever exists.
    pub fn once_key(&self) -> String {
        let session = self.session.map_or_else(|| "-".to_owned(), |session| session.to_string());
        format!("{}:{session}:{}:{}", self.cause.as_str(), self.object, self.since)
    }
}

/// Something that support was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// The alert.
    pub id: AlertId,
    /// What was found.
    pub found: NewAlert,
    /// When support was told.
    pub raised_at: Timestamp,
    /// When the cause was gone.
    pub ended_at: Option<Timestamp>,
    /// Who has seen to it, and when.
    pub seen: Option<(UserId, Timestamp)>,
}

impl Alert {
    /// Whether it still waits for somebody.
    pub const fn is_open(&self) -> bool {
        self.ended_at.is_none() && self.seen.is_none()
    }
}

/// What alerts ask of the database.
pub trait AlertStore {
    /// Adds an alert; `false` when one with its once key exists.
    ///
    /// # Errors
    /// When the storage fails.
    fn alert_insert(&mut self, alert: &Alert) -> Result<bool, StoreError>;

    /// One alert.
    ///
    /// # Errors
    /// When the storage fails.
    fn alert_by_id(&mut self, id: AlertId) -> Result<Option<Alert>, StoreError>;

    /// Those whose cause is there as far as is known, seen or not, oldest cause first; of one session when it is given.
    ///
    /// # Errors
    /// When the storage fails.
    fn alerts_lasting(&mut self, session: Option<SessionId>) -> Result<Vec<Alert>, StoreError>;

    /// Notes that the cause is gone; `false` when that was known.
    ///
    /// # Errors
    /// When the storage fails.
    fn alert_end(&mut self, id: AlertId, now: Timestamp) -> Result<bool, StoreError>;

    /// Notes who has seen to it; `false` when somebody had before.
    ///
    /// # Errors
    /// When the storage fails.
    fn alert_see(&mut self, id: AlertId, by: UserId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes up to `limit` alerts whose cause was gone before that instant; answers how many.
    ///
    /// # Errors
    /// When the storage fails.
    fn alerts_delete_before(&mut self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;
}

/// How long an alert is kept after its cause was gone, in seconds: 90 days.
pub const KEEP_ENDED_SECONDS: i64 = 90 * 86_400;

/// Writes down that a cause was found; `None` when that was done before.
///
/// # Errors
/// When the storage fails.
pub fn raise(store: &mut dyn AlertStore, found: NewAlert, cx: &Context) -> Result<Option<Alert>, Error> {
    let alert = Alert { id: AlertId::new(cx.id()), found, raised_at: cx.now, ended_at: None, seen: None };
    Ok(store.alert_insert(&alert)?.then_some(alert))
}

/// Somebody has seen to an alert. Answers it, and whether it waited until now: the first who sees it stays on record.
/// `None` when there is no such alert.
///
/// # Errors
/// When the storage fails.
pub fn see(
    store: &mut dyn AlertStore,
    id: AlertId,
    by: UserId,
    cx: &Context,
) -> Result<Option<(Alert, bool)>, Error> {
    let fresh = store.alert_see(id, by, cx.now)?;
    Ok(store.alert_by_id(id)?.map(|alert| (alert, fresh)))
}

/// Deletes alerts whose cause has been gone for [`KEEP_ENDED_SECONDS`], up to 1,000 at once; answers how many.
///
/// # Errors
/// When the storage fails.
pub fn prune(store: &mut dyn AlertStore, cx: &Context) -> Result<u32, Error> {
    Ok(store.alerts_delete_before(cx.now.plus_seconds(-KEEP_ENDED_SECONDS), 1_000)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for cause in AlertCause::ALL {
            assert_eq!(AlertCause::parse(cause.as_str()), Some(cause));
        }
        assert_eq!(AlertCause::parse("absent"), None);
    }

    #[test]
    fn another_departure_of_the_same_person_is_another_cause_and_the_same_one_is_not() {
        let at = |seconds| Timestamp::UNIX_EPOCH.plus_seconds(seconds);
        let found = |session: Option<u128>, seconds| NewAlert {
            cause: AlertCause::ParticipantAbsent,
            object: Uuid::from_u128(1),
            session: session.map(|id| SessionId::new(Uuid::from_u128(id))),
            since: at(seconds),
        };
        let first = found(Some(7), 60).once_key();
        assert_eq!(first, found(Some(7), 60).once_key());
        for other in [found(Some(7), 61), found(Some(8), 60), found(None, 60)] {
            assert_ne!(first, other.once_key());
        }
        let dispute = NewAlert { cause: AlertCause::Dispute, ..found(Some(7), 60) };
        assert_ne!(first, dispute.once_key());
        assert!(first.len() <= 200, "{first}");
    }

    #[test]
    fn an_alert_waits_until_somebody_has_seen_it_or_its_cause_is_gone() {
        let now = Timestamp::UNIX_EPOCH;
        let found = NewAlert { cause: AlertCause::NoVideo, object: Uuid::nil(), session: None, since: now };
        let id = AlertId::new(Uuid::nil());
        let open = Alert { id, found, raised_at: now, ended_at: None, seen: None };
        assert!(open.is_open());
        assert!(!Alert { ended_at: Some(now), ..open }.is_open());
        assert!(!Alert { seen: Some((UserId::new(Uuid::nil()), now)), ..open }.is_open());
    }
}
