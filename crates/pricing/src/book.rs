//! One version of all prices.

use kernel::{BasisPoints, Currency, PlanCode, SessionType};

use crate::cancellation::Cancellation;
use crate::plan::Plan;

/// All prices of one version, in one currency. An order locks the version it was placed under.
///
/// Every book sells exactly one chat plan and one video plan that anybody may buy, and video costs at least as much
/// as chat, so the upgrade difference always exists and is never negative. Made by
/// [`CatalogForm::validate`](crate::CatalogForm::validate) only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceBook {
    pub(crate) version: String,
    pub(crate) currency: Currency,
    pub(crate) tax_rate: BasisPoints,
    pub(crate) platform_fee: BasisPoints,
    pub(crate) plans: Vec<Plan>,
    pub(crate) cancellation: Cancellation,
}

impl PriceBook {
    /// Its version, for example `2025-10`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The currency of all its prices.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The tax contained in its prices, at most 100 %.
    pub const fn tax_rate(&self) -> BasisPoints {
        self.tax_rate
    }

    /// The share of a price without its tax that the platform keeps, at most 100 %; the rest is the provider's.
    pub const fn platform_fee(&self) -> BasisPoints {
        self.platform_fee
    }

    /// Everything it sells, in the order of the file.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// The plan of that code, if this book sells it.
    pub fn plan(&self, code: PlanCode) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.code == code)
    }

    /// How much of a price goes back when a session does not happen.
    pub const fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// The plan that is the direct way to a session of this type and that anybody may buy.
    pub(crate) fn direct(&self, session_type: SessionType) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.session_type == session_type && !plan.first_time_only)
    }
}
