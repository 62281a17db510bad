//! One stored object: Stripe's JSON with typed reading of the fields the sandbox works with.

use serde_json::Value;

/// What sort of object a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Customer,
    Session,
    Intent,
    Method,
    Charge,
    Refund,
    Price,
    Product,
    Event,
}

impl Kind {
    /// The name in the object's own `object` field.
    pub(crate) fn object(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Session => "checkout.session",
            Self::Intent => "payment_intent",
            Self::Method => "payment_method",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Price => "price",
            Self::Product => "product",
            Self::Event => "event",
        }
    }

    /// The name Stripe's messages use.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Method => "PaymentMethod",
            Self::Customer
            | Self::Session
            | Self::Intent
            | Self::Charge
            | Self::Refund
            | Self::Price
            | Self::Product
            | Self::Event => self.object(),
        }
    }

    /// The path of the collection.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Customer => "/v1/customers",
            Self::Session => "/v1/checkout/sessions",
            Self::Intent => "/v1/payment_intents",
            Self::Method => "/v1/payment_methods",
            Self::Charge => "/v1/charges",
            Self::Refund => "/v1/refunds",
            Self::Price => "/v1/prices",
            Self::Product => "/v1/products",
            Self::Event => "/v1/events",
        }
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

    pub(crate) fn json(&self) -> &Value {
        &self.0
    }

    pub(crate) fn into_json(self) -> Value {
        self.0
    }
}
