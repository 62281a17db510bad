//! A call for a mechanic.

use std::fmt;

use serde::{Deserialize, Serialize};

use kernel::Timestamp;
use kernel::id::{ProviderId, RequestId, SessionId, UserId};

/// Whom a request reaches first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// Every approved mechanic on duty.
    #[default]
    Broadcast,
    /// The preferred provider first. Stored with the request; the window in which only they see it is not in force
    /// yet, so these reach everybody too.
    PriorityBroadcast,
}

impl Routing {
    /// Every routing.
    pub const ALL: [Self; 2] = [Self::Broadcast, Self::PriorityBroadcast];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::PriorityBroadcast => "priority_broadcast",
        }
    }

    /// The routing of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|routing| routing.as_str() == name)
    }
}

/// Where a request stands. Only `open` leads anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Waits for a mechanic.
    Open,
    /// Has one.
    Accepted,
    /// Called off.
    Withdrawn,
    /// Nobody came.
    Expired,
}

impl RequestStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Open, Self::Accepted, Self::Withdrawn, Self::Expired];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl fmt::Display for RequestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call for a mechanic, one per session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The request.
    pub id: RequestId,
    /// The session that needs a mechanic.
    pub session: SessionId,
    /// Who waits.
    pub customer: UserId,
    /// Whom it reaches first.
    pub routing: Routing,
    /// Whom the customer asked for.
    pub preferred_provider: Option<ProviderId>,
    status: RequestStatus,
    accepted_by: Option<UserId>,
    /// Since when it is open.
    pub created_at: Timestamp,
    /// When the customer gets the money back if nobody has come.
    pub expires_at: Timestamp,
    closed_at: Option<Timestamp>,
}

impl Request {
    /// An open request.
    pub const fn new(
        id: RequestId,
        session: SessionId,
        customer: UserId,
        routing: Routing,
        preferred_provider: Option<ProviderId>,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            session,
            customer,
            routing,
            preferred_provider,
            status: RequestStatus::Open,
            accepted_by: None,
            created_at,
            expires_at,
            closed_at: None,
        }
    }

    /// The same request with its outcome, as it was stored.
    ///
    /// # Errors
    /// The rule that status, winner and time break together.
    pub const fn restore(
        self,
        status: RequestStatus,
        accepted_by: Option<UserId>,
        closed_at: Option<Timestamp>,
    ) -> Result<Self, &'static str> {
        if matches!(status, RequestStatus::Accepted) != accepted_by.is_some() {
            return Err("an accepted request has a mechanic, and no other has one");
        }
        if matches!(status, RequestStatus::Open) == closed_at.is_some() {
            return Err("a request has a closing time exactly when it is not open");
        }
        Ok(Self { status, accepted_by, closed_at, ..self })
    }

    /// Where it stands.
    pub const fn status(&self) -> RequestStatus {
        self.status
    }

    /// Who was first.
    pub const fn accepted_by(&self) -> Option<UserId> {
        self.accepted_by
    }

    /// When it stopped being open.
    pub const fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// Whether the customer asked for a particular provider and pays attention to them first.
    pub const fn is_priority(&self) -> bool {
        matches!(self.routing, Routing::PriorityBroadcast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_that_does_not_fit_together_is_refused() {
        let id = |n| uuid_from(n);
        let now = Timestamp::UNIX_EPOCH;
        let request = Request::new(
            RequestId::new(id(1)),
            SessionId::new(id(2)),
            UserId::new(id(3)),
            Routing::Broadcast,
            None,
            now,
            now.plus_seconds(3_600),
        );
        let mechanic = Some(UserId::new(id(4)));
        for (status, accepted_by, closed_at, valid) in [
            (RequestStatus::Open, None, None, true),
            (RequestStatus::Open, None, Some(now), false),
            (RequestStatus::Open, mechanic, None, false),
            (RequestStatus::Accepted, mechanic, Some(now), true),
            (RequestStatus::Accepted, None, Some(now), false),
            (RequestStatus::Accepted, mechanic, None, false),
            (RequestStatus::Withdrawn, None, Some(now), true),
            (RequestStatus::Expired, mechanic, Some(now), false),
        ] {
            assert_eq!(request.restore(status, accepted_by, closed_at).is_ok(), valid, "{status}");
        }
    }

    fn uuid_from(n: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(n)
    }
}
