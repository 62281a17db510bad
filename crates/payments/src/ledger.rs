//! The double-entry ledger, kept from the first cent.
//!
//! A [`Transaction`] is made by one of the constructors below and in no other way; each sums to zero. The ledger is
//! only ever appended to.
//!
//! | what happens | debit | credit |
//! |---|---|---|
//! | a charge is kept | stripe clearing | deferred revenue, tax payable |
//! | a charge buys nothing | stripe clearing | refunds payable |
//! | a refund of a kept charge is asked for | deferred revenue, tax payable | refunds payable |
//! | a refund went out | refunds payable | stripe clearing |
//! | a refund bounced after it went out | stripe clearing | refunds payable |
//! | a refund of a kept charge will not happen | refunds payable | deferred revenue, tax payable |
//! | a session took place | deferred revenue | platform revenue, provider payable |
//! | a refund of what was earned is asked for, just before it | platform revenue, provider payable | deferred revenue |
//! | a bank takes a disputed charge | disputes held | stripe clearing |
//! | a dispute was won | stripe clearing | disputes held |
//! | a dispute was lost | dispute losses | disputes held |

use kernel::id::{DisputeId, LedgerTransactionId, OrderId, PaymentId, RefundId};
use kernel::{BasisPoints, Context, Money, MoneyError, Timestamp};

use crate::dispute::Dispute;
use crate::error::Error;
use crate::order::OrderTerms;
use crate::payment::Payment;
use crate::refund::Refund;

/// A ledger account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// What the payment provider holds for us.
    StripeClearing,
    /// Paid for and not yet delivered.
    DeferredRevenue,
    /// Owed to customers: refunds that did not go out yet.
    RefundsPayable,
    /// Owed to the tax authority.
    TaxPayable,
    /// What the platform has earned.
    PlatformRevenue,
    /// Owed to those who helped.
    ProviderPayable,
    /// Held by banks while a dispute lasts.
    DisputesHeld,
    /// Lost in disputes.
    DisputeLosses,
}

impl Account {
    /// Every account.
    pub const ALL: [Self; 8] = [
        Self::StripeClearing,
        Self::DeferredRevenue,
        Self::RefundsPayable,
        Self::TaxPayable,
        Self::PlatformRevenue,
        Self::ProviderPayable,
        Self::DisputesHeld,
        Self::DisputeLosses,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StripeClearing => "stripe_clearing",
            Self::DeferredRevenue => "deferred_revenue",
            Self::RefundsPayable => "refunds_payable",
            Self::TaxPayable => "tax_payable",
            Self::PlatformRevenue => "platform_revenue",
            Self::ProviderPayable => "provider_payable",
            Self::DisputesHeld => "disputes_held",
            Self::DisputeLosses => "dispute_losses",
        }
    }

    /// The account of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.as_str() == name)
    }
}

/// What a ledger transaction records. With its subject it names the transaction: none is written twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionKind {
    /// Money arrived and was kept.
    Charge,
    /// Money arrived and buys nothing.
    Surplus,
    /// A refund was asked for.
    RefundRequested,
    /// A refund went out.
    RefundPaid,
    /// A refund that went out came back.
    RefundBounced,
    /// A refund will not happen.
    RefundReleased,
    /// What was paid for took place, or a refund of it will not happen after all.
    Earned,
    /// Part of what was earned goes back.
    Unearned,
    /// A bank has taken a disputed charge.
    DisputeOpened,
    /// It gave it back.
    DisputeWon,
    /// It keeps it.
    DisputeLost,
}

impl TransactionKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Charge,
        Self::Surplus,
        Self::RefundRequested,
        Self::RefundPaid,
        Self::RefundBounced,
        Self::RefundReleased,
        Self::Earned,
        Self::Unearned,
        Self::DisputeOpened,
        Self::DisputeWon,
        Self::DisputeLost,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Surplus => "surplus",
            Self::RefundRequested => "refund_requested",
            Self::RefundPaid => "refund_paid",
            Self::RefundBounced => "refund_bounced",
            Self::RefundReleased => "refund_released",
            Self::Earned => "earned",
            Self::Unearned => "unearned",
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One line: debits are positive, credits negative, nothing is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: Account,
    /// The signed amount.
    pub amount: Money,
}

/// A balanced set of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    id: LedgerTransactionId,
    kind: TransactionKind,
    order: OrderId,
    payment: PaymentId,
    refund: Option<RefundId>,
    dispute: Option<DisputeId>,
    entries: Vec<Entry>,
    at: Timestamp,
}

impl Transaction {
    /// A charge that its order keeps.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn charge(payment: &Payment, tax_rate: BasisPoints, cx: &Context) -> Result<Self, Error> {
        let tax = tax_contained(payment.amount, tax_rate)?;
        let entries = [
            (Account::StripeClearing, payment.amount),
            (Account::DeferredRevenue, negative(payment.amount.minus(tax)?)?),
            (Account::TaxPayable, negative(tax)?),
        ];
        Self::of_payment(TransactionKind::Charge, payment, &entries, cx)
    }

    /// A charge that buys nothing and is owed to its customer at once.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn surplus(payment: &Payment, cx: &Context) -> Result<Self, Error> {
        let entries =
            [(Account::StripeClearing, payment.amount), (Account::RefundsPayable, negative(payment.amount)?)];
        Self::of_payment(TransactionKind::Surplus, payment, &entries, cx)
    }

    /// A refund of a kept charge. `before` is what had been asked back of the payment until now: taxes are shared out
    /// over the running total, so that several partial refunds return exactly the tax of the whole.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn refund_requested(
        refund: &Refund,
        before: Money,
        terms: &OrderTerms,
        cx: &Context,
    ) -> Result<Self, Error> {
        let (net, tax) = shares(refund.amount, before, terms.tax_rate)?;
        let entries = [
            (Account::DeferredRevenue, net),
            (Account::TaxPayable, tax),
            (Account::RefundsPayable, negative(refund.amount)?),
        ];
        Self::of_refund(TransactionKind::RefundRequested, refund, &entries, cx)
    }

    /// A refund that went out.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn refund_paid(refund: &Refund, cx: &Context) -> Result<Self, Error> {
        let entries =
            [(Account::RefundsPayable, refund.amount), (Account::StripeClearing, negative(refund.amount)?)];
        Self::of_refund(TransactionKind::RefundPaid, refund, &entries, cx)
    }

    /// A refund that went out and came back.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn refund_bounced(refund: &Refund, cx: &Context) -> Result<Self, Error> {
        let entries =
            [(Account::StripeClearing, refund.amount), (Account::RefundsPayable, negative(refund.amount)?)];
        Self::of_refund(TransactionKind::RefundBounced, refund, &entries, cx)
    }

    /// A refund of a kept charge that will not happen. `after` is what stays asked back of the payment without it.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn refund_released(
        refund: &Refund,
        after: Money,
        terms: &OrderTerms,
        cx: &Context,
    ) -> Result<Self, Error> {
        let (net, tax) = shares(refund.amount, after, terms.tax_rate)?;
        let entries = [
            (Account::RefundsPayable, refund.amount),
            (Account::DeferredRevenue, negative(net)?),
            (Account::TaxPayable, negative(tax)?),
        ];
        Self::of_refund(TransactionKind::RefundReleased, refund, &entries, cx)
    }

    /// What a payment was for took place: its net is shared out between the platform and the provider.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn earned(payment: &Payment, shares: Shares, cx: &Context) -> Result<Self, Error> {
        Self::of_payment(TransactionKind::Earned, payment, &shares.lines(false)?, cx)
    }

    /// A refund of what was earned will not happen: its part is earned again.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn earned_again(refund: &Refund, shares: Shares, cx: &Context) -> Result<Self, Error> {
        Self::of_refund(TransactionKind::Earned, refund, &shares.lines(false)?, cx)
    }

    /// A refund takes this part of what was earned.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn unearned(refund: &Refund, shares: Shares, cx: &Context) -> Result<Self, Error> {
        Self::of_refund(TransactionKind::Unearned, refund, &shares.lines(true)?, cx)
    }

    /// A bank has taken the disputed amount, and gives it back or keeps it.
    ///
    /// # Errors
    /// [`Error::Money`] on an overflow.
    pub fn disputed(
        kind: DisputeMove,
        payment: &Payment,
        dispute: &Dispute,
        cx: &Context,
    ) -> Result<Self, Error> {
        let (kind, debit, credit) = match kind {
            DisputeMove::Taken => {
                (TransactionKind::DisputeOpened, Account::DisputesHeld, Account::StripeClearing)
            }
            DisputeMove::Returned => {
                (TransactionKind::DisputeWon, Account::StripeClearing, Account::DisputesHeld)
            }
            DisputeMove::Lost => {
                (TransactionKind::DisputeLost, Account::DisputeLosses, Account::DisputesHeld)
            }
        };
        let entries = [(debit, dispute.amount), (credit, negative(dispute.amount)?)];
        let mut made = Self::of_payment(kind, payment, &entries, cx)?;
        made.dispute = Some(dispute.id);
        Ok(made)
    }

    fn of_payment(
        kind: TransactionKind,
        payment: &Payment,
        entries: &[(Account, Money)],
        cx: &Context,
    ) -> Result<Self, Error> {
        Ok(Self {
            id: LedgerTransactionId::new(cx.id()),
            kind,
            order: payment.order,
            payment: payment.id,
            refund: None,
            dispute: None,
            entries: balanced(entries)?,
            at: cx.now,
        })
    }

    fn of_refund(
        kind: TransactionKind,
        refund: &Refund,
        entries: &[(Account, Money)],
        cx: &Context,
    ) -> Result<Self, Error> {
        Ok(Self {
            id: LedgerTransactionId::new(cx.id()),
            kind,
            order: refund.order,
            payment: refund.payment,
            refund: Some(refund.id),
            dispute: None,
            entries: balanced(entries)?,
            at: cx.now,
        })
    }

    /// Its id.
    pub const fn id(&self) -> LedgerTransactionId {
        self.id
    }

    /// What it records.
    pub const fn kind(&self) -> TransactionKind {
        self.kind
    }

    /// The order whose money moved.
    pub const fn order(&self) -> OrderId {
        self.order
    }

    /// The payment whose money moved.
    pub const fn payment(&self) -> PaymentId {
        self.payment
    }

    /// The refund that moved it.
    pub const fn refund(&self) -> Option<RefundId> {
        self.refund
    }

    /// The lines; they sum to zero.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// When it was recorded.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Name that is unique per event that is recorded: the kind and what it happened to.
    pub fn reference(&self) -> String {
        let kind = self.kind.as_str();
        match (self.refund, self.dispute) {
            (Some(refund), _) => format!("{kind}:{refund}"),
            (None, Some(dispute)) => format!("{kind}:{dispute}"),
            (None, None) => format!("{kind}:{}", self.payment),
        }
    }
}

/// What a dispute does to the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeMove {
    /// The bank takes it.
    Taken,
    /// The bank gives it back.
    Returned,
    /// The bank keeps it.
    Lost,
}

/// How the net of a payment, or of a part of it, is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// The platform's.
    pub fee: Money,
    /// The provider's.
    pub payable: Money,
}

impl Shares {
    /// Both together.
    ///
    /// # Errors
    /// An overflow.
    pub fn net(self) -> Result<Money, MoneyError> {
        self.fee.plus(self.payable)
    }

    /// What is more here than there.
    ///
    /// # Errors
    /// An overflow.
    pub fn less(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self { fee: self.fee.minus(other.fee)?, payable: self.payable.minus(other.payable)? })
    }

    fn lines(self, taken_back: bool) -> Result<[(Account, Money); 3], MoneyError> {
        let lines = [
            (Account::DeferredRevenue, self.net()?),
            (Account::PlatformRevenue, negative(self.fee)?),
            (Account::ProviderPayable, negative(self.payable)?),
        ];
        if !taken_back {
            return Ok(lines);
        }
        let [deferred, revenue, payable] = lines.map(|(account, amount)| (account, negative(amount)));
        Ok([(deferred.0, deferred.1?), (revenue.0, revenue.1?), (payable.0, payable.1?)])
    }
}

/// The tax contained in a price at this rate, a half of a minor unit rounded away from zero.
///
/// # Errors
/// An overflow.
pub fn tax_contained(price: Money, rate: BasisPoints) -> Result<Money, MoneyError> {
    let whole = 10_000 + i128::from(rate.points());
    let exact = i128::from(price.minor()) * i128::from(rate.points());
    let half = if exact < 0 { -(whole / 2) } else { whole / 2 };
    let minor = i64::try_from((exact + half) / whole).map_err(|_| MoneyError::Overflow)?;
    Ok(Money::new(minor, price.currency()))
}

/// Net and tax of the part of a payment that lies between `from` and `from + amount`.
pub(crate) fn shares(amount: Money, from: Money, rate: BasisPoints) -> Result<(Money, Money), MoneyError> {
    let tax = tax_contained(from.plus(amount)?, rate)?.minus(tax_contained(from, rate)?)?;
    Ok((amount.minus(tax)?, tax))
}

fn negative(amount: Money) -> Result<Money, MoneyError> {
    Money::zero(amount.currency()).minus(amount)
}

fn balanced(lines: &[(Account, Money)]) -> Result<Vec<Entry>, Error> {
    let entries: Vec<Entry> = lines
        .iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|&(account, amount)| Entry { account, amount })
        .collect();
    let Some(first) = entries.first() else { return Err(Error::Unbalanced) };
    let zero = Money::zero(first.amount.currency());
    let sum = entries.iter().try_fold(zero, |sum, entry| sum.plus(entry.amount))?;
    if sum.is_zero() { Ok(entries) } else { Err(Error::Unbalanced) }
}

#[cfg(test)]
mod tests;
