//! Money.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rate::BasisPoints;

/// A currency, by its ISO 4217 code in lower case, as Stripe writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Currency {
    /// United States dollar, two decimals.
    Usd,
    /// Euro, two decimals.
    Eur,
    /// Pound sterling, two decimals.
    Gbp,
}

impl Currency {
    /// Every currency that a price book may use.
    pub const ALL: [Self; 3] = [Self::Usd, Self::Eur, Self::Gbp];

    /// The code in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Eur => "eur",
            Self::Gbp => "gbp",
        }
    }

    /// The currency of that lower-case code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.as_str() == code)
    }

    /// The sign written before an amount.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Usd => "$",
            Self::Eur => "€",
            Self::Gbp => "£",
        }
    }
}

/// Why a calculation with money has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies can't be added or compared.
    #[error("{} can't be combined with {}", .0.as_str(), .1.as_str())]
    MixedCurrencies(Currency, Currency),
    /// The amount leaves the range of a signed 64-bit integer.
    #[error("the amount is too large")]
    Overflow,
}

/// An amount of integer minor units (cents) in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// That many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in that currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum.
    ///
    /// # Errors
    /// Mixed currencies, or an overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The difference; negative when `other` is larger.
    ///
    /// # Errors
    /// Mixed currencies, or an overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// This share of the amount, a half of a minor unit rounded away from zero.
    ///
    /// # Errors
    /// An overflow.
    pub fn times_half_up(self, rate: BasisPoints) -> Result<Self, MoneyError> {
        let exact = i128::from(self.minor) * i128::from(rate.points());
        let half = if exact < 0 { -5_000 } else { 5_000 };
        let minor = i64::try_from((exact + half) / 10_000).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// This share (half up) and the rest; the two add up to the amount exactly.
    ///
    /// # Errors
    /// An overflow.
    pub fn split(self, rate: BasisPoints) -> Result<(Self, Self), MoneyError> {
        let share = self.times_half_up(rate)?;
        Ok((share, self.minus(share)?))
    }

    fn same(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies(self.currency, other.currency))
        }
    }

    /// The amount in major units with two decimals and no sign of the currency: `9.99`, `-0.05`.
    pub fn decimal(self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        write!(f, "{sign}{}{}.{:02}", self.currency.symbol(), magnitude / 100, magnitude % 100)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({} {})", self.minor, self.currency.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::Usd)
    }

    #[test]
    fn halves_round_away_from_zero() {
        let cases =
            [(999, 15_000, 1_499), (1, 5_000, 1), (-1, 5_000, -1), (2_999, 10_000, 2_999), (3, 3_333, 1)];
        for (minor, rate, expected) in cases {
            assert_eq!(
                usd(minor).times_half_up(BasisPoints::new(rate)),
                Ok(usd(expected)),
                "{minor} × {rate}"
            );
        }
    }

    #[test]
    fn currencies_do_not_mix() {
        let euros = Money::new(1, Currency::Eur);
        assert_eq!(usd(1).plus(euros), Err(MoneyError::MixedCurrencies(Currency::Usd, Currency::Eur)));
        assert_eq!(usd(1).minus(euros), Err(MoneyError::MixedCurrencies(Currency::Usd, Currency::Eur)));
    }

    #[test]
    fn it_is_written_with_two_decimals() {
        for (minor, text) in [
            (999, "$9.99"),
            (5, "$0.05"),
            (-120, "-$1.20"),
            (0, "$0.00"),
            (i64::MIN, "-$92233720368547758.08"),
        ] {
            assert_eq!(usd(minor).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_split_conserves_the_total(minor in any::<i64>(), rate in 0u32..=10_000) {
            let (share, rest) = usd(minor).split(BasisPoints::new(rate)).expect("a share of at most the whole");
            assert_eq!(share.plus(rest), Ok(usd(minor)));
        }

        #[test]
        fn arithmetic_never_wraps(a in any::<i64>(), b in any::<i64>()) {
            assert_eq!(usd(a).plus(usd(b)).ok().map(Money::minor), a.checked_add(b));
            assert_eq!(usd(a).minus(usd(b)).ok().map(Money::minor), a.checked_sub(b));
        }
    }
}
