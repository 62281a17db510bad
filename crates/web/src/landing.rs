//! `/`: what Pitlane is and what it costs.

use askama::Template;

use crate::frame::Frame;
use crate::money::Amount;
use crate::plan::PlanCard;

/// The landing page.
#[derive(Debug, Template)]
#[template(path = "landing.html")]
pub struct LandingPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Every plan of the active price book, cheapest first.
    pub plans: Vec<PlanCard>,
    /// Approved mechanics on duty right now.
    pub mechanics_on_duty: i64,
    /// What the switch from the chat plan to video costs; `None` if the book has no such switch.
    pub upgrade: Option<Amount>,
    /// After how long a request that nobody took is refunded.
    pub refund_after_minutes: i64,
}

impl LandingPage {
    /// The cheapest plan that costs something.
    pub(crate) fn cheapest(&self) -> Option<&Amount> {
        self.plans
            .iter()
            .map(|plan| &plan.price)
            .filter(|price| !price.is_zero())
            .min_by_key(|price| price.cents)
    }

    /// Whether a plan costs nothing.
    pub(crate) fn has_free(&self) -> bool {
        self.plans.iter().any(|plan| plan.price.is_zero())
    }
}
