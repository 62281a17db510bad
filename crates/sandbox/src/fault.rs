//! Why a request was not carried out, in Stripe's error shapes.

use serde_json::{Value, json};

use crate::document::Kind;

/// Stripe's answer: a status and a JSON body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }
}

/// A request that changed nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The caller's mistake.
    Refused(Box<Refusal>),
    /// The database failed.
    Storage(diesel::result::Error),
    /// The sandbox failed.
    Internal(String),
}

impl From<diesel::result::Error> for Fault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error)
    }
}

/// The fields of Stripe's `error` object.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) code: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) param: Option<String>,
    pub(crate) more: Vec<(&'static str, Value)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: None, message: message.into(), param: None, more: Vec::new() }
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.more.push((field, value.into()));
        self
    }

    /// The `error` object itself.
    pub(crate) fn object(&self) -> Value {
        let mut error = serde_json::Map::new();
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            let page = code.replace('_', "-");
            error.insert("doc_url".into(), format!("https://stripe.com/docs/error-codes/{page}").into());
        }
        error.insert("message".into(), self.message.clone().into());
        if let Some(param) = &self.param {
            error.insert("param".into(), param.clone().into());
        }
        error.insert("type".into(), self.kind.into());
        for (field, value) in &self.more {
            error.insert((*field).into(), value.clone());
        }
        Value::Object(error)
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply { status: self.status, body: json!({ "error": self.object() }) }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Fault {
    pub(crate) fn reply(&self) -> Reply {
        match self {
            Self::Refused(refusal) => refusal.reply(),
            Self::Storage(error) => {
                tracing::error!(%error, "the sandbox's database failed");
                broken().reply()
            }
            Self::Internal(error) => {
                tracing::error!(%error, "the sandbox failed");
                broken().reply()
            }
        }
    }
}

fn broken() -> Refusal {
    Refusal::new(500, "api_error", "The sandbox failed. Its log says why.")
}

/// 400 with a message only.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid_request_error", message)
}

/// 404 for an object named in the path, 400 for one named by a parameter.
pub(crate) fn no_such(kind: Kind, id: &str, param: &str) -> Refusal {
    let status = if param == "id" { 404 } else { 400 };
    Refusal::new(status, "invalid_request_error", format!("No such {}: '{id}'", kind.noun()))
        .code("resource_missing")
        .param(param)
}
