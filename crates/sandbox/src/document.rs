//! One stored object: Stripe's JSON with typed reading of the fields the sandbox works with.

use serde_json::Value;

/// What sort of object a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Account,
    AccountLink,
    BalanceTransaction,
    Charge,
    Customer,
    Dispute,
    Endpoint,
    Event,
    Intent,
    Method,
    Price,
    Product,
    Refund,
    Reversal,
    Session,
    Setup,
    SetupAttempt,
    Transfer,
}

/// How a kind is called.
struct Names {
    /// In the object's own `object` field.
    object: &'static str,
    /// In Stripe's messages.
    noun: &'static str,
    /// The path of the collection.
    path: &'static str,
}

const fn names(object: &'static str, noun: &'static str, path: &'static str) -> Names {
    Names { object, noun, path }
}

impl Kind {
    const fn names(self) -> Names {
        match self {
            Self::Account => names("account", "account", "/v1/accounts"),
            Self::AccountLink => names("account_link", "account_link", "/v1/account_links"),
            Self::BalanceTransaction => {
                names("balance_transaction", "balance transaction", "/v1/balance_transactions")
            }
            Self::Charge => names("charge", "charge", "/v1/charges"),
            Self::Customer => names("customer", "customer", "/v1/customers"),
            Self::Dispute => names("dispute", "dispute", "/v1/disputes"),
            Self::Endpoint => names("webhook_endpoint", "webhook endpoint", "/v1/webhook_endpoints"),
            Self::Event => names("event", "event", "/v1/events"),
            Self::Intent => names("payment_intent", "payment_intent", "/v1/payment_intents"),
            Self::Method => names("payment_method", "PaymentMethod", "/v1/payment_methods"),
            Self::Price => names("price", "price", "/v1/prices"),
            Self::Product => names("product", "product", "/v1/products"),
            Self::Refund => names("refund", "refund", "/v1/refunds"),
            Self::Reversal => names("transfer_reversal", "transfer_reversal", "/v1/transfers"),
            Self::Session => names("checkout.session", "checkout.session", "/v1/checkout/sessions"),
            Self::Setup => names("setup_intent", "setupintent", "/v1/setup_intents"),
            Self::SetupAttempt => names("setup_attempt", "setupattempt", "/v1/setup_attempts"),
            Self::Transfer => names("transfer", "transfer", "/v1/transfers"),
        }
    }

    /// The name in the object's own `object` field.
    pub(crate) const fn object(self) -> &'static str {
        self.names().object
    }

    /// The name Stripe's messages use.
    pub(crate) const fn noun(self) -> &'static str {
        self.names().noun
    }

    /// The path of the collection.
    pub(crate) const fn path(self) -> &'static str {
        self.names().path
    }
}

/// A JSON object with an `id`.
#[derive(Clone, Debug)]
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn new(json: Value) -> Self {
        Self(json)
    }

    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// The text of a field, empty when it is null, absent or no text.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.maybe(field).unwrap_or_default()
    }

    pub(crate) fn maybe(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// The whole number of a field, 0 when it is null, absent or no number.
    pub(crate) fn integer(&self, field: &str) -> i64 {
        self.0.get(field).and_then(Value::as_i64).unwrap_or_default()
    }

    pub(crate) fn flag(&self, field: &str) -> bool {
        self.0.get(field).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(crate) fn get(&self, field: &str) -> &Value {
        self.0.get(field).unwrap_or(&Value::Null)
    }

    pub(crate) fn set(&mut self, field: &str, value: impl Into<Value>) {
        if let Some(fields) = self.0.as_object_mut() {
            fields.insert(field.to_owned(), value.into());
        }
    }

    pub(crate) fn unset(&mut self, field: &str) {
        if let Some(fields) = self.0.as_object_mut() {
            fields.remove(field);
        }
    }

    pub(crate) fn json(&self) -> &Value {
        &self.0
    }

    pub(crate) fn into_json(self) -> Value {
        self.0
    }
}
