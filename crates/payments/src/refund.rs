//! Money going back.

use std::fmt;

use kernel::id::{OrderId, PaymentId, RefundId};
use kernel::{Context, Money, Timestamp};

use crate::error::Error;

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundReason {
    /// What was bought can't be made.
    Unfulfillable,
    /// A second charge for one quote.
    Duplicate,
    /// Another amount or currency arrived than was agreed.
    WrongAmount,
    /// The session was cancelled.
    Cancelled,
    /// Nobody accepted the request in time.
    Unaccepted,
    /// An admin decided so.
    Admin,
    /// Made at the provider, outside this system.
    External,
    /// One of the two did not come.
    NoShow,
    /// The video that was paid for never came about.
    NoVideo,
}

impl RefundReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Unfulfillable,
        Self::Duplicate,
        Self::WrongAmount,
        Self::Cancelled,
        Self::Unaccepted,
        Self::Admin,
        Self::External,
        Self::NoShow,
        Self::NoVideo,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unfulfillable => "unfulfillable",
            Self::Duplicate => "duplicate",
            Self::WrongAmount => "wrong_amount",
            Self::Cancelled => "cancelled",
            Self::Unaccepted => "unaccepted",
            Self::Admin => "admin",
            Self::External => "external",
            Self::NoShow => "no_show",
            Self::NoVideo => "no_video",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundStatus {
    /// The intent is written; the provider was not asked yet, or has it in hand.
    Pending,
    /// The provider was asked and the answer was lost.
    Unknown,
    /// The money went back.
    Succeeded,
    /// It will not go back this way.
    Failed,
}

impl RefundStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Unknown, Self::Succeeded, Self::Failed];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Money going back from one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The payment it comes from.
    pub payment: PaymentId,
    /// The order that payment arrived for.
    pub order: OrderId,
    /// How much; more than nothing.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// The key under which the provider is asked, so that asking again sends nothing twice.
    pub idempotency_key: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    status: RefundStatus,
    provider_id: Option<String>,
    closed_at: Option<Timestamp>,
}

/// What has happened to a refund so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundState {
    /// Where it stands.
    pub status: RefundStatus,
    /// The provider's id of it, once it is known.
    pub provider_id: Option<String>,
    /// When it succeeded or failed.
    pub closed_at: Option<Timestamp>,
}

impl Refund {
    /// A refund that nobody was asked for yet.
    pub fn new(
        payment: PaymentId,
        order: OrderId,
        amount: Money,
        reason: RefundReason,
        cx: &Context,
    ) -> Self {
        let id = RefundId::new(cx.id());
        Self {
            id,
            payment,
            order,
            amount,
            reason,
            idempotency_key: format!("refund:{id}"),
            created_at: cx.now,
            status: RefundStatus::Pending,
            provider_id: None,
            closed_at: None,
        }
    }

    /// The intent of a stored refund; [`restored`](Self::restored) adds what has happened to it.
    pub const fn restore(
        id: RefundId,
        payment: PaymentId,
        order: OrderId,
        amount: Money,
        reason: RefundReason,
        idempotency_key: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            payment,
            order,
            amount,
            reason,
            idempotency_key,
            created_at,
            status: RefundStatus::Pending,
            provider_id: None,
            closed_at: None,
        }
    }

    /// Adds what has happened to it so far.
    #[must_use]
    pub fn restored(mut self, state: RefundState) -> Self {
        self.status = state.status;
        self.provider_id = state.provider_id;
        self.closed_at = state.closed_at;
        self
    }

    /// Where it stands.
    pub const fn status(&self) -> RefundStatus {
        self.status
    }

    /// The provider's id of it.
    pub fn provider_id(&self) -> Option<&str> {
        self.provider_id.as_deref()
    }

    /// When it succeeded or failed.
    pub const fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// The provider was asked and the answer was lost.
    ///
    /// # Errors
    /// [`Error::RefundTransition`] when its end is known already.
    pub fn unknown(self) -> Result<Self, Error> {
        self.step(RefundStatus::Unknown, &[RefundStatus::Pending, RefundStatus::Unknown])
    }

    /// The provider has it in hand.
    ///
    /// # Errors
    /// [`Error::RefundTransition`] when its end is known already.
    pub fn in_hand(self, provider_id: &str) -> Result<Self, Error> {
        let mut next = self.step(RefundStatus::Pending, &[RefundStatus::Pending, RefundStatus::Unknown])?;
        next.provider_id = Some(provider_id.to_owned());
        Ok(next)
    }

    /// The money went back.
    ///
    /// # Errors
    /// [`Error::RefundTransition`] when its end is known already.
    pub fn succeeded(self, provider_id: &str, at: Timestamp) -> Result<Self, Error> {
        let mut next = self.step(RefundStatus::Succeeded, &[RefundStatus::Pending, RefundStatus::Unknown])?;
        next.provider_id = Some(provider_id.to_owned());
        next.closed_at = Some(at);
        Ok(next)
    }

    /// It will not go back this way. A bank may refuse even what the provider had called done.
    ///
    /// # Errors
    /// [`Error::RefundTransition`] when it had failed before.
    pub fn failed(self, at: Timestamp) -> Result<Self, Error> {
        let from = [RefundStatus::Pending, RefundStatus::Unknown, RefundStatus::Succeeded];
        let mut next = self.step(RefundStatus::Failed, &from)?;
        next.closed_at = Some(at);
        Ok(next)
    }

    fn step(mut self, to: RefundStatus, from: &[RefundStatus]) -> Result<Self, Error> {
        if !from.contains(&self.status) {
            return Err(Error::RefundTransition { from: self.status, to });
        }
        self.status = to;
        Ok(self)
    }
}
