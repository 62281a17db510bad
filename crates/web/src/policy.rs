//! What goes back when a session is called off, in words. Every amount and every time comes from the price book.

use crate::money::Amount;

/// The rules for one price.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The price.
    pub total: Amount,
    /// What goes back until a mechanic has accepted.
    pub before_acceptance: Amount,
    /// What goes back after that, of a session for now.
    pub after_acceptance: Amount,
    /// What goes back of a booked session, the longest time before the start first; below the last step nothing does.
    pub steps: Vec<PolicyStep>,
    /// What goes back when the mechanic does not come.
    pub mechanic_missing: Amount,
    /// What goes back when the customer does not come.
    pub customer_missing: Amount,
    /// How long the one waits for the other.
    pub grace_minutes: i64,
}

/// One step of the rules for booked sessions.
#[derive(Clone, Debug, Default)]
pub struct PolicyStep {
    /// It holds up to so long before the start.
    pub minutes_before_start: i64,
    /// What goes back.
    pub back: Amount,
}

impl Policy {
    /// The one sentence beside the price.
    pub(crate) fn in_short(&self) -> String {
        let (before, after) = (&self.before_acceptance, &self.after_acceptance);
        if *before == self.total {
            format!("Free to cancel until a mechanic accepts. After that {}.", self.goes(after))
        } else {
            format!("Until a mechanic accepts, {}. After that {}.", self.goes(before), self.goes(after))
        }
    }

    /// The rules of a booked session, a sentence each.
    pub(crate) fn booked(&self) -> Vec<String> {
        let step = |step: &PolicyStep| {
            format!("Up to {} before the start {}.", span(step.minutes_before_start), self.goes(&step.back))
        };
        let later = self.steps.last().filter(|last| last.minutes_before_start > 0 && !last.back.is_zero());
        self.steps.iter().map(step).chain(later.map(|_| "Later nothing goes back.".to_owned())).collect()
    }

    /// What happens when somebody does not come.
    pub(crate) fn missing(&self) -> [String; 2] {
        [
            format!("If the mechanic does not come, {}.", self.goes(&self.mechanic_missing)),
            format!(
                "If you are not there {} after the session is due and the mechanic is, {}.",
                span(self.grace_minutes),
                self.goes(&self.customer_missing)
            ),
        ]
    }

    fn goes(&self, back: &Amount) -> String {
        if back.is_zero() {
            "nothing goes back".to_owned()
        } else if *back == self.total {
            format!("the full {} goes back", self.total)
        } else {
            format!("{back} of the {} goes back", self.total)
        }
    }
}

/// What goes back of a session that a mechanic has accepted, at the moment of looking.
#[derive(Clone, Debug, Default)]
pub struct RefundTerms {
    /// What goes back.
    pub back: Amount,
    /// The share of the price that this is, in hundredths of a percent.
    pub share_bps: i64,
    /// RFC 3339: up to when it stays so; `None` when it doesn't change any more.
    pub until: Option<String>,
    /// What goes back after that.
    pub then: Amount,
    /// Whether the session is booked for a time.
    pub is_booked: bool,
}

impl RefundTerms {
    pub(crate) fn share(&self) -> String {
        crate::money::percent(self.share_bps)
    }
}

/// `24 hours`, `1 hour`, `90 minutes`.
fn span(minutes: i64) -> String {
    let (number, unit) =
        if minutes > 0 && minutes % 60 == 0 { (minutes / 60, "hour") } else { (minutes, "minute") };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(cents: i64) -> Amount {
        Amount::new(cents, "usd")
    }

    fn policy() -> Policy {
        let step = |minutes_before_start, cents| PolicyStep { minutes_before_start, back: usd(cents) };
        Policy {
            total: usd(2_999),
            before_acceptance: usd(2_999),
            after_acceptance: usd(0),
            steps: vec![step(1_440, 2_999), step(120, 1_500)],
            mechanic_missing: usd(2_999),
            customer_missing: usd(0),
            grace_minutes: 10,
        }
    }

    #[test]
    fn the_rules_are_told_with_their_amounts() {
        let rules = policy();
        assert_eq!(
            rules.in_short(),
            "Free to cancel until a mechanic accepts. After that nothing goes back."
        );
        assert_eq!(
            rules.booked(),
            [
                "Up to 24 hours before the start the full $29.99 goes back.",
                "Up to 2 hours before the start $15.00 of the $29.99 goes back.",
                "Later nothing goes back.",
            ]
        );
        assert_eq!(
            rules.missing(),
            [
                "If the mechanic does not come, the full $29.99 goes back.",
                "If you are not there 10 minutes after the session is due and the mechanic is, nothing goes back.",
            ]
        );
    }

    #[test]
    fn other_books_have_other_sentences() {
        let rules = Policy { before_acceptance: usd(2_000), after_acceptance: usd(500), ..policy() };
        assert_eq!(
            rules.in_short(),
            "Until a mechanic accepts, $20.00 of the $29.99 goes back. After that $5.00 of the $29.99 goes back."
        );
        let to_the_start = PolicyStep { minutes_before_start: 0, back: usd(100) };
        let rules = Policy { steps: vec![to_the_start], ..policy() };
        assert_eq!(rules.booked(), ["Up to 0 minutes before the start $1.00 of the $29.99 goes back."]);
        assert_eq!(
            [span(1), span(60), span(90), span(1_440)],
            ["1 minute", "1 hour", "90 minutes", "24 hours"]
        );
    }
}
