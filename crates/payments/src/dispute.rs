//! Payments that their customers have taken to their bank.

use kernel::id::{DisputeId, PaymentId};
use kernel::{Context, Money, Timestamp};

use crate::error::Error;
use crate::gateway::ProviderDispute;
use crate::ledger::{DisputeMove, Transaction};
use crate::payment::Payment;
use crate::settle::locked;
use crate::store::Store;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeStatus {
    /// It waits for our answer.
    Open,
    /// The bank decides.
    UnderReview,
    /// The money stays, or is back.
    Won,
    /// The money is gone.
    Lost,
}

impl DisputeStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Open, Self::UnderReview, Self::Won, Self::Lost];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing is decided any more.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// Whether what was earned with the payment is not paid out.
    pub const fn freezes(self) -> bool {
        !matches!(self, Self::Won)
    }
}

/// A payment that its customer has taken to their bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The dispute.
    pub id: DisputeId,
    /// The provider's id of it.
    pub provider_id: String,
    /// The payment.
    pub payment: PaymentId,
    /// How much is disputed.
    pub amount: Money,
    /// Why, in the provider's words, such as `fraudulent`.
    pub reason: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Whether the bank has taken the money for as long as it lasts.
    pub withdrawn: bool,
    /// Until when it can be answered.
    pub due_at: Option<Timestamp>,
    /// When it was first heard of.
    pub opened_at: Timestamp,
    /// When it was decided.
    pub closed_at: Option<Timestamp>,
}

impl Dispute {
    /// Whether the bank has the money, until this is won.
    pub fn is_taken(&self) -> bool {
        self.withdrawn && self.status != DisputeStatus::Won
    }
}

/// How much of a payment can go back: what is left of it, and nothing while the bank has taken it, or for good after that
/// was lost. The provider refuses to send back what the bank holds, and the customer would have it twice.
///
/// # Errors
/// The storage's.
pub fn returnable(store: &mut dyn Store, payment: &Payment) -> Result<Money, Error> {
    let taken = store.disputes_of_payment(payment.id)?.iter().any(Dispute::is_taken);
    if taken { Ok(Money::zero(payment.amount.currency())) } else { payment.remaining() }
}

/// Records what the provider says about a dispute: the money that the bank takes and gives back, and what was earned is
/// frozen while it lasts. The same word again changes nothing, and neither does an older one. `None` for a payment that
/// is not known here. Answers whether something changed.
///
/// # Errors
/// The storage's.
pub fn record_dispute(
    store: &mut dyn Store,
    told: &ProviderDispute,
    cx: &Context,
) -> Result<Option<bool>, Error> {
    let Some(payment) = store.payment_by_intent(&told.payment_intent)? else { return Ok(None) };
    // Orders are locked before payments everywhere.
    let (_order, _) = locked(store, payment.order)?;
    let payment = store.payment_for_update(payment.id)?.ok_or(Error::Missing("payment"))?;
    let known = store.disputes_of_payment(payment.id)?.into_iter().find(|one| one.provider_id == told.id);
    let before = known.clone();
    let mut dispute = known.unwrap_or_else(|| Dispute {
        id: DisputeId::new(cx.id()),
        provider_id: told.id.clone(),
        payment: payment.id,
        amount: told.amount,
        reason: told.reason.clone(),
        status: DisputeStatus::Open,
        withdrawn: false,
        due_at: told.due_at,
        opened_at: cx.now,
        closed_at: None,
    });
    if dispute.status.is_closed() {
        return Ok(Some(false));
    }
    dispute.status = told.status;
    dispute.due_at = told.due_at.or(dispute.due_at);
    dispute.closed_at = told.status.is_closed().then_some(cx.now);
    let was_withdrawn = dispute.withdrawn;
    // What was lost without a word of a withdrawal is gone all the same.
    dispute.withdrawn = was_withdrawn || told.withdrawn || told.status == DisputeStatus::Lost;
    match &before {
        None => store.dispute_insert(&dispute)?,
        Some(before) if *before == dispute => return Ok(Some(false)),
        Some(_) => store.dispute_update(&dispute)?,
    }
    if dispute.withdrawn && !was_withdrawn {
        store.ledger_append(&Transaction::disputed(DisputeMove::Taken, &payment, &dispute, cx)?)?;
    }
    match dispute.status {
        DisputeStatus::Won if dispute.withdrawn => {
            store.ledger_append(&Transaction::disputed(DisputeMove::Returned, &payment, &dispute, cx)?)?;
        }
        DisputeStatus::Lost => {
            store.ledger_append(&Transaction::disputed(DisputeMove::Lost, &payment, &dispute, cx)?)?;
        }
        DisputeStatus::Won | DisputeStatus::Open | DisputeStatus::UnderReview => {}
    }
    let frozen = store.disputes_of_payment(payment.id)?.iter().any(|one| one.status.freezes());
    if let Some(earning) = store.earning_of_payment(payment.id)?.filter(|one| one.frozen != frozen) {
        store.earning_update(&crate::earning::Earning { frozen, ..earning })?;
    }
    Ok(Some(true))
}
