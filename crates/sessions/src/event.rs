//! A line of a session's log.

use serde::{Deserialize, Serialize};

use kernel::id::{EventId, SessionId, UserId};
use kernel::{Context, Timestamp};

use crate::chain::{Hash, Head, Salt, commitment, link};
use crate::participant::ParticipantRole;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Someone said something.
    Message,
    /// A customer or mechanic was added to the session.
    Joined,
    /// A mechanic was replaced.
    Left,
    /// The two sides began.
    Started,
    /// It is over, for whatever reason.
    Ended,
    /// A chat became video.
    SessionUpgraded,
    /// The mechanic suggests video.
    UpgradeSuggested,
    /// A file was added.
    File,
    /// The mechanic wrote the summary.
    Summary,
    /// An emoji was put on a message or taken off.
    Reaction,
    /// The time is running out.
    TimeWarning,
    /// The time was lengthened.
    Extended,
    /// Money moved.
    Payment,
    /// An admin began to watch.
    ObserverJoined,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Message,
        Self::Joined,
        Self::Left,
        Self::Started,
        Self::Ended,
        Self::SessionUpgraded,
        Self::UpgradeSuggested,
        Self::File,
        Self::Summary,
        Self::Reaction,
        Self::TimeWarning,
        Self::Extended,
        Self::Payment,
        Self::ObserverJoined,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Started => "started",
            Self::Ended => "ended",
            Self::SessionUpgraded => "session_upgraded",
            Self::UpgradeSuggested => "upgrade_suggested",
            Self::File => "file",
            Self::Summary => "summary",
            Self::Reaction => "reaction",
            Self::TimeWarning => "time_warning",
            Self::Extended => "extended",
            Self::Payment => "payment",
            Self::ObserverJoined => "observer_joined",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// In which role somebody made an event happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorRole {
    /// The session's customer.
    Customer,
    /// Its mechanic at that time.
    Mechanic,
    /// An admin who watches it.
    Observer,
    /// An admin who acted on it from outside.
    Admin,
    /// A timer, a payment, the system.
    System,
}

impl ActorRole {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Customer, Self::Mechanic, Self::Observer, Self::Admin, Self::System];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Mechanic => "mechanic",
            Self::Observer => "observer",
            Self::Admin => "admin",
            Self::System => "system",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl From<ParticipantRole> for ActorRole {
    fn from(role: ParticipantRole) -> Self {
        match role {
            ParticipantRole::Customer => Self::Customer,
            ParticipantRole::Mechanic => Self::Mechanic,
            ParticipantRole::Observer => Self::Observer,
        }
    }
}

/// Who made an event happen. Names are not in the log; views join them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventActor {
    /// The person; `None` for the system.
    pub id: Option<UserId>,
    /// In which role.
    pub role: ActorRole,
}

impl EventActor {
    /// The system itself.
    pub const SYSTEM: Self = Self { id: None, role: ActorRole::System };

    /// A person in a role.
    pub const fn person(id: UserId, role: ActorRole) -> Self {
        Self { id: Some(id), role }
    }
}

/// A body with the salt of its commitment. The two are erased together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The exact JSON text that was committed to.
    pub body: String,
    /// The random bytes of the commitment.
    pub salt: Salt,
}

/// A line of a session's log. Never changed; only its content may be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event.
    pub id: EventId,
    /// The session in whose log it stands.
    pub session: SessionId,
    /// Its place: 1, 2, 3, … without a gap.
    pub seq: u64,
    /// What happened.
    pub kind: Kind,
    /// Who made it happen.
    pub actor: EventActor,
    /// What exactly; `None` after erasure.
    pub content: Option<Sealed>,
    /// The sender's own reference, of messages only.
    pub client_ref: Option<String>,
    /// `sha256(salt ‖ body)`.
    pub commitment: Hash,
    /// The chain up to and including this line.
    pub hash: Hash,
    /// When it happened.
    pub created_at: Timestamp,
}

impl Event {
    /// The line that follows `head`. `body` is JSON text and is kept to the byte.
    pub fn next(
        session: SessionId,
        head: &Head,
        kind: Kind,
        actor: EventActor,
        body: String,
        client_ref: Option<String>,
        cx: &Context,
    ) -> Self {
        let seq = head.last_seq + 1;
        let salt: Salt = cx.random();
        let commitment = commitment(&salt, &body);
        let hash = link(&head.hash, session, seq, kind, actor, cx.now, &commitment);
        Self {
            id: EventId::new(cx.id()),
            session,
            seq,
            kind,
            actor,
            content: Some(Sealed { body, salt }),
            client_ref,
            commitment,
            hash,
            created_at: cx.now,
        }
    }

    /// The end of the log when this is its last line.
    pub const fn head(&self) -> Head {
        Head { last_seq: self.seq, hash: self.hash }
    }

    /// The exact JSON text of the body; `null` after erasure.
    pub fn body(&self) -> &str {
        self.content.as_ref().map_or("null", |sealed| sealed.body.as_str())
    }
}
