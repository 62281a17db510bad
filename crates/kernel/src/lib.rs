//! Values that every domain shares and that carry no policy.
//!
//! | module | holds |
//! |---|---|
//! | [`id`] | one UUIDv7 newtype per entity |
//! | [`money`] | [`Money`]: integer minor units with a currency, checked arithmetic |
//! | [`rate`] | [`BasisPoints`]: percentages and multipliers without floating point |
//! | [`timestamp`] | [`Timestamp`]: a UTC instant with microseconds |
//! | [`address`] | addresses of servers as they may be shown |
//! | [`actor`] | [`Role`], [`Actor`]: who does something |
//! | [`context`] | [`Context`]: the time and the source of ids and random bytes, handed in from outside |
//! | [`plan`] | [`PlanCode`], [`SessionType`], [`Modality`]: the names of what is sold |
//! | [`error`] | [`StoreError`]: what a store can answer instead of a result |
//!
//! It must never decide anything: no price, limit, state change or right lives here.

pub mod actor;
pub mod address;
pub mod context;
pub mod error;
pub mod id;
pub mod money;
pub mod plan;
pub mod rate;
pub mod timestamp;

pub use actor::{Actor, Role};
pub use context::{Context, Entropy, Request};
pub use error::StoreError;
pub use id::{
    ApiTokenId, ApplicationId, ApplicationStepId, AuditId, DeliveryId, EnrolmentId, EventId, FileId, HoldId,
    IntakeId, InteractionId, InvitationId, JobId, LedgerTransactionId, OneTimeTokenId, OrderId, PaymentId,
    PhoneCodeId, ProviderId, RefundId, RequestId, SessionId, SignInId, UpsellId, UserId, VehicleId,
    WaiverAcceptanceId,
};
pub use money::{Currency, Money, MoneyError};
pub use plan::{Modality, PlanCode, SessionType};
pub use rate::BasisPoints;
pub use timestamp::Timestamp;
