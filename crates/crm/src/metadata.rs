//! What is known about a step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One value of the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Datum {
    /// Yes or no.
    Flag(bool),
    /// A whole number; amounts are minor units.
    Number(i64),
    /// A text.
    Text(String),
}

impl From<bool> for Datum {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Datum {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Datum {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Datum {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// Values by name, flat, in the order of their names. Holds nothing that names a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, Datum>);

impl Metadata {
    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Datum>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// With one more value, if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Datum>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Datum> {
        self.0.get(name)
    }

    /// Every value with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Datum)> {
        self.0.iter().map(|(name, datum)| (name.as_str(), datum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_json_unchanged() {
        let metadata = Metadata::default()
            .with("plan", "chat10")
            .with("amount_cents", 999)
            .with("first", true)
            .with_some("mechanic_id", None::<&str>);
        let json = serde_json::to_string(&metadata).expect("serialises");
        assert_eq!(json, r#"{"amount_cents":999,"first":true,"plan":"chat10"}"#);
        assert_eq!(serde_json::from_str::<Metadata>(&json).expect("parses"), metadata);
    }
}
