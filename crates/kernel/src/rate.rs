//! Percentages and multipliers without floating point.

use serde::{Deserialize, Serialize};

/// A rate in hundredths of a percent: 10,000 is one, 2,000 is 20 %, 15,000 is a multiplier of 1.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BasisPoints(u32);

impl BasisPoints {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole, or a multiplier of 1.0.
    pub const ONE: Self = Self(10_000);

    /// That many hundredths of a percent.
    pub const fn new(points: u32) -> Self {
        Self(points)
    }

    /// The number of hundredths of a percent.
    pub const fn points(self) -> u32 {
        self.0
    }
}
