//! Money that arrived.

use kernel::id::{OrderId, PaymentId};
use kernel::{Money, StoreError, Timestamp};

use crate::error::Error;

/// Money that arrived for an order, in one charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// The order it arrived for.
    pub order: OrderId,
    /// The provider's id of the charge; unique.
    pub payment_intent: String,
    /// How much arrived; more than nothing.
    pub amount: Money,
    /// Whether it buys nothing and goes back: a second charge, or another amount than agreed.
    pub surplus: bool,
    /// When it was recorded.
    pub created_at: Timestamp,
    asked_back: Money,
}

/// How much of a purchase is paid for, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// No money is here.
    Unpaid,
    /// Paid in full.
    Paid,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// The customer's bank is asked to take it back, or has.
    Disputed,
}

impl PaymentStatus {
    /// The published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
        }
    }
}

impl Payment {
    /// Money that has just arrived.
    pub fn new(
        id: PaymentId,
        order: OrderId,
        payment_intent: String,
        amount: Money,
        surplus: bool,
        at: Timestamp,
    ) -> Self {
        let asked_back = Money::zero(amount.currency());
        Self { id, order, payment_intent, amount, surplus, created_at: at, asked_back }
    }

    /// Puts a stored payment together again, with the part of it that was asked back.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when more was asked back than arrived.
    pub fn restored(mut self, asked_back: Money) -> Result<Self, StoreError> {
        let same_currency = asked_back.currency() == self.amount.currency();
        if !same_currency || asked_back.minor() < 0 || asked_back.minor() > self.amount.minor() {
            return Err(StoreError::corrupt("payment", "more was asked back than arrived"));
        }
        self.asked_back = asked_back;
        Ok(self)
    }

    /// How much was asked back so far: refunds that are done or on their way. Never more than the amount.
    pub const fn asked_back(&self) -> Money {
        self.asked_back
    }

    /// How much can still go back.
    ///
    /// # Errors
    /// None in practice; the subtraction is checked.
    pub fn remaining(&self) -> Result<Money, Error> {
        Ok(self.amount.minus(self.asked_back)?)
    }

    /// Sets this much aside to go back.
    ///
    /// # Errors
    /// [`Error::RefundExceedsPayment`] when it is nothing, negative, or more than is left.
    pub fn set_aside(mut self, amount: Money) -> Result<Self, Error> {
        let remaining = self.remaining()?;
        if !amount.is_positive() || remaining.minus(amount)?.minor() < 0 {
            return Err(Error::RefundExceedsPayment { remaining });
        }
        self.asked_back = self.asked_back.plus(amount)?;
        Ok(self)
    }

    /// Takes back what was set aside: the refund failed.
    ///
    /// # Errors
    /// [`Error::RefundExceedsPayment`] when that much was never set aside.
    pub fn take_back(mut self, amount: Money) -> Result<Self, Error> {
        let left = self.asked_back.minus(amount)?;
        if left.minor() < 0 || !amount.is_positive() {
            return Err(Error::RefundExceedsPayment { remaining: self.remaining()? });
        }
        self.asked_back = left;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use uuid::Uuid;

    use super::*;

    const fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::Usd)
    }

    fn payment() -> Payment {
        let (id, order) = (PaymentId::new(Uuid::from_u128(1)), OrderId::new(Uuid::from_u128(2)));
        Payment::new(id, order, "pi_1".into(), usd(999), false, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn no_more_goes_back_than_arrived() {
        let part = payment().set_aside(usd(400)).expect("less than the whole");
        assert_eq!(part.remaining(), Ok(usd(599)));
        assert_eq!(
            part.clone().set_aside(usd(600)),
            Err(Error::RefundExceedsPayment { remaining: usd(599) })
        );
        let all = part.set_aside(usd(599)).expect("exactly the rest");
        assert_eq!(all.set_aside(usd(1)), Err(Error::RefundExceedsPayment { remaining: usd(0) }));
    }

    #[test]
    fn nothing_and_less_than_nothing_are_no_refunds() {
        for minor in [0, -1] {
            assert!(payment().set_aside(usd(minor)).is_err(), "{minor}");
            assert!(payment().take_back(usd(minor)).is_err(), "{minor}");
        }
    }

    #[test]
    fn a_failed_refund_can_be_asked_for_again() {
        let again = payment()
            .set_aside(usd(999))
            .and_then(|payment| payment.take_back(usd(999)))
            .and_then(|payment| payment.set_aside(usd(999)));
        assert_eq!(again.map(|payment| payment.asked_back()), Ok(usd(999)));
    }

    #[test]
    fn a_stored_payment_that_gave_back_too_much_is_refused() {
        assert!(payment().restored(usd(1_000)).is_err());
        assert!(payment().restored(usd(-1)).is_err());
        assert!(payment().restored(Money::zero(Currency::Eur)).is_err());
        assert!(payment().restored(usd(999)).is_ok());
    }
}
