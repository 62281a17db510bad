//! The port to the payment provider.
//!
//! Called by use cases and workers, never inside a transaction and never by this crate's own functions.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::id::{OrderId, RefundId, UserId};
use kernel::{Money, Timestamp};

use crate::dispute::DisputeStatus;
use crate::inbox::InboxEvent;

/// Why the provider gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The customer's bank or card said no, or wants the customer to be there.
    #[error("the payment was declined: {code}")]
    Declined {
        /// The provider's code.
        code: String,
        /// The provider's id of the payment that waits for another card, if one was made.
        intent: Option<String>,
    },
    /// The call may or may not have taken effect. Calling again with the same key finds out.
    #[error("the provider's answer was lost: {0}")]
    UnknownOutcome(String),
    /// The provider refuses the call; calling again would change nothing.
    #[error("the provider refuses: {code}: {message}")]
    Refused {
        /// The provider's code.
        code: String,
        /// The provider's explanation, for the log.
        message: String,
    },
    /// There is no such object at the provider.
    #[error("the provider knows no such object")]
    Missing,
    /// The provider can't be reached or is overloaded, and nothing was changed.
    #[error("the provider is not available: {0}")]
    Unavailable(String),
}

/// A person to know at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomer {
    /// The person.
    pub customer: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
}

/// What a payment page asks money for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutLine {
    /// What the customer reads.
    pub name: String,
    /// The price.
    pub amount: Money,
    /// The provider's id of a configured price of the same amount, if there is one.
    pub price: Option<String>,
}

/// A payment page to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheckout {
    /// The order to pay.
    pub order: OrderId,
    /// The key that makes this call repeatable.
    pub idempotency_key: String,
    /// The provider's id of the customer.
    pub customer: String,
    /// What is paid.
    pub line: CheckoutLine,
    /// Where the customer goes afterwards; `{CHECKOUT_SESSION_ID}` is replaced by the page's id.
    pub success_url: String,
    /// Where the customer goes who doesn't want to pay.
    pub cancel_url: String,
    /// When the page closes, in whole seconds.
    pub expires_at: Timestamp,
    /// Notes for people who look at the payment at the provider.
    pub metadata: BTreeMap<String, String>,
}

/// A kept card to charge while its holder is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCharge {
    /// The order to pay.
    pub order: OrderId,
    /// The key that makes this call repeatable.
    pub idempotency_key: String,
    /// The provider's id of the customer.
    pub customer: String,
    /// The provider's id of the card.
    pub card: String,
    /// How much.
    pub amount: Money,
    /// Notes for people who look at the payment at the provider.
    pub metadata: BTreeMap<String, String>,
}

/// Whether a payment page can still be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckoutStatus {
    /// It waits for the customer.
    Open,
    /// The customer has done their part.
    Complete,
    /// It is closed.
    Expired,
}

/// A payment page as the provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The provider's id of it.
    pub id: String,
    /// Its address, while it is open.
    pub url: Option<String>,
    /// Whether it can still be paid.
    pub status: CheckoutStatus,
    /// Whether the money is here.
    pub paid: bool,
    /// The provider's id of the payment.
    pub payment_intent: Option<String>,
    /// How much it asks for.
    pub amount: Option<Money>,
    /// The order it was made for, from the notes.
    pub order: Option<OrderId>,
}

/// Where a payment stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentStatus {
    /// The customer has something to do.
    NeedsCustomer,
    /// The money is on its way.
    Processing,
    /// The money is here.
    Succeeded,
    /// It will never be paid.
    Cancelled,
}

/// A payment as the provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The provider's id of it.
    pub id: String,
    /// Where it stands.
    pub status: IntentStatus,
    /// How much it asks for.
    pub amount: Money,
    /// How much of it arrived.
    pub received: Money,
    /// Whether its last attempt failed, and the provider's code for why.
    pub failure: Option<String>,
    /// The order it was made for, from the notes.
    pub order: Option<OrderId>,
}

/// A refund to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProviderRefund {
    /// Our refund.
    pub refund: RefundId,
    /// The provider's id of the payment.
    pub payment_intent: String,
    /// How much goes back.
    pub amount: Money,
    /// The key that makes this call repeatable.
    pub idempotency_key: String,
}

/// Where a refund stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderRefundStatus {
    /// The provider has it in hand.
    Pending,
    /// The money went back.
    Succeeded,
    /// It will not go back this way.
    Failed,
}

/// A refund as the provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRefund {
    /// The provider's id of it.
    pub id: String,
    /// Our refund, from the notes; `None` when it was made by hand.
    pub refund: Option<RefundId>,
    /// How much goes back.
    pub amount: Money,
    /// Where it stands.
    pub status: ProviderRefundStatus,
}

/// A dispute as the provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDispute {
    /// The provider's id of it.
    pub id: String,
    /// The provider's id of the payment.
    pub payment_intent: String,
    /// How much is disputed.
    pub amount: Money,
    /// Why, in the provider's words.
    pub reason: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Whether the bank has taken the money.
    pub withdrawn: bool,
    /// Until when it can be answered.
    pub due_at: Option<Timestamp>,
}

/// A card that the provider keeps for a customer, as far as anybody here may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCard {
    /// The provider's id of it.
    pub id: String,
    /// The brand in the provider's words, such as `visa`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The month after which it expires, 1 to 12.
    pub exp_month: u32,
    /// The year of that.
    pub exp_year: u32,
    /// What is the same for each time that this card is kept; `None` when the provider doesn't tell.
    pub fingerprint: Option<String>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSubject {
    /// A payment page, as it was when the event happened; `final_word` when no later event can say otherwise.
    Checkout {
        /// The page.
        checkout: Checkout,
        /// Whether it failed to bring money for good.
        failed: bool,
        /// Whether the page can have changed since.
        final_word: bool,
    },
    /// A payment, as it was when the event happened.
    Intent(Intent),
    /// Something about the refunds of a payment.
    Refunds {
        /// The provider's id of the payment.
        payment_intent: String,
    },
    /// Something about a dispute, with the provider's id of it.
    Dispute(String),
    /// Of no concern here.
    Other,
}

/// An event of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// What goes into the inbox.
    pub inbox: InboxEvent,
    /// What it is about.
    pub subject: EventSubject,
}

/// The payment provider.
///
/// Every method answers [`GatewayError::Unavailable`] when nothing can have happened, and those that change something
/// [`GatewayError::UnknownOutcome`] when it can't be told. Calls are tried a few times under the same key.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// The provider's id for this person, made on the first call. Repeatable: the key is made from the person's id.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn customer_create(&self, customer: &NewCustomer) -> Result<String, GatewayError>;
    /// Makes the provider forget a person and their saved cards. One that it has forgotten, or never knew, is fine.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn customer_delete(&self, reference: &str) -> Result<(), GatewayError>;
    /// Makes a payment page, or answers with the one made under the same key.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn checkout_create(&self, checkout: &NewCheckout) -> Result<Checkout, GatewayError>;
    /// The payment page as it is now.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn checkout_by_id(&self, id: &str) -> Result<Checkout, GatewayError>;
    /// Closes a payment page and answers what it is now: it may have been paid or closed before.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn checkout_expire(&self, id: &str) -> Result<Checkout, GatewayError>;
    /// Charges a kept card without its holder, or answers with the charge made under the same key. Only a charge that
    /// has succeeded or is on its way is answered.
    ///
    /// # Errors
    /// [`GatewayError::Declined`] when the card's holder or another card is needed; [`GatewayError`].
    async fn charge_create(&self, charge: &NewCharge) -> Result<Intent, GatewayError>;
    /// Gives up a payment that waits for its customer, and answers what it is now: it may have been paid before.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn intent_cancel(&self, id: &str) -> Result<Intent, GatewayError>;
    /// The payment as it is now.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn intent_by_id(&self, id: &str) -> Result<Intent, GatewayError>;
    /// Sends money back, or answers with the refund made under the same key.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn refund_create(&self, refund: &NewProviderRefund) -> Result<ProviderRefund, GatewayError>;
    /// Every refund of a payment.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn refunds_of_intent(&self, payment_intent: &str) -> Result<Vec<ProviderRefund>, GatewayError>;
    /// The dispute as it is now; `None` when it is about no payment of this kind.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn dispute_by_id(&self, id: &str) -> Result<Option<ProviderDispute>, GatewayError>;
    /// The cards that are kept for a customer, newest first, at most a hundred; none for a customer that the provider
    /// does not know.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn cards_of_customer(&self, customer: &str) -> Result<Vec<SavedCard>, GatewayError>;
    /// Forgets a card of a customer; `false` when the customer has no such card.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn card_forget(&self, customer: &str, card: &str) -> Result<bool, GatewayError>;
    /// Every event created at or after that instant, oldest first.
    ///
    /// # Errors
    /// [`GatewayError`].
    async fn events_since(&self, since: Timestamp) -> Result<Vec<ProviderEvent>, GatewayError>;
    /// Proves that a callback comes from the provider and reads it.
    ///
    /// # Errors
    /// [`CallbackError`].
    fn event_from_callback(
        &self,
        body: &[u8],
        signature: &str,
        now: Timestamp,
    ) -> Result<ProviderEvent, CallbackError>;
}

/// Why a callback was refused. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The signature is missing, malformed or not ours.
    #[error("the signature doesn't match")]
    BadSignature,
    /// The signature is valid and was made too long ago, or in the future.
    #[error("the signature is too old")]
    Stale,
    /// The signature is valid and the body can't be read.
    #[error("the body can't be read: {0}")]
    Malformed(String),
}
