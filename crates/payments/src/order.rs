//! Orders: what a customer agreed to buy.

use std::fmt;

use kernel::id::{IntakeId, OrderId, SessionId, UserId};
use kernel::{BasisPoints, Context, Money, PlanCode, StoreError, Timestamp};

use crate::error::Error;
use crate::store::Store;

/// How long a payment page stays open, in seconds, unless something else limits it.
pub const CHECKOUT_SECONDS: i64 = 3_600;

/// With less time left than this, in seconds, no payment page is made any more: the provider demands half an hour, and
/// the call itself takes a while.
pub const CHECKOUT_MIN_SECONDS: i64 = 1_860;

/// What an order buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderKind {
    /// A new session.
    Session,
    /// The switch of a session from chat to video.
    Upgrade,
    /// More time for a session.
    Extension,
}

impl OrderKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Session, Self::Upgrade, Self::Extension];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Upgrade => "upgrade",
            Self::Extension => "extension",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What is ordered, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchase {
    /// A new session for the order's intake.
    Session,
    /// The switch of this session from chat to video.
    Upgrade(SessionId),
    /// More time for this session.
    Extension {
        /// The session.
        session: SessionId,
        /// Which of its extensions this is: 1 for the first, so that each is sold once.
        number: u32,
    },
}

impl Purchase {
    /// What kind of order it makes.
    pub const fn kind(self) -> OrderKind {
        match self {
            Self::Session => OrderKind::Session,
            Self::Upgrade(_) => OrderKind::Upgrade,
            Self::Extension { .. } => OrderKind::Extension,
        }
    }

    /// The session that is changed; `None` when a new one is bought.
    pub const fn session(self) -> Option<SessionId> {
        match self {
            Self::Session => None,
            Self::Upgrade(session) | Self::Extension { session, .. } => Some(session),
        }
    }

    fn quote(self, intake: IntakeId) -> String {
        match self {
            Self::Session => session_quote(intake),
            Self::Upgrade(session) => upgrade_quote(session),
            Self::Extension { session, number } => format!("extension:{session}:{number}"),
        }
    }
}

/// Where an order stands.
///
/// ```text
/// open ──► processing ──► paid ──► fulfilled
///   │           │          │           │
///   ▼           ▼          └─► refunded ◄┘
/// expired     failed
/// ```
/// Money that arrives late lifts an expired or failed order to `paid`. A refund that fails at the bank puts a
/// refunded order back to where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Waiting for the customer to pay.
    Open,
    /// The customer has done their part; the money is still on its way.
    Processing,
    /// The money is here, and what was bought is not made yet.
    Paid,
    /// What was bought exists.
    Fulfilled,
    /// Nobody paid in time, and the payment page is closed.
    Expired,
    /// The payment failed for good.
    Failed,
    /// All the money went back.
    Refunded,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Processing,
        Self::Paid,
        Self::Fulfilled,
        Self::Expired,
        Self::Failed,
        Self::Refunded,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Processing => "processing",
            Self::Paid => "paid",
            Self::Fulfilled => "fulfilled",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether money may still arrive in the ordinary way.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Open | Self::Processing)
    }

    /// Whether the order holds its quote: its money is here and has not all gone back.
    pub const fn holds_money(self) -> bool {
        matches!(self, Self::Paid | Self::Fulfilled)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was agreed. Never changes once the order is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerms {
    /// The order.
    pub id: OrderId,
    /// Who buys.
    pub customer: UserId,
    /// What they wrote before paying.
    pub intake: IntakeId,
    /// What the order buys.
    pub kind: OrderKind,
    /// The session that it changes; `None` when it buys a new one.
    pub session: Option<SessionId>,
    /// Orders that offer the same thing share a quote; at most one of them keeps money.
    pub quote: String,
    /// The plan.
    pub plan: PlanCode,
    /// The price book that was valid when the order was placed.
    pub book: String,
    /// The multiplier of the booked slot; one without a slot.
    pub multiplier: BasisPoints,
    /// What the customer pays, tax contained. Zero for the free plan, never negative.
    pub amount: Money,
    /// The tax rate contained in the amount.
    pub tax_rate: BasisPoints,
    /// The share of the price without its tax that the platform keeps.
    pub fee_rate: BasisPoints,
    /// The key under which the provider is asked for money, so that trying again asks for no more.
    pub idempotency_key: String,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When the payment page closes.
    pub expires_at: Timestamp,
}

/// What has happened to an order so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderState {
    /// Where it stands.
    pub status: OrderStatus,
    /// The provider's id of the payment page, once it is known.
    pub checkout: Option<String>,
    /// The address of the payment page, once it is known.
    pub checkout_url: Option<String>,
    /// The provider's id of the charge of a kept card, once it was made.
    pub charge: Option<String>,
    /// The provider's id of the payment that was kept.
    pub payment_intent: Option<String>,
    /// The session that was made or changed, once that is done.
    pub session: Option<SessionId>,
    /// When the money arrived.
    pub paid_at: Option<Timestamp>,
    /// When what was bought was made.
    pub fulfilled_at: Option<Timestamp>,
    /// When it expired, failed or was refunded.
    pub closed_at: Option<Timestamp>,
}

/// What a customer agreed to buy, with its locked price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    terms: OrderTerms,
    state: OrderState,
}

/// What an order is placed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Who buys.
    pub customer: UserId,
    /// What they wrote before paying for the session.
    pub intake: IntakeId,
    /// What is bought.
    pub purchase: Purchase,
    /// The plan: for an upgrade or more time, the one whose price it leads to.
    pub plan: PlanCode,
    /// The price book that is valid: today's for a session, the session's own for everything later.
    pub book: String,
    /// The multiplier of the booked slot; one without a slot.
    pub multiplier: BasisPoints,
    /// What the customer pays, tax contained.
    pub amount: Money,
    /// The tax rate contained in the amount.
    pub tax_rate: BasisPoints,
    /// The share of the price without its tax that the platform keeps.
    pub fee_rate: BasisPoints,
    /// How long the payment page stays open.
    pub lifetime_seconds: i64,
}

impl Order {
    // `attempt` counts the orders of the quote, this one included.
    fn new(new: NewOrder, attempt: usize, cx: &Context) -> Self {
        let id = OrderId::new(cx.id());
        let quote = new.purchase.quote(new.intake);
        let idempotency_key = match new.purchase {
            Purchase::Session => format!("checkout:{id}"),
            Purchase::Upgrade(_) | Purchase::Extension { .. } => format!("{quote}:{attempt}"),
        };
        let terms = OrderTerms {
            id,
            customer: new.customer,
            intake: new.intake,
            kind: new.purchase.kind(),
            session: new.purchase.session(),
            quote,
            plan: new.plan,
            book: new.book,
            multiplier: new.multiplier,
            amount: new.amount,
            tax_rate: new.tax_rate,
            fee_rate: new.fee_rate,
            idempotency_key,
            created_at: cx.now,
            // Whole seconds: the provider knows no smaller unit, and a repeated call must send the same value.
            expires_at: Timestamp::from_unix_seconds(cx.now.unix_seconds())
                .unwrap_or(cx.now)
                .plus_seconds(new.lifetime_seconds),
        };
        let state = OrderState {
            status: OrderStatus::Open,
            checkout: None,
            checkout_url: None,
            charge: None,
            payment_intent: None,
            session: None,
            paid_at: None,
            fulfilled_at: None,
            closed_at: None,
        };
        Self { terms, state }
    }

    /// Puts a stored order together again.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the parts contradict each other.
    pub fn restore(terms: OrderTerms, state: OrderState) -> Result<Self, StoreError> {
        let corrupt = |reason: &str| Err(StoreError::corrupt("order", reason));
        if terms.amount.minor() < 0 {
            return corrupt("its amount is negative");
        }
        if (terms.kind == OrderKind::Session) == terms.session.is_some() {
            return corrupt("it changes a session and names none, or makes one and names another");
        }
        if terms.expires_at < terms.created_at {
            return corrupt("it expired before it was placed");
        }
        match state.status {
            OrderStatus::Open | OrderStatus::Processing => {
                if state.session.is_some() || state.paid_at.is_some() {
                    return corrupt("it is not paid and yet has a session or a payment date");
                }
            }
            OrderStatus::Paid => {
                if state.paid_at.is_none() || state.session.is_some() {
                    return corrupt("it is paid without a date, or has a session already");
                }
            }
            OrderStatus::Fulfilled => {
                if state.paid_at.is_none() || state.session.is_none() {
                    return corrupt("it is fulfilled without a payment date or a session");
                }
            }
            OrderStatus::Refunded => {
                if state.paid_at.is_none() {
                    return corrupt("it is refunded and was never paid");
                }
            }
            OrderStatus::Expired | OrderStatus::Failed => {
                if state.session.is_some() {
                    return corrupt("it was not paid and yet has a session");
                }
            }
        }
        Ok(Self { terms, state })
    }

    /// What was agreed.
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    /// What has happened so far.
    pub const fn state(&self) -> &OrderState {
        &self.state
    }

    /// Its id.
    pub const fn id(&self) -> OrderId {
        self.terms.id
    }

    /// Where it stands.
    pub const fn status(&self) -> OrderStatus {
        self.state.status
    }

    /// The session it made or changed.
    pub const fn session(&self) -> Option<SessionId> {
        self.state.session
    }

    /// Notes the payment page that was made for it. The same page again changes nothing.
    ///
    /// # Errors
    /// [`Error::CheckoutConflict`] when it has another page.
    pub fn offered(mut self, checkout: &str, url: Option<&str>) -> Result<Self, Error> {
        if self.state.checkout.as_deref().is_some_and(|known| known != checkout) {
            return Err(Error::CheckoutConflict);
        }
        self.state.checkout = Some(checkout.to_owned());
        if let Some(url) = url {
            self.state.checkout_url = Some(url.to_owned());
        }
        Ok(self)
    }

    /// Whether this payment page is known; without an address its id alone is asked for.
    pub fn has_checkout(&self, checkout: &str, url: Option<&str>) -> bool {
        self.state.checkout.as_deref() == Some(checkout)
            && (url.is_none() || self.state.checkout_url.as_deref() == url)
    }

    /// Notes the charge of a kept card that was made for it; a newer one replaces an older one, which came to nothing.
    #[must_use]
    pub fn charged(mut self, charge: &str) -> Self {
        self.state.charge = Some(charge.to_owned());
        self
    }

    /// The customer has done their part and the money is on its way.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] unless it is open or processing.
    pub fn processing(self) -> Result<Self, Error> {
        self.step(OrderStatus::Processing, OrderStatus::is_pending)
    }

    /// The money is here; `payment_intent` is `None` for the free plan.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] when it already holds money, or gave it back.
    pub fn paid(self, payment_intent: Option<String>, at: Timestamp) -> Result<Self, Error> {
        let unpaid = |status: OrderStatus| {
            matches!(
                status,
                OrderStatus::Open | OrderStatus::Processing | OrderStatus::Expired | OrderStatus::Failed
            )
        };
        let mut next = self.step(OrderStatus::Paid, unpaid)?;
        next.state.payment_intent = payment_intent;
        next.state.paid_at = Some(at);
        next.state.closed_at = None;
        Ok(next)
    }

    /// What was bought exists.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] unless it is paid.
    pub fn fulfilled(self, session: SessionId, at: Timestamp) -> Result<Self, Error> {
        let mut next = self.step(OrderStatus::Fulfilled, |status| status == OrderStatus::Paid)?;
        next.state.session = Some(session);
        next.state.fulfilled_at = Some(at);
        Ok(next)
    }

    /// Nobody paid in time.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] unless it is open: a processing order's money may still arrive.
    pub fn expired(self, at: Timestamp) -> Result<Self, Error> {
        let mut next = self.step(OrderStatus::Expired, |status| status == OrderStatus::Open)?;
        next.state.closed_at = Some(at);
        Ok(next)
    }

    /// The payment failed for good.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] unless it is open or processing.
    pub fn failed(self, at: Timestamp) -> Result<Self, Error> {
        let mut next = self.step(OrderStatus::Failed, OrderStatus::is_pending)?;
        next.state.closed_at = Some(at);
        Ok(next)
    }

    /// All its money went back.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] unless it holds money.
    pub fn refunded(self, at: Timestamp) -> Result<Self, Error> {
        let mut next = self.step(OrderStatus::Refunded, OrderStatus::holds_money)?;
        next.state.closed_at = Some(at);
        Ok(next)
    }

    /// A refund that was thought done has bounced: the order holds its money again.
    ///
    /// # Errors
    /// [`Error::OrderTransition`] unless it is refunded.
    pub fn refund_bounced(self) -> Result<Self, Error> {
        let to = if self.state.session.is_some() { OrderStatus::Fulfilled } else { OrderStatus::Paid };
        let mut next = self.step(to, |status| status == OrderStatus::Refunded)?;
        next.state.closed_at = None;
        Ok(next)
    }

    fn step(mut self, to: OrderStatus, allowed: impl Fn(OrderStatus) -> bool) -> Result<Self, Error> {
        let from = self.state.status;
        if !allowed(from) {
            return Err(Error::OrderTransition { from, to });
        }
        self.state.status = to;
        Ok(self)
    }
}

/// The quote that every order for this intake's session shares.
pub fn session_quote(intake: IntakeId) -> String {
    format!("session:{intake}")
}

/// The quote that every order for this session's switch to video shares.
pub fn upgrade_quote(session: SessionId) -> String {
    format!("upgrade:{session}")
}

/// What placing an order came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// A new order was written.
    Placed(Order),
    /// An order for the same quote waits for its money; it keeps its price.
    Reused(Order),
    /// The quote was paid and what it bought was made, or is about to be.
    Bought(Order),
}

/// Places an order, or finds the one that already stands for the same quote.
///
/// An open order whose payment page was never made is closed and replaced when it would close in less than
/// [`CHECKOUT_MIN_SECONDS`]: its address never reached anybody. The same happens to one whose page has closed by the
/// clock; should its money arrive all the same, [`settle`](crate::settle()) keeps it or sends it back.
///
/// # Errors
/// [`Error::FreePlanUsed`] when the customer has had the free plan; the storage's errors.
pub fn place(store: &mut dyn Store, new: NewOrder, cx: &Context) -> Result<Placement, Error> {
    let quote = new.purchase.quote(new.intake);
    let standing = store.orders_of_quote_for_update(&quote)?;
    let attempt = standing.len() + 1;
    for order in standing {
        if order.status().holds_money() {
            return Ok(Placement::Bought(order));
        }
        if !order.status().is_pending() {
            continue;
        }
        if is_spent(&order, cx.now) {
            store.order_update(&order.expired(cx.now)?)?;
        } else {
            return Ok(Placement::Reused(order));
        }
    }
    let plan = new.plan;
    let order = Order::new(new, attempt, cx);
    if store.order_insert(&order)? {
        return Ok(Placement::Placed(order));
    }
    // Another transaction placed one after the look above; it has committed, or this insert would still wait.
    let standing = store.orders_of_quote_for_update(&quote)?;
    match standing.into_iter().find(|order| order.status().is_pending() || order.status().holds_money()) {
        Some(order) if order.status().holds_money() => Ok(Placement::Bought(order)),
        Some(order) => Ok(Placement::Reused(order)),
        None if plan == PlanCode::Free => Err(Error::FreePlanUsed),
        None => Err(StoreError::Retry("an order for the same quote was closed meanwhile".into()).into()),
    }
}

fn is_spent(order: &Order, now: Timestamp) -> bool {
    let left = order.terms.expires_at.seconds_since(now);
    order.status() == OrderStatus::Open
        && order.state.charge.is_none()
        && (left <= 0 || order.state.checkout.is_none() && left < CHECKOUT_MIN_SECONDS)
}

#[cfg(test)]
mod tests;
