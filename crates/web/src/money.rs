//! Amounts of money as people write them, without floating point.

use std::fmt;

/// An amount in minor units. Shown as `$9.99`, `−$9.99` or, for currencies without a sign here, `9.99 EUR`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Minor units; may be negative (a refund).
    pub cents: i64,
    /// ISO 4217, any case. Every currency is taken to have two decimals.
    pub currency: String,
}

impl Amount {
    /// An amount of `cents` in `currency`.
    pub fn new(cents: i64, currency: impl Into<String>) -> Self {
        Self { cents, currency: currency.into() }
    }

    /// Digits with a point and two decimals, for machines: `20.00`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let sign = if self.cents < 0 { "-" } else { "" };
        let magnitude = self.cents.unsigned_abs();
        format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }

    /// Whether nothing is owed.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.cents == 0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.cents < 0 { "\u{2212}" } else { "" };
        let magnitude = self.cents.unsigned_abs();
        let (whole, part) = (magnitude / 100, magnitude % 100);
        let whole = grouped(whole);
        if self.currency.is_empty() || self.currency.eq_ignore_ascii_case("usd") {
            write!(f, "{sign}${whole}.{part:02}")
        } else {
            write!(f, "{sign}{whole}.{part:02} {}", self.currency.to_ascii_uppercase())
        }
    }
}

/// A rate in basis points as a percentage: `825` as `8.25 %`, `2000` as `20 %`.
#[must_use]
pub fn percent(basis_points: i64) -> String {
    let sign = if basis_points < 0 { "\u{2212}" } else { "" };
    let magnitude = basis_points.unsigned_abs();
    let (whole, part) = (magnitude / 100, magnitude % 100);
    if part == 0 {
        format!("{sign}{whole} %")
    } else {
        format!("{sign}{whole}.{} %", format!("{part:02}").trim_end_matches('0'))
    }
}

/// `84210` as `84,210`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Amount, grouped, percent};

    #[test]
    fn an_amount_reads_as_people_write_it() {
        for (cents, text) in [
            (0, "$0.00"),
            (5, "$0.05"),
            (999, "$9.99"),
            (2000, "$20.00"),
            (128_461, "$1,284.61"),
            (-999, "\u{2212}$9.99"),
            (i64::MIN, "\u{2212}$92,233,720,368,547,758.08"),
        ] {
            assert_eq!(Amount::new(cents, "usd").to_string(), text);
        }
        assert_eq!(Amount::new(999, "eur").to_string(), "9.99 EUR");
    }

    #[test]
    fn a_rate_reads_as_a_percentage() {
        assert_eq!(percent(0), "0 %");
        assert_eq!(percent(825), "8.25 %");
        assert_eq!(percent(2050), "20.5 %");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(84_210), "84,210");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }
}
