//! `/dashboard`: the customer's launcher and sessions.
//!
//! Listens on `customer:{id}` and reads itself again when something arrives. The launcher is a form that gets
//! `/intake?plan=…`; the resend button posts to `/api/me/verification`.

use askama::Template;

use crate::frame::Frame;
use crate::plan::PlanCard;
use crate::session::{SessionRow, SessionStatus};

/// The customer's first page.
#[derive(Debug, Template)]
#[template(path = "dashboard.html")]
pub struct DashboardPage {
    /// What surrounds the page; the viewer is the customer.
    pub frame: Frame,
    /// The account's mail address.
    pub email: String,
    /// Whether it has been confirmed.
    pub email_verified: bool,
    /// Every plan of the active price book, cheapest first.
    pub plans: Vec<PlanCard>,
    /// The code of the plan that is chosen at first; an unknown one chooses the first that can be had.
    pub selected_plan: String,
    /// Whether the free plan was used; then it is not offered.
    pub free_used: bool,
    /// The customer's sessions, newest first.
    pub sessions: Vec<SessionRow>,
    /// How many there are in all.
    pub session_count: i64,
    /// The address of the next page of sessions.
    pub next_href: Option<String>,
    /// After how long a request that nobody took is refunded.
    pub refund_after_minutes: i64,
}

/// A plan as a radio button.
pub(crate) struct Choice<'a> {
    pub(crate) plan: &'a PlanCard,
    pub(crate) checked: bool,
    pub(crate) needs_verified_email: bool,
}

impl DashboardPage {
    /// The plans on offer. A free plan that was used is left out; before the address is confirmed it is shown but
    /// can't be chosen.
    pub(crate) fn choices(&self) -> Vec<Choice<'_>> {
        let offered = || self.plans.iter().filter(|plan| !(plan.first_time_only && self.free_used));
        let blocked = |plan: &PlanCard| plan.first_time_only && !self.email_verified;
        let selected = offered()
            .find(|plan| plan.code == self.selected_plan && !blocked(plan))
            .or_else(|| offered().find(|plan| !blocked(plan)))
            .map(|plan| plan.code.clone());
        offered()
            .map(|plan| Choice {
                plan,
                checked: selected.as_ref() == Some(&plan.code),
                needs_verified_email: blocked(plan),
            })
            .collect()
    }

    /// The session the customer most likely came for: one that is live, else ready, else waiting.
    pub(crate) fn current(&self) -> Option<&SessionRow> {
        [SessionStatus::InProgress, SessionStatus::Accepted, SessionStatus::Requested]
            .into_iter()
            .find_map(|status| self.sessions.iter().find(|row| row.status == status))
    }

    /// Whether a first look costs nothing.
    pub(crate) fn offers_free(&self) -> bool {
        !self.free_used && self.plans.iter().any(|plan| plan.first_time_only)
    }
}

#[cfg(test)]
mod tests {
    use super::DashboardPage;
    use crate::frame::Frame;
    use crate::plan::PlanCard;

    fn page(selected: &str, free_used: bool, email_verified: bool) -> DashboardPage {
        let plan = |code: &str| PlanCard {
            code: code.to_owned(),
            first_time_only: code == "free",
            ..PlanCard::default()
        };
        DashboardPage {
            frame: Frame::default(),
            email: String::new(),
            email_verified,
            plans: vec![plan("free"), plan("chat10"), plan("video15")],
            selected_plan: selected.to_owned(),
            free_used,
            sessions: Vec::new(),
            session_count: 0,
            next_href: None,
            refund_after_minutes: 60,
        }
    }

    fn check(page: &DashboardPage, codes: &[&str], chosen: &str) {
        let choices = page.choices();
        assert_eq!(choices.iter().map(|choice| choice.plan.code.as_str()).collect::<Vec<_>>(), codes);
        let checked: Vec<_> =
            choices.iter().filter(|choice| choice.checked).map(|choice| choice.plan.code.as_str()).collect();
        assert_eq!(checked, [chosen]);
    }

    #[test]
    fn exactly_one_plan_that_can_be_had_is_chosen() {
        check(&page("video15", false, true), &["free", "chat10", "video15"], "video15");
        check(&page("free", true, true), &["chat10", "video15"], "chat10");
        check(&page("free", false, false), &["free", "chat10", "video15"], "chat10");
        check(&page("nonsense", false, true), &["free", "chat10", "video15"], "free");
    }
}
