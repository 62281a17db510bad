//! What a transaction tells the rest of the process once it has committed.

use std::sync::Arc;

use accounts::authenticate::Via;
use kernel::id::{SessionId, UserId};

/// Something that happened, told after the commit and in the order of commits of this node. It may be lost when
/// the process dies; whoever listens can read the same from the store.
#[derive(Debug, Clone)]
pub enum Notice {
    /// An event was appended to a session's log.
    SessionEvent(Arc<sessions::Event>),
    /// A participant has read up to a sequence number.
    Read {
        /// The session.
        session: SessionId,
        /// Who read.
        user: UserId,
        /// The highest number read.
        seq: u64,
    },
    /// A frame for one person's own channel, already in its published JSON form.
    Personal {
        /// The person.
        user: UserId,
        /// Which of their channels: `customer:{user}` or `mechanic:{user}`.
        side: Side,
        /// The frame.
        frame: String,
    },
    /// A frame for the channel of admins and support, already in its published JSON form.
    Staff {
        /// The frame.
        frame: String,
    },
    /// A person lost the right to be connected: by sign-out, reset or suspension.
    AccessEnded {
        /// The person.
        user: UserId,
        /// Only by this proof, or by any of theirs when `None`.
        via: Option<Via>,
    },
    /// A person is no longer a participant of a session.
    MembershipEnded {
        /// The session.
        session: SessionId,
        /// The person.
        user: UserId,
    },
    /// Work was scheduled that may be due already.
    JobsDue,
}

/// The side of the business on which somebody is told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Somebody who buys help.
    Customer,
    /// Somebody who gives it.
    Mechanic,
}

/// Where notices go. Called on the thread that committed; it must not block.
pub type NoticeSink = Arc<dyn Fn(&[Notice]) + Send + Sync>;
