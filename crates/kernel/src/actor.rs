//! Who does something.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys help.
    Customer,
    /// Gives help, once approved.
    Mechanic,
    /// Runs a workshop with several mechanics.
    Workshop,
    /// Helps customers and mechanics.
    Support,
    /// Runs the business.
    Admin,
}

impl Role {
    /// Every role, in the order of rising rights.
    pub const ALL: [Self; 5] = [Self::Customer, Self::Mechanic, Self::Workshop, Self::Support, Self::Admin];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Mechanic => "mechanic",
            Self::Workshop => "workshop",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// Whether somebody in it works for Pitlane and may look into what is others'.
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Support | Self::Admin)
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who causes a change: a person in a role, or the system itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A signed-in person.
    Person {
        /// The person.
        id: UserId,
        /// Their role when they acted.
        role: Role,
    },
    /// A job, a webhook or a timer.
    System,
}

impl Actor {
    /// The person, when it is one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::Person { id, .. } => Some(id),
            Self::System => None,
        }
    }

    /// Whether this is an admin.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Person { role: Role::Admin, .. })
    }
}
