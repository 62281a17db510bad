//! One message to one person on one channel.

use kernel::id::{BatchId, DeliveryId, UserId};
use kernel::{StoreError, Timestamp};
use uuid::Uuid;

use crate::gateway::SendError;
use crate::milestone::{Channel, Milestone};
use crate::send::Begin;

/// The longest stored reason of a failure, in characters; longer ones are cut.
pub const REASON_MAX_CHARS: usize = 500;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// Certainly not sent yet.
    Pending,
    /// The carrier was called and its answer is not known.
    Unknown,
    /// The carrier has taken it.
    Sent,
    /// The carrier refused it for good.
    Failed,
    /// Not sent, because the address must not be written to.
    Suppressed,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Unknown, Self::Sent, Self::Failed, Self::Suppressed];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A message that somebody is to get once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// What it is about.
    pub milestone: Milestone,
    /// How it is sent.
    pub channel: Channel,
    /// Who gets it. The address is read when it is sent, so that it is the person's own at that time.
    pub recipient: UserId,
    /// The thing that reached the milestone: a session, an order, a link.
    pub object: Uuid,
    /// JSON from which the message is written. It may hold a link that signs somebody in, so it is dropped as
    /// soon as the delivery has ended.
    pub context: String,
}

impl NewDelivery {
    /// `{milestone}:{object}:{recipient}:{channel}`: at most one delivery with this key ever exists.
    pub fn send_once_key(&self) -> String {
        format!("{}:{}:{}:{}", self.milestone, self.object, self.recipient, self.channel.as_str())
    }
}

/// The fields of a delivery as they are stored. [`Delivery::restore`] checks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it is about.
    pub milestone: Milestone,
    /// How it is sent.
    pub channel: Channel,
    /// Who gets it.
    pub recipient: UserId,
    /// What keeps it from being sent twice, here and at the carrier.
    pub send_once_key: String,
    /// JSON from which the message is written, until the delivery has ended.
    pub context: Option<String>,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// The call in which it goes to its carrier together with others, if it does.
    pub batch: Option<BatchId>,
    /// The carrier's own name for it.
    pub provider_ref: Option<String>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was caused.
    pub created_at: Timestamp,
    /// When the carrier took it.
    pub sent_at: Option<Timestamp>,
}

/// A message to one person on one channel. Sent ones, and only they, have a time of sending; ended ones have no
/// context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery(StoredDelivery);

impl Delivery {
    /// A delivery that is certainly not sent yet.
    pub fn new(id: DeliveryId, new: NewDelivery, now: Timestamp) -> Self {
        Self(StoredDelivery {
            id,
            milestone: new.milestone,
            channel: new.channel,
            recipient: new.recipient,
            send_once_key: new.send_once_key(),
            context: Some(new.context),
            status: DeliveryStatus::Pending,
            batch: None,
            provider_ref: None,
            last_error: None,
            created_at: now,
            sent_at: None,
        })
    }

    /// A delivery as it was stored.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the time of sending or the context does not fit the status.
    pub fn restore(stored: StoredDelivery) -> Result<Self, StoreError> {
        let fits = match stored.status {
            DeliveryStatus::Pending => stored.context.is_some() && stored.sent_at.is_none(),
            DeliveryStatus::Unknown => stored.sent_at.is_none(),
            DeliveryStatus::Sent => stored.context.is_none() && stored.sent_at.is_some(),
            DeliveryStatus::Failed | DeliveryStatus::Suppressed => {
                stored.context.is_none() && stored.sent_at.is_none()
            }
        };
        if fits {
            Ok(Self(stored))
        } else {
            Err(StoreError::corrupt("delivery", "time of sending or context does not fit the status"))
        }
    }

    /// The fields, to be stored or shown.
    pub const fn stored(&self) -> &StoredDelivery {
        &self.0
    }

    /// Its id.
    pub const fn id(&self) -> DeliveryId {
        self.0.id
    }

    /// Where it stands.
    pub const fn status(&self) -> DeliveryStatus {
        self.0.status
    }

    /// The call in which it goes together with others.
    pub const fn batch(&self) -> Option<BatchId> {
        self.0.batch
    }

    /// Whether it may join others in a call: it certainly was not sent, and is in no other call.
    pub fn may_join(&self) -> bool {
        self.0.status == DeliveryStatus::Pending && self.0.batch.is_none()
    }

    pub(crate) fn joined(mut self, batch: BatchId) -> Self {
        self.0.batch = Some(batch);
        self
    }

    /// Out of a call that was refused as a whole, so that none of it was sent.
    pub(crate) fn parted(mut self, reason: &str) -> Self {
        self.0.batch = None;
        if self.0.status == DeliveryStatus::Unknown && self.0.context.is_some() {
            self.0.status = DeliveryStatus::Pending;
            self.0.last_error = Some(cut(reason));
        }
        self
    }

    /// What may happen next: `deduplicates` says that the carrier recognises a key it has seen.
    pub(crate) fn begun(mut self, deduplicates: bool) -> (Self, Begin) {
        let begin = match (self.0.status, &self.0.context) {
            (DeliveryStatus::Pending | DeliveryStatus::Unknown, None) => Begin::Ended,
            (DeliveryStatus::Unknown, Some(_)) if !deduplicates => {
                self.0.context = None;
                self.0.last_error = Some("not sent again: its first attempt may have arrived".to_owned());
                Begin::Ended
            }
            (DeliveryStatus::Pending | DeliveryStatus::Unknown, Some(_)) => {
                self.0.status = DeliveryStatus::Unknown;
                Begin::Send
            }
            (DeliveryStatus::Sent | DeliveryStatus::Failed | DeliveryStatus::Suppressed, _) => Begin::Ended,
        };
        (self, begin)
    }

    pub(crate) fn suppressed(mut self, reason: &str) -> Self {
        self.0.status = DeliveryStatus::Suppressed;
        self.0.context = None;
        self.0.last_error = Some(cut(reason));
        self
    }

    pub(crate) fn finished(mut self, outcome: &Result<String, SendError>, now: Timestamp) -> Self {
        // Two workers may have carried the same key to a carrier that recognises it; the first answer stands.
        if self.0.status != DeliveryStatus::Unknown {
            return self;
        }
        match outcome {
            Ok(provider_ref) => {
                self.0.status = DeliveryStatus::Sent;
                self.0.provider_ref = Some(provider_ref.clone());
                self.0.sent_at = Some(now);
                self.0.last_error = None;
                self.0.context = None;
            }
            Err(SendError::Refused(reason)) => {
                self.0.status = DeliveryStatus::Failed;
                self.0.last_error = Some(cut(reason));
                self.0.context = None;
            }
            Err(SendError::NotSent(reason)) => {
                self.0.status = DeliveryStatus::Pending;
                self.0.last_error = Some(cut(reason));
            }
            Err(SendError::Unknown(reason)) => self.0.last_error = Some(cut(reason)),
        }
        self
    }
}

fn cut(reason: &str) -> String {
    reason.chars().take(REASON_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Delivery {
        let new = NewDelivery {
            milestone: Milestone::BookingConfirmed,
            channel: Channel::Mail,
            recipient: UserId::new(Uuid::from_u128(2)),
            object: Uuid::from_u128(1),
            context: "{}".to_owned(),
        };
        Delivery::new(DeliveryId::new(Uuid::from_u128(3)), new, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_key_names_milestone_object_person_and_channel() {
        assert_eq!(
            pending().stored().send_once_key,
            "booking_confirmed:00000000-0000-0000-0000-000000000001:00000000-0000-0000-0000-000000000002:mail"
        );
    }

    #[test]
    fn an_unknown_outcome_is_sent_again_only_where_the_carrier_knows_the_key() {
        let (unknown, first) = pending().begun(false);
        assert_eq!((unknown.status(), first), (DeliveryStatus::Unknown, Begin::Send));
        assert_eq!(unknown.clone().begun(true).1, Begin::Send);
        let (left, again) = unknown.begun(false);
        assert_eq!((left.status(), again), (DeliveryStatus::Unknown, Begin::Ended));
        assert_eq!(left.stored().context, None, "a link that will not be sent is forgotten");
        assert_eq!(left.begun(true).1, Begin::Ended);
    }

    #[test]
    fn every_outcome_leaves_a_state_that_can_be_stored_and_only_an_open_one_is_sent_again() {
        let cases = [
            (Ok("ref".to_owned()), DeliveryStatus::Sent, Begin::Ended),
            (Err(SendError::Refused("no such box".to_owned())), DeliveryStatus::Failed, Begin::Ended),
            (Err(SendError::NotSent("503".to_owned())), DeliveryStatus::Pending, Begin::Send),
            (Err(SendError::Unknown("timeout".to_owned())), DeliveryStatus::Unknown, Begin::Send),
        ];
        for (outcome, status, next) in cases {
            let finished = pending().begun(true).0.finished(&outcome, Timestamp::UNIX_EPOCH);
            assert_eq!(finished.status(), status, "{outcome:?}");
            let restored = Delivery::restore(finished.stored().clone()).expect("a state that is allowed");
            assert_eq!(restored.begun(true).1, next, "{outcome:?}");
        }
    }

    #[test]
    fn a_message_joins_one_call_at_most_and_none_that_it_may_have_arrived_without() {
        let batch = BatchId::new(Uuid::from_u128(9));
        assert!(pending().may_join());
        assert!(!pending().joined(batch).may_join());
        let begun = pending().joined(batch).begun(true).0;
        assert!(!pending().begun(true).0.may_join(), "it may have arrived alone");
        let parted = begun.parted("422");
        assert_eq!((parted.status(), parted.batch()), (DeliveryStatus::Pending, None));
        let sent = pending().joined(batch).begun(true).0.finished(&Ok("a".to_owned()), Timestamp::UNIX_EPOCH);
        assert_eq!(sent.parted("422").status(), DeliveryStatus::Sent);
    }

    #[test]
    fn a_later_answer_does_not_change_a_delivery_that_has_ended() {
        let sent = pending().begun(true).0.finished(&Ok("first".to_owned()), Timestamp::UNIX_EPOCH);
        let late = Err(SendError::Refused("second".to_owned()));
        assert_eq!(sent.clone().finished(&late, Timestamp::UNIX_EPOCH.plus_seconds(9)), sent);
    }

    #[test]
    fn stored_fields_must_fit_the_status() {
        let good = pending().stored().clone();
        for broken in [
            StoredDelivery { context: None, ..good.clone() },
            StoredDelivery { status: DeliveryStatus::Sent, ..good.clone() },
            StoredDelivery { sent_at: Some(Timestamp::UNIX_EPOCH), ..good },
        ] {
            assert!(matches!(Delivery::restore(broken), Err(StoreError::Corrupt(_))));
        }
    }
}
