//! What a customer can buy.

use std::collections::BTreeMap;

use kernel::{BasisPoints, Modality, Money, MoneyError, PlanCode, SessionType};

/// One thing on the price list. Made by [`CatalogForm::validate`](crate::CatalogForm::validate) only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(crate) code: PlanCode,
    pub(crate) name: String,
    pub(crate) session_type: SessionType,
    pub(crate) duration_minutes: u32,
    pub(crate) price: Money,
    pub(crate) first_time_only: bool,
    pub(crate) description: String,
    pub(crate) stripe_price_ids: BTreeMap<String, String>,
}

impl Plan {
    /// Its canonical code.
    pub const fn code(&self) -> PlanCode {
        self.code
    }

    /// Its name for customers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of session it buys: chat, video or diagnostic.
    pub const fn session_type(&self) -> SessionType {
        self.session_type
    }

    /// How the two sides of that session talk.
    pub const fn modality(&self) -> Modality {
        self.session_type.modality()
    }

    /// How long the session lasts, 1 to 480 minutes.
    pub const fn duration_minutes(&self) -> u32 {
        self.duration_minutes
    }

    /// What it costs without a multiplier, tax contained. Zero, or at least 50 minor units.
    pub const fn price(&self) -> Money {
        self.price
    }

    /// Whether a customer gets it once in their life. True for everything that costs nothing.
    pub const fn first_time_only(&self) -> bool {
        self.first_time_only
    }

    /// One sentence for customers.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Stripe's id of this price in an environment (`production`, `development`, …). Where there is none, and for
    /// every multiplier but one, the price is sent inline.
    pub fn stripe_price_id(&self, environment: &str) -> Option<&str> {
        self.stripe_price_ids.get(environment).map(String::as_str)
    }

    /// What it costs in a slot with this multiplier, half a minor unit rounded up.
    ///
    /// # Errors
    /// The product leaves the range of an amount.
    pub fn quote(&self, multiplier: BasisPoints) -> Result<Money, MoneyError> {
        self.price.times_half_up(multiplier)
    }
}
