//! Account links: the address of a connected account's onboarding page.

use serde_json::{Value, json};

use crate::accounts;
use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::state::Tx;

/// Seconds that a link works.
const LASTS: i64 = 300;

pub(crate) fn create(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["account", "collect", "collection_options", "refresh_url", "return_url", "type"])?;
    let account = accounts::require_live(tx, params.child("account").required()?)?;
    let kind = params.child("type");
    kind.required()?;
    let kind = kind.one_of(&["account_onboarding", "account_update"])?.unwrap_or_default();
    let collector = account.get("controller").get("requirement_collection").and_then(Value::as_str);
    if kind == "account_update" && collector != Some("application") {
        return Err(invalid(
            "You cannot create `account_update` type Account Links for accounts whose requirements Stripe collects.",
        )
        .param("type")
        .into());
    }
    let address = |name: &str| -> Result<String, Fault> {
        let scope = params.child(name);
        scope.address()?.map(str::to_owned).ok_or_else(|| scope.missing().into())
    };
    let (refresh_url, return_url) = (address("refresh_url")?, address("return_url")?);
    let id = ids::object("alink");
    let base = tx.settings.public_url.trim_end_matches('/');
    let shown = json!({
        "object": "account_link",
        "created": tx.now,
        "expires_at": tx.now + LASTS,
        "url": format!("{base}/sandbox/accounts/{}/onboarding/{id}", account.id()),
    });
    let mut link = Document::new(shown.clone());
    for (field, value) in
        [("account", account.id()), ("id", &id), ("refresh_url", &refresh_url), ("return_url", &return_url)]
    {
        link.set(field, value);
    }
    tx.insert(Kind::AccountLink, &link, &Value::Null)?;
    Ok(Reply::ok(shown))
}

/// A link works once.
pub(crate) fn use_up(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let mut link = tx.require(Kind::AccountLink, id, "id")?;
    link.set("used", true);
    tx.update(&link)
}
