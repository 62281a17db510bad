//! Typed ids. Each is a UUIDv7, so that ids made later sort later.
//!
//! There is no `From<Uuid>`: a raw UUID becomes an id only by name, where it is read from a row or a request.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids { ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
    $(#[$doc])*
    #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(transparent)]
    pub struct $name(Uuid);

    impl $name {
        /// Gives a raw UUID this meaning.
        pub const fn new(raw: Uuid) -> Self { Self(raw) }
        /// The raw UUID, for storage and display.
        pub const fn uuid(self) -> Uuid { self.0 }
    }

    impl fmt::Display for $name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
    }

    impl fmt::Debug for $name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
    }

    impl FromStr for $name {
        type Err = uuid::Error;
        fn from_str(text: &str) -> Result<Self, uuid::Error> { Uuid::parse_str(text).map(Self) }
    }
)+ } }

ids! {
    /// A person with an account, in any role.
    UserId,
    /// A signed-in device.
    SignInId,
    /// An API token of a person.
    ApiTokenId,
    /// A link that works once: verification, sign-in, password reset.
    OneTimeTokenId,
    /// A code that shows whose a telephone is.
    PhoneCodeId,
    /// An authenticator app of a person.
    EnrolmentId,
    /// Who offers help: an independent mechanic or a workshop. An independent's provider id is its user id.
    ProviderId,
    /// A mechanic's or a workshop's application.
    ApplicationId,
    /// What was said or decided about an application.
    ApplicationStepId,
    /// A workshop's invitation to a mechanic.
    InvitationId,
    /// A line of the audit log.
    AuditId,
    /// A customer's car.
    VehicleId,
    /// What a customer wrote before paying.
    IntakeId,
    /// An acceptance of a waiver version.
    WaiverAcceptanceId,
    /// An uploaded file.
    FileId,
    /// What a customer agreed to buy, with its locked price.
    OrderId,
    /// Money that arrived for an order.
    PaymentId,
    /// Money sent back.
    RefundId,
    /// A payment that its customer has taken to their bank.
    DisputeId,
    /// A balanced set of ledger entries.
    LedgerTransactionId,
    /// A consultation, from its payment on.
    SessionId,
    /// An entry in a session's event log.
    EventId,
    /// A call for a mechanic.
    RequestId,
    /// A unit of background work.
    JobId,
    /// A message to one person on one channel.
    DeliveryId,
    /// Messages that go to their carrier in one call.
    BatchId,
    /// Something that needs a person's eye.
    AlertId,
    /// A step of a customer's journey.
    InteractionId,
    /// A recommendation of a next service.
    UpsellId,
    /// A slot kept free while its customer pays.
    HoldId,
}
