//! Who takes part in a session, and what that allows.
//!
//! Someone without a row here gets no answer at all: to them the session doesn't exist (SEC-02, SEC-06).

use serde::{Deserialize, Serialize};

use kernel::Timestamp;
use kernel::id::{SessionId, UserId};

use crate::chain::Head;
use crate::error::Error;
use crate::status::Status;

/// What a participant is in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantRole {
    /// Paid for it. Exactly one.
    Customer,
    /// Helps. At most one at a time.
    Mechanic,
    /// An admin who watches: sees everything, writes nothing.
    Observer,
}

impl ParticipantRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Mechanic, Self::Observer];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Mechanic => "mechanic",
            Self::Observer => "observer",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether this role may add messages, files and reactions now: the customer from `requested` on, the mechanic
    /// from `accepted` on, nobody after the end, an observer never.
    ///
    /// # Errors
    /// [`Error::SessionClosed`], [`Error::NotAccepted`] or [`Error::WrongRole`].
    pub const fn may_write(self, status: Status) -> Result<(), Error> {
        match (self, status) {
            (Self::Observer, _) => Err(Error::WrongRole),
            (Self::Customer | Self::Mechanic, Status::Completed | Status::Cancelled | Status::Expired) => {
                Err(Error::SessionClosed)
            }
            (Self::Mechanic, Status::Requested | Status::Scheduled) => Err(Error::NotAccepted),
            (Self::Mechanic, Status::Accepted | Status::InProgress)
            | (
                Self::Customer,
                Status::Requested | Status::Scheduled | Status::Accepted | Status::InProgress,
            ) => Ok(()),
        }
    }
}

/// A person in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Participant {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
    /// What they are in it.
    pub role: ParticipantRole,
    /// Since when.
    pub joined_at: Timestamp,
    /// How far they have read; 0 is nothing.
    pub last_read_seq: u64,
}

/// What writing into a session needs to know, read and locked in one query: where the session stands, the end of its
/// log, and the writer's place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
    /// What they are in it.
    pub role: ParticipantRole,
    /// Where the session stands.
    pub status: Status,
    /// The end of the log.
    pub head: Head,
    /// Whether what was written in the session has been deleted: its customer left, or its time is over.
    pub content_dropped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customer_writes_from_the_request_the_mechanic_from_the_acceptance_and_nobody_after_the_end() {
        use ParticipantRole::{Customer, Mechanic, Observer};
        let closed = Some(Error::SessionClosed);
        let early = Some(Error::NotAccepted);
        let never = Some(Error::WrongRole);
        let table = [
            (Status::Requested, None, early.clone()),
            (Status::Scheduled, None, early),
            (Status::Accepted, None, None),
            (Status::InProgress, None, None),
            (Status::Completed, closed.clone(), closed.clone()),
            (Status::Cancelled, closed.clone(), closed.clone()),
            (Status::Expired, closed.clone(), closed),
        ];
        for (status, customer, mechanic) in table {
            assert_eq!(Customer.may_write(status).err(), customer, "customer, {status}");
            assert_eq!(Mechanic.may_write(status).err(), mechanic, "mechanic, {status}");
            assert_eq!(Observer.may_write(status).err(), never, "observer, {status}");
        }
    }
}
