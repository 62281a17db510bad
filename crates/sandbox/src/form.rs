//! Parameters as Stripe's clients write them: `a[b][0][c]=d`, in a body or a query.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::fault::{Fault, Refusal, invalid};
use crate::money::{is_currency, web_address};

const MAX_PAIRS: usize = 1_000;
const MAX_DEPTH: usize = 8;

/// A decoded parameter: text, or named parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Parts(BTreeMap<String, Node>),
}

/// All parameters of a request.
#[derive(Clone, Debug)]
pub(crate) struct Params(Node);

impl Params {
    /// Decodes `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// 400 for more than 1,000 pairs, brackets that don't pair up or nest deeper than 8, text that is not
    /// UTF-8, and a name that is used both as a value and as a group.
    pub(crate) fn decode(encoded: &str) -> Result<Self, Fault> {
        let mut root = Node::Parts(BTreeMap::new());
        for (count, pair) in encoded.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count >= MAX_PAIRS {
                return Err(invalid("Too many parameters.").into());
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = text(name)?;
            insert(&mut root, &path(&name)?, text(value)?, &name)?;
        }
        Ok(Self(root))
    }

    /// The scope of all parameters.
    pub(crate) fn root(&self) -> Scope<'_> {
        Scope { node: Some(&self.0), path: String::new() }
    }

    /// One text for equal parameters, whatever their order on the wire was.
    pub(crate) fn canonical(&self) -> String {
        fn write(node: &Node, out: &mut String) {
            match node {
                Node::Text(text) => out.push_str(&Value::from(text.as_str()).to_string()),
                Node::Parts(parts) => {
                    out.push('{');
                    for (name, part) in parts {
                        out.push_str(&Value::from(name.as_str()).to_string());
                        out.push(':');
                        write(part, out);
                        out.push(',');
                    }
                    out.push('}');
                }
            }
        }
        let mut out = String::new();
        write(&self.0, &mut out);
        out
    }
}

fn text(encoded: &str) -> Result<String, Fault> {
    let spaced = encoded.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(invalid("Invalid UTF-8 in the request's parameters.").into()),
    }
}

/// `a[b][]` is `["a", "b", ""]`.
fn path(name: &str) -> Result<Vec<&str>, Fault> {
    let refuse = || Fault::from(invalid(format!("Invalid parameter name: {name}")));
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    if first.is_empty() || first.contains(']') {
        return Err(refuse());
    }
    let mut path = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(refuse)?;
        let end = inner.find(']').ok_or_else(refuse)?;
        path.push(&inner[..end]);
        rest = &inner[end + 1..];
        if path.len() > MAX_DEPTH {
            return Err(refuse());
        }
    }
    Ok(path)
}

fn insert(node: &mut Node, path: &[&str], value: String, name: &str) -> Result<(), Fault> {
    let Node::Parts(parts) = node else {
        return Err(invalid(format!("Parameter {name} is given both as a value and as a group.")).into());
    };
    let Some((first, rest)) = path.split_first() else {
        return Err(invalid(format!("Invalid parameter name: {name}")).into());
    };
    let key = if first.is_empty() { parts.len().to_string() } else { (*first).to_owned() };
    if rest.is_empty() {
        if matches!(parts.get(&key), Some(Node::Parts(_))) {
            return Err(invalid(format!("Parameter {name} is given both as a value and as a group.")).into());
        }
        parts.insert(key, Node::Text(value));
        return Ok(());
    }
    insert(parts.entry(key).or_insert_with(|| Node::Parts(BTreeMap::new())), rest, value, name)
}

/// One parameter and where it stands, so that an error can name it.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    node: Option<&'a Node>,
    path: String,
}

impl<'a> Scope<'a> {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn given(&self) -> bool {
        self.node.is_some()
    }

    pub(crate) fn child(&self, name: &str) -> Scope<'a> {
        let node = match self.node {
            Some(Node::Parts(parts)) => parts.get(name),
            Some(Node::Text(_)) | None => None,
        };
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.path) };
        Scope { node, path }
    }

    /// The named parts, a list's in the order of their numbers.
    pub(crate) fn parts(&self) -> Result<Vec<(&'a str, Scope<'a>)>, Fault> {
        match self.node {
            None => Ok(Vec::new()),
            // Clients unset a group with an empty text.
            Some(Node::Text(text)) if text.is_empty() => Ok(Vec::new()),
            Some(Node::Text(_)) => Err(invalid("Invalid object").param(&self.path).into()),
            Some(Node::Parts(parts)) => {
                let mut named: Vec<_> = parts.keys().map(|name| (name.as_str(), self.child(name))).collect();
                named.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
                Ok(named)
            }
        }
    }

    pub(crate) fn items(&self) -> Result<Vec<Scope<'a>>, Fault> {
        Ok(self.parts()?.into_iter().map(|(_, scope)| scope).collect())
    }

    pub(crate) fn texts(&self) -> Result<Vec<&'a str>, Fault> {
        self.items()?.iter().map(Scope::required).collect()
    }

    /// Refuses parts that are not named here; `expand` stands at the top of every request.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Fault> {
        for (name, scope) in self.parts()? {
            let everywhere = self.path.is_empty() && name == "expand";
            if !everywhere && !names.contains(&name) {
                return Err(invalid(format!("Received unknown parameter: {}", scope.path))
                    .code("parameter_unknown")
                    .param(scope.path)
                    .into());
            }
        }
        Ok(())
    }

    /// The text as it stands, which may be empty.
    pub(crate) fn raw(&self) -> Result<Option<&'a str>, Fault> {
        match self.node {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(Node::Parts(_)) => {
                Err(invalid("Invalid string: an object was given.").param(&self.path).into())
            }
        }
    }

    /// The text; an empty one is refused.
    pub(crate) fn text(&self) -> Result<Option<&'a str>, Fault> {
        match self.raw()? {
            Some("") => Err(invalid(format!(
                "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; \
                 however '{0}' cannot be unset. You should remove '{0}' from your request or supply a non-empty value.",
                self.path
            ))
            .code("parameter_invalid_empty")
            .param(&self.path)
            .into()),
            other => Ok(other),
        }
    }

    /// The text, at most `max` characters.
    pub(crate) fn text_up_to(&self, max: usize) -> Result<Option<&'a str>, Fault> {
        let text = self.text()?;
        if text.is_some_and(|text| text.chars().count() > max) {
            return Err(invalid(format!("Invalid string: must be at most {max} characters"))
                .param(&self.path)
                .into());
        }
        Ok(text)
    }

    /// The text as a JSON value: null for an empty one, which unsets.
    pub(crate) fn optional_text(&self, max: usize) -> Result<Option<Value>, Fault> {
        if self.raw()? == Some("") {
            return Ok(Some(Value::Null));
        }
        Ok(self.text_up_to(max)?.map(Value::from))
    }

    /// An amount in a currency's smallest unit, at least 1.
    pub(crate) fn positive(&self) -> Result<Option<i64>, Fault> {
        let Some(amount) = self.integer()? else { return Ok(None) };
        if amount < 1 {
            return Err(invalid("This value must be greater than or equal to 1.")
                .code("parameter_invalid_integer")
                .param(&self.path)
                .into());
        }
        Ok(Some(amount))
    }

    /// A postal address with all of its fields, null for an empty text, which unsets.
    pub(crate) fn postal_address(&self) -> Result<Value, Fault> {
        const FIELDS: [&str; 6] = ["city", "country", "line1", "line2", "postal_code", "state"];
        self.only(&FIELDS)?;
        if self.parts()?.is_empty() {
            return Ok(Value::Null);
        }
        let mut address = Map::new();
        for field in FIELDS {
            address.insert(field.to_owned(), self.child(field).optional_text(500)?.unwrap_or_default());
        }
        Ok(Value::Object(address))
    }

    /// Where goods are sent: a name, an address, a phone number.
    pub(crate) fn shipping(&self) -> Result<Value, Fault> {
        self.only(&["address", "carrier", "name", "phone", "tracking_number"])?;
        if self.parts()?.is_empty() {
            return Ok(Value::Null);
        }
        let mut shipping = Map::new();
        shipping.insert("address".to_owned(), self.child("address").postal_address()?);
        for field in ["carrier", "name", "phone", "tracking_number"] {
            if let Some(text) = self.child(field).optional_text(500)? {
                shipping.insert(field.to_owned(), text);
            }
        }
        Ok(Value::Object(shipping))
    }

    pub(crate) fn required(&self) -> Result<&'a str, Fault> {
        self.text()?.ok_or_else(|| self.missing().into())
    }

    pub(crate) fn missing(&self) -> Refusal {
        invalid(format!("Missing required param: {}.", self.path)).code("parameter_missing").param(&self.path)
    }

    pub(crate) fn integer(&self) -> Result<Option<i64>, Fault> {
        let Some(text) = self.text()? else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(invalid(format!("Invalid integer: {text}"))
                .code("parameter_invalid_integer")
                .param(&self.path)
                .into()),
        }
    }

    pub(crate) fn boolean(&self) -> Result<Option<bool>, Fault> {
        match self.text()? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => Err(invalid(format!("Invalid boolean: {text}")).param(&self.path).into()),
        }
    }

    pub(crate) fn one_of(&self, allowed: &[&str]) -> Result<Option<&'a str>, Fault> {
        match self.text()? {
            Some(text) if !allowed.contains(&text) => {
                Err(invalid(format!("Invalid {}: must be one of {}", self.path, allowed.join(", ")))
                    .param(&self.path)
                    .into())
            }
            other => Ok(other),
        }
    }

    /// An absolute address, kept as written because it may hold a template.
    pub(crate) fn address(&self) -> Result<Option<&'a str>, Fault> {
        match self.text_up_to(5_000)? {
            Some(text) if web_address(text).is_none() => {
                Err(invalid("Not a valid URL").code("url_invalid").param(&self.path).into())
            }
            other => Ok(other),
        }
    }

    pub(crate) fn email(&self) -> Result<Option<&'a str>, Fault> {
        match self.text_up_to(512)? {
            Some(text) if !plausible_email(text) => Err(invalid(format!("Invalid email address: {text}"))
                .code("email_invalid")
                .param(&self.path)
                .into()),
            other => Ok(other),
        }
    }

    /// The code of a currency that Stripe knows, in lower case.
    pub(crate) fn currency(&self) -> Result<String, Fault> {
        let text = self.required()?;
        let code = text.to_ascii_lowercase();
        if is_currency(&code) {
            Ok(code)
        } else {
            Err(invalid(format!("Invalid currency: {text}")).param(&self.path).into())
        }
    }

    /// `kept` with this scope's metadata laid over it: an empty value removes its key.
    pub(crate) fn metadata(&self, kept: &Value) -> Result<Value, Fault> {
        let mut merged: Map<String, Value> = kept.as_object().cloned().unwrap_or_default();
        if matches!(self.node, Some(Node::Text(text)) if text.is_empty()) {
            merged.clear();
        }
        for (key, scope) in self.parts()? {
            let value = scope.raw()?.unwrap_or_default();
            if key.chars().count() > 40 || value.chars().count() > 500 {
                return Err(invalid(
                    "Metadata keys can have up to 40 characters and values up to 500 characters.",
                )
                .param(&self.path)
                .into());
            }
            if value.is_empty() {
                merged.remove(key);
            } else {
                merged.insert(key.to_owned(), value.into());
            }
        }
        if merged.len() > 50 {
            return Err(invalid("Metadata can have up to 50 keys.").param(&self.path).into());
        }
        Ok(Value::Object(merged))
    }
}

pub(crate) fn plausible_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && !domain.is_empty()
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

#[cfg(test)]
mod tests;
