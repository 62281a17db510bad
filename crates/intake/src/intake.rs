//! What a customer told before they paid.

use kernel::id::{FileId, HoldId, IntakeId, ProviderId, UpsellId, UserId, VehicleId};
use kernel::{PlanCode, Timestamp};

use crate::concern::Concern;
use crate::vehicle::Vehicle;

/// The most files of one intake.
pub const FILES_MAX: usize = 6;

/// Whom the customer wants to be asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Routing {
    /// Every mechanic on duty.
    #[default]
    Broadcast,
    /// The preferred provider first, then every mechanic.
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

/// What kind of provider the customer chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderType {
    /// A mechanic on their own.
    Independent,
    /// A workshop.
    Workshop,
}

impl ProviderType {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Independent, Self::Workshop];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Workshop => "workshop",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a customer told before they paid. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// The intake.
    pub id: IntakeId,
    /// Who told it.
    pub customer: UserId,
    /// The plan they chose.
    pub plan: PlanCode,
    /// The car among the customer's cars.
    pub vehicle_id: VehicleId,
    /// The car, with its mileage at that time.
    pub vehicle: Vehicle,
    /// The problem.
    pub concern: Concern,
    /// Whom to ask first.
    pub routing: Routing,
    /// The provider they prefer; always there when they are to be asked first.
    pub preferred_provider: Option<ProviderId>,
    /// What kind of provider that is, as the customer's page knew it.
    pub provider_type: Option<ProviderType>,
    /// The slot that is kept for them.
    pub hold: Option<HoldId>,
    /// The recommendation that led here. For statistics only.
    pub upsell: Option<UpsellId>,
    /// Files, at most six, in the customer's order.
    pub files: Vec<FileId>,
    /// When.
    pub created_at: Timestamp,
}
