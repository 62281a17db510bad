//! `/admin/audit`: the audit log, narrowed from the address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use accounts::audit::AuditFilter;
use accounts::{AuditEntry, UserStore};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use kernel::{AuditId, UserId};
use serde::Deserialize;
use store::Tx;
use url::form_urlencoded::Serializer;
use web::audit::{AuditPage, AuditQuery, AuditRow};
use web::frame::Nav;

use super::frame::{frame, show};
use crate::http::auth::Admin;
use crate::http::problem::FieldError;
use crate::http::{Access, ApiResult, Problem, Router, list};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Lines on one page.
const ROWS: u32 = 50;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/admin/audit", Access::Admin, open);
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    object_kind: String,
    #[serde(default)]
    object_id: String,
    #[serde(default)]
    actor_id: String,
    cursor: Option<String>,
}

async fn open(admin: Admin, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let Asked { action, object_kind, object_id, actor_id, cursor } = asked.into_inner();
    let query = AuditQuery {
        action: action.trim().to_owned(),
        object_kind: object_kind.trim().to_owned(),
        object_id: object_id.trim().to_owned(),
        actor_id: actor_id.trim().to_owned(),
    };
    let (filter, before) = (filter(&query)?, list::cursor(cursor.as_deref())?);
    let (entries, names) = app.db.read(move |tx| lines(tx, &filter, before)).await?;
    let list = list::List::of(entries, ROWS, |entry| entry.id, |entry| row(entry, &names));
    let next_href = list.next_cursor.map(|cursor| next(&query, &cursor));
    let page =
        AuditPage { frame: frame(&app, Some(&admin.0), Nav::None), query, rows: list.items, next_href };
    show(&page, StatusCode::OK)
}

fn filter(query: &AuditQuery) -> ApiResult<AuditFilter> {
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let actor = some(&query.actor_id).map(|id| id.parse()).transpose().map_err(|_| {
        Problem::invalid(vec![FieldError::new("actor_id", "wrong_type", "This is no id of a person.")])
    })?;
    Ok(AuditFilter {
        actor,
        action: some(&query.action),
        object_kind: some(&query.object_kind),
        object_id: some(&query.object_id),
    })
}

type Lines = (Vec<AuditEntry>, HashMap<UserId, String>);

fn lines(tx: &mut Tx<'_>, filter: &AuditFilter, before: Option<AuditId>) -> Result<Lines, Error> {
    let entries = accounts::audit::page(tx, filter, before, ROWS + 1)?;
    let mut names = HashMap::new();
    for actor in entries.iter().filter_map(|entry| entry.actor) {
        if let Entry::Vacant(unknown) = names.entry(actor) {
            let name = tx.user_by_id(actor)?.map_or_else(String::new, |user| user.name().to_owned());
            unknown.insert(name);
        }
    }
    Ok((entries, names))
}

fn row(entry: AuditEntry, names: &HashMap<UserId, String>) -> AuditRow {
    let actor = entry.actor.map(|id| names.get(&id).cloned().unwrap_or_default());
    AuditRow {
        at: entry.at.to_string(),
        actor: actor.unwrap_or_else(|| "the system".to_owned()),
        role: entry.actor_role,
        action: entry.action,
        object_kind: entry.object_kind,
        object_id: entry.object_id,
        details: entry.details.into_iter().collect(),
        address: entry.address,
    }
}

fn next(query: &AuditQuery, cursor: &str) -> String {
    let mut pairs = Serializer::new(String::new());
    let AuditQuery { action, object_kind, object_id, actor_id } = query;
    for (name, value) in
        [("action", action), ("object_kind", object_kind), ("object_id", object_id), ("actor_id", actor_id)]
    {
        if !value.is_empty() {
            pairs.append_pair(name, value);
        }
    }
    format!("/admin/audit?{}", pairs.append_pair("cursor", cursor).finish())
}
