//! Webhook endpoints beside the application's own: each is told the events that it asked for, signed with a
//! secret of its own.

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply, invalid, no_such};
use crate::form::Scope;
use crate::ids;
use crate::listing;
use crate::state::Tx;

/// The most that Stripe takes for one account.
const MOST: i64 = 16;

/// Every type of event that an endpoint may ask for, as Stripe's SDK lists them.
const TYPES: &str = include_str!("event_types.txt");

fn events(params: &Scope<'_>) -> Result<Option<Value>, Fault> {
    let scope = params.child("enabled_events");
    if !scope.given() {
        return Ok(None);
    }
    let names = scope.texts()?;
    let is_known = |name: &str| name == "*" || TYPES.lines().any(|known| known == name);
    if let Some(wrong) = names.iter().find(|name| !is_known(name)) {
        let message = format!("Invalid enabled_events: {wrong} is no type of event.");
        return Err(invalid(message).param(scope.path()).into());
    }
    if names.is_empty() {
        return Err(scope.missing().into());
    }
    Ok(Some(names.into()))
}

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["api_version", "connect", "description", "enabled_events", "metadata", "url"])?;
    let url = params.child("url");
    let url = url.address()?.ok_or_else(|| Fault::from(url.missing()))?;
    let wanted = events(params)?.ok_or_else(|| Fault::from(params.child("enabled_events").missing()))?;
    let (_, more) = tx.search(&crate::state::Search {
        kind: Kind::Endpoint,
        fields: Vec::new(),
        conditions: Vec::new(),
        created: Vec::new(),
        cursor: crate::state::Cursor::Newest,
        limit: MOST - 1,
    })?;
    if more {
        return Err(invalid(format!("You have reached the maximum of {MOST} webhook endpoints.")).into());
    }
    let secret = ids::random("whsec", 32);
    let endpoint = Document::new(json!({
        "id": ids::object("we"),
        "object": "webhook_endpoint",
        "api_version": params.child("api_version").text()?,
        "application": null,
        "created": tx.now,
        "description": params.child("description").text_up_to(500)?,
        "enabled_events": wanted,
        "livemode": false,
        "metadata": params.child("metadata").metadata(&json!({}))?,
        "status": "enabled",
        "url": url,
    }));
    tx.insert(Kind::Endpoint, &endpoint, &json!({"secret": secret}))?;
    let mut shown = endpoint;
    // Told once, as Stripe does.
    shown.set("secret", secret);
    Ok(Reply::ok(shown.into_json()))
}

fn require_live(tx: &mut Tx<'_>, id: &str) -> Result<Document, Fault> {
    let endpoint = tx.require(Kind::Endpoint, id, "id")?;
    if endpoint.flag("deleted") {
        return Err(no_such(Kind::Endpoint, id, "id").into());
    }
    Ok(endpoint)
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["description", "disabled", "enabled_events", "metadata", "url"])?;
    let mut endpoint = require_live(tx, id)?;
    if let Some(url) = params.child("url").address()? {
        endpoint.set("url", url);
    }
    if let Some(wanted) = events(params)? {
        endpoint.set("enabled_events", wanted);
    }
    if let Some(disabled) = params.child("disabled").boolean()? {
        endpoint.set("status", if disabled { "disabled" } else { "enabled" });
    }
    if let Some(description) = params.child("description").optional_text(500)? {
        endpoint.set("description", description);
    }
    endpoint.set("metadata", params.child("metadata").metadata(endpoint.get("metadata"))?);
    tx.update(&endpoint)?;
    Ok(Reply::ok(endpoint.into_json()))
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: &str) -> Result<Reply, Fault> {
    require_live(tx, id)?;
    tx.deliveries_forget(id)?;
    let gone = Document::new(json!({"id": id, "object": "webhook_endpoint", "deleted": true}));
    tx.update(&gone)?;
    Ok(Reply::ok(gone.into_json()))
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Endpoint, &[], &[])
}
