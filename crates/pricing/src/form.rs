//! The price books as they are written in a file, and everything that can be wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kernel::{BasisPoints, Currency, Money, PlanCode, SessionType};
use serde::Deserialize;

use crate::book::PriceBook;
use crate::cancellation::{Cancellation, Tier};
use crate::catalog::Catalog;
use crate::plan::Plan;

/// The largest price, in minor units.
pub const PRICE_MAX_CENTS: i64 = 10_000_000;
/// The smallest price that is not nothing, in minor units: card payments below it are refused by Stripe.
pub const PRICE_MIN_CENTS: i64 = 50;
/// The longest session of a plan, in minutes.
pub const DURATION_MAX_MINUTES: u32 = 480;
/// The most books, plans of a book, and tiers of a book.
pub const LIST_MAX: usize = 100;

const WHOLE_BPS: u32 = 10_000;
const TIER_MAX_MINUTES: u32 = 525_600;

/// Every price book as written. Unknown keys are refused where it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogForm {
    /// Other names of plans, each with the canonical code it means.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// The books.
    pub books: Vec<BookForm>,
}

/// One price book as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookForm {
    /// 1 to 40 characters: letters, digits, `-`, `.` and `_`.
    pub version: String,
    /// `usd`, `eur` or `gbp`.
    pub currency: String,
    /// The tax contained in the prices, in hundredths of a percent.
    #[serde(default)]
    pub tax_rate_bps: u32,
    /// The share of a price without its tax that the platform keeps, in hundredths of a percent.
    #[serde(default = "default_platform_fee")]
    pub platform_fee_bps: u32,
    /// The refund rules.
    pub cancellation: CancellationForm,
    /// What it sells.
    pub plans: Vec<PlanForm>,
}

// A fifth (decision G-03).
const fn default_platform_fee() -> u32 {
    2_000
}

/// The refund rules as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancellationForm {
    /// The share that goes back until a mechanic has accepted.
    pub before_acceptance_refund_bps: u32,
    /// The share that goes back when the mechanic does not come.
    pub mechanic_no_show_refund_bps: u32,
    /// The share that goes back when the customer does not come.
    pub customer_no_show_refund_bps: u32,
    /// How long the mechanic waits, in minutes.
    pub customer_grace_minutes: u32,
    /// The steps after acceptance, the longest time first. Below the last one nothing goes back.
    pub tiers: Vec<TierForm>,
}

/// One step as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierForm {
    /// The shortest time before the start for which it holds, in minutes.
    pub minutes_before_start: u32,
    /// The share that goes back, in hundredths of a percent.
    pub refund_bps: u32,
}

/// One plan as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanForm {
    /// `free`, `chat10`, `video15` or `diagnostic`.
    pub code: String,
    /// 1 to 60 characters.
    pub name: String,
    /// `chat`, `video` or `diagnostic`.
    pub session_type: String,
    /// 1 to 480.
    pub duration_minutes: u32,
    /// 0, or 50 to 10,000,000.
    pub price_cents: i64,
    /// Whether a customer gets it once.
    #[serde(default)]
    pub first_time_only: bool,
    /// 1 to 200 characters.
    pub description: String,
    /// Stripe's id of the price, by environment.
    #[serde(default)]
    pub stripe_price_ids: BTreeMap<String, String>,
}

/// One thing that is wrong with the price books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: `books[2025-10].plans[chat10].price_cents`.
    pub key: String,
    /// What stands there.
    pub value: String,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: {}", self.key, self.value, self.expected)
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, key: impl Into<String>, value: impl fmt::Display, expected: impl Into<String>) {
        self.0.push(Problem { key: key.into(), value: value.to_string(), expected: expected.into() });
    }

    fn text(&mut self, key: String, value: &str, max: usize) {
        if value.trim().is_empty() || value.chars().count() > max || value.chars().any(char::is_control) {
            self.add(key, format!("{value:?}"), format!("write 1 to {max} characters on one line"));
        }
    }

    fn share(&mut self, key: String, points: u32) {
        if points > WHOLE_BPS {
            self.add(key, points, "write hundredths of a percent, 0 to 10000");
        }
    }
}

impl CatalogForm {
    /// Puts Stripe's id of a plan's price into one environment of one book, over what the file says: the way in for
    /// `STRIPE_PRICE_CHAT10` and its like. Answers whether that book sells that plan.
    pub fn put_stripe_price_id(
        &mut self,
        version: &str,
        plan: PlanCode,
        environment: &str,
        id: String,
    ) -> bool {
        let found = self
            .books
            .iter_mut()
            .filter(|book| book.version == version)
            .flat_map(|book| &mut book.plans)
            .find(|form| form.code == plan.as_str());
        match found {
            Some(form) => {
                form.stripe_price_ids.insert(environment.to_owned(), id);
                true
            }
            None => false,
        }
    }

    /// Checks everything and makes a catalog whose active book is `active_version`.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first thing.
    pub fn validate(self, active_version: &str) -> Result<Catalog, Vec<Problem>> {
        let mut problems = Problems::default();
        let aliases = aliases(self.aliases, &mut problems);
        if self.books.len() > LIST_MAX {
            problems.add("books", format!("{} books", self.books.len()), format!("keep at most {LIST_MAX}"));
        }
        let versions: Vec<String> = self.books.iter().map(|book| book.version.clone()).collect();
        let distinct: BTreeSet<&String> = versions.iter().collect();
        if distinct.len() != versions.len() {
            problems.add("books", format!("{versions:?}"), "give each book a version of its own");
        }
        let (active, others): (Vec<_>, Vec<_>) = self
            .books
            .into_iter()
            .filter_map(|form| book(form, &mut problems))
            .partition(|book| book.version == active_version);
        if !versions.iter().any(|version| version == active_version) {
            problems.add("active_book", format!("{active_version:?}"), format!("write one of {versions:?}"));
        }
        match (active.into_iter().next(), problems.0) {
            (Some(active), problems) if problems.is_empty() => Ok(Catalog { active, others, aliases }),
            (_, problems) => Err(problems),
        }
    }
}

fn aliases(forms: BTreeMap<String, String>, problems: &mut Problems) -> BTreeMap<String, PlanCode> {
    let mut aliases = BTreeMap::new();
    for (alias, code) in forms {
        let key = format!("aliases.{alias}");
        let plain = alias.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if alias.is_empty() || alias.len() > 40 || !plain {
            problems.add(&key, format!("{alias:?}"), "write an alias of lower-case letters, digits and _");
        } else if PlanCode::parse(&alias).is_some() {
            problems.add(&key, format!("{code:?}"), "remove it: this is a plan's own code");
        }
        match PlanCode::parse(&code) {
            Some(plan) => drop(aliases.insert(alias, plan)),
            None => problems.add(key, format!("{code:?}"), one_of_the_codes()),
        }
    }
    aliases
}

fn one_of_the_codes() -> String {
    format!("write one of {:?}", PlanCode::ALL.map(PlanCode::as_str))
}

fn book(form: BookForm, problems: &mut Problems) -> Option<PriceBook> {
    let at = format!("books[{}]", form.version);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if form.version.is_empty() || form.version.len() > 40 || !form.version.chars().all(plain) {
        problems.add(
            format!("{at}.version"),
            format!("{:?}", form.version),
            "write 1 to 40 letters, digits, -, . or _",
        );
    }
    problems.share(format!("{at}.tax_rate_bps"), form.tax_rate_bps);
    problems.share(format!("{at}.platform_fee_bps"), form.platform_fee_bps);
    let cancellation = cancellation(&at, form.cancellation, problems);
    let Some(currency) = Currency::parse(&form.currency) else {
        let known = Currency::ALL.map(Currency::as_str);
        problems.add(
            format!("{at}.currency"),
            format!("{:?}", form.currency),
            format!("write one of {known:?}"),
        );
        return None;
    };
    if form.plans.len() > LIST_MAX {
        problems.add(
            format!("{at}.plans"),
            format!("{} plans", form.plans.len()),
            format!("keep at most {LIST_MAX}"),
        );
    }
    let before = problems.0.len();
    let plans: Vec<Plan> =
        form.plans.into_iter().filter_map(|form| plan(&at, form, currency, problems)).collect();
    if problems.0.len() == before {
        plans_together(&at, &plans, problems);
    }
    let tax_rate = BasisPoints::new(form.tax_rate_bps);
    let platform_fee = BasisPoints::new(form.platform_fee_bps);
    Some(PriceBook { version: form.version, currency, tax_rate, platform_fee, plans, cancellation })
}

fn plan(at: &str, form: PlanForm, currency: Currency, problems: &mut Problems) -> Option<Plan> {
    let at = format!("{at}.plans[{}]", form.code);
    problems.text(format!("{at}.name"), &form.name, 60);
    problems.text(format!("{at}.description"), &form.description, 200);
    if !(1..=DURATION_MAX_MINUTES).contains(&form.duration_minutes) {
        problems.add(
            format!("{at}.duration_minutes"),
            form.duration_minutes,
            format!("write 1 to {DURATION_MAX_MINUTES}"),
        );
    }
    if form.price_cents != 0 && !(PRICE_MIN_CENTS..=PRICE_MAX_CENTS).contains(&form.price_cents) {
        problems.add(
            format!("{at}.price_cents"),
            form.price_cents,
            format!("write 0, or {PRICE_MIN_CENTS} to {PRICE_MAX_CENTS}"),
        );
    }
    if form.price_cents == 0 && !form.first_time_only {
        problems.add(
            format!("{at}.first_time_only"),
            false,
            "write true: what costs nothing is for the first time only",
        );
    }
    for (environment, id) in &form.stripe_price_ids {
        if !id.starts_with("price_") || id.len() > 255 || !id.chars().all(|c| c.is_ascii_graphic()) {
            problems.add(
                format!("{at}.stripe_price_ids.{environment}"),
                format!("{id:?}"),
                "write a Stripe price id, which begins with price_",
            );
        }
    }
    let code = PlanCode::parse(&form.code);
    if code.is_none() {
        problems.add(format!("{at}.code"), format!("{:?}", form.code), one_of_the_codes());
    }
    let session_type = SessionType::parse(&form.session_type).filter(|session_type| match session_type {
        SessionType::Chat | SessionType::Video | SessionType::Diagnostic => true,
        SessionType::UpgradedFromChat | SessionType::MobileVisit => false,
    });
    if session_type.is_none() {
        problems.add(
            format!("{at}.session_type"),
            format!("{:?}", form.session_type),
            "write chat, video or diagnostic",
        );
    }
    Some(Plan {
        code: code?,
        name: form.name,
        session_type: session_type?,
        duration_minutes: form.duration_minutes,
        price: Money::new(form.price_cents, currency),
        first_time_only: form.first_time_only,
        description: form.description,
        stripe_price_ids: form.stripe_price_ids,
    })
}

// What an upgrade relies on: one direct way to each type, and a difference that is not negative.
fn plans_together(at: &str, plans: &[Plan], problems: &mut Problems) {
    let key = format!("{at}.plans");
    let codes: Vec<&str> = plans.iter().map(|plan| plan.code.as_str()).collect();
    if codes.iter().collect::<BTreeSet<_>>().len() != codes.len() {
        problems.add(&key, format!("{codes:?}"), "list each plan once");
    }
    let direct = |session_type| {
        plans.iter().filter(move |plan| plan.session_type == session_type && !plan.first_time_only)
    };
    for (session_type, wanted) in
        [(SessionType::Chat, 1..=1), (SessionType::Video, 1..=1), (SessionType::Diagnostic, 0..=1)]
    {
        let count = direct(session_type).count();
        if !wanted.contains(&count) {
            problems.add(
                &key,
                format!("{count} plans of type {} for everybody", session_type.as_str()),
                "sell chat and video once each, and diagnostic at most once",
            );
        }
    }
    let ways = (direct(SessionType::Chat).next(), direct(SessionType::Video).next());
    if let (Some(chat), Some(video)) = ways
        && video.price.minor() < chat.price.minor()
    {
        problems.add(
            format!("{at}.plans[{}].price_cents", video.code),
            video.price.minor(),
            format!(
                "write at least the price of {}, {}, or nobody could upgrade",
                chat.code,
                chat.price.minor()
            ),
        );
    }
}

fn cancellation(at: &str, form: CancellationForm, problems: &mut Problems) -> Cancellation {
    let at = format!("{at}.cancellation");
    for (key, points) in [
        ("before_acceptance_refund_bps", form.before_acceptance_refund_bps),
        ("mechanic_no_show_refund_bps", form.mechanic_no_show_refund_bps),
        ("customer_no_show_refund_bps", form.customer_no_show_refund_bps),
    ] {
        problems.share(format!("{at}.{key}"), points);
    }
    if form.customer_grace_minutes > DURATION_MAX_MINUTES {
        problems.add(
            format!("{at}.customer_grace_minutes"),
            form.customer_grace_minutes,
            format!("write 0 to {DURATION_MAX_MINUTES}"),
        );
    }
    if form.tiers.len() > LIST_MAX {
        problems.add(
            format!("{at}.tiers"),
            format!("{} tiers", form.tiers.len()),
            format!("keep at most {LIST_MAX}"),
        );
    }
    for (index, tier) in form.tiers.iter().enumerate() {
        problems.share(format!("{at}.tiers[{index}].refund_bps"), tier.refund_bps);
        if tier.minutes_before_start > TIER_MAX_MINUTES {
            problems.add(
                format!("{at}.tiers[{index}].minutes_before_start"),
                tier.minutes_before_start,
                format!("write 0 to {TIER_MAX_MINUTES}"),
            );
        }
    }
    for (index, pair) in form.tiers.windows(2).enumerate() {
        if let [earlier, later] = pair {
            if earlier.minutes_before_start <= later.minutes_before_start {
                problems.add(
                    format!("{at}.tiers[{}].minutes_before_start", index + 1),
                    later.minutes_before_start,
                    format!("write less than the tier before it, {}", earlier.minutes_before_start),
                );
            }
            if earlier.refund_bps < later.refund_bps {
                problems.add(
                    format!("{at}.tiers[{}].refund_bps", index + 1),
                    later.refund_bps,
                    format!(
                        "write at most {}, the share of the tier before it: a later cancellation must not pay more",
                        earlier.refund_bps
                    ),
                );
            }
        }
    }
    Cancellation {
        before_acceptance: BasisPoints::new(form.before_acceptance_refund_bps),
        tiers: form
            .tiers
            .into_iter()
            .map(|tier| Tier {
                minutes_before_start: tier.minutes_before_start,
                refund: BasisPoints::new(tier.refund_bps),
            })
            .collect(),
        mechanic_no_show: BasisPoints::new(form.mechanic_no_show_refund_bps),
        customer_no_show: BasisPoints::new(form.customer_no_show_refund_bps),
        customer_grace_minutes: form.customer_grace_minutes,
    }
}

#[cfg(test)]
mod tests;
