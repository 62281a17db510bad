//! The audit log: every use of a route that only admins have is written to it, and `GET /api/admin/audit` reads it.
//!
//! What an admin does has a second line, in the transaction that did it; both hold the request's id.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use accounts::AuditEntry;
use accounts::audit::AuditFilter;
use actix_web::http::Method;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use kernel::{Actor, AuditId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::auth::Admin;
use super::list::{self, List};
use super::problem::ApiResult;
use super::router::{Access, Router};
use super::{address, auth};
use crate::state::Pitlane;
use crate::usecases::mechanics;
use crate::usecases::note_read::note_use;

/// An open page reads itself again every few seconds; within this time that is one look.
const ONE_LOOK: Duration = Duration::from_secs(600);
/// Looks that are remembered.
const LOOKS_MAX: usize = 4_096;
/// The most of an address that is kept.
const ASKED_MAX_CHARS: usize = 500;

/// Adds `/api/admin/audit`.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/audit", Access::Admin, audit);
}

/// Which admin has looked at which page when.
#[derive(Debug, Default)]
pub struct Looks(Mutex<HashMap<(UserId, String), Instant>>);

impl Looks {
    /// Whether this is another look than the last one, and not the same page renewing itself.
    pub fn is_new(&self, admin: UserId, page: &str, now: Instant) -> bool {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= LOOKS_MAX {
            looks.clear();
        }
        match looks.get(&(admin, page.to_owned())) {
            Some(since) if now.saturating_duration_since(*since) < ONE_LOOK => false,
            Some(_) | None => {
                looks.insert((admin, page.to_owned()), now);
                true
            }
        }
    }
}

/// The address that was asked for, without what was searched for: that is somebody's name or address, which would stay in
/// the log after they have left.
fn without_search(asked: &str) -> String {
    let Some((path, query)) = asked.split_once('?') else {
        return asked.chars().take(ASKED_MAX_CHARS).collect();
    };
    let bare = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if name != "q" || value.is_empty() => pair.to_owned(),
        Some((name, _)) => format!("{name}=…"),
        None => pair.to_owned(),
    };
    let pairs: Vec<String> = query.split('&').map(bare).collect();
    format!("{path}?{}", pairs.join("&")).chars().take(ASKED_MAX_CHARS).collect()
}

/// Writes down that somebody of the staff uses this route.
///
/// # Errors
/// The storage's; then nothing may come of it.
pub async fn note(path: &str, request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<()> {
    let Some((id, role)) = auth::admitted(request) else { return Ok(()) };
    let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
    let page = request.method() == Method::GET && !asked.starts_with("/api/");
    if page && !pitlane.looks.is_new(id, asked, Instant::now()) {
        return Ok(());
    }
    let route = format!("{} {path}", request.method());
    let asked = without_search(asked);
    let admin = Actor::Person { id, role };
    Ok(note_use(pitlane, admin, route, asked, address::of(request, pitlane)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    actor_id: Option<UserId>,
    action: Option<String>,
    object_kind: Option<String>,
    object_id: Option<String>,
    #[serde(default, deserialize_with = "list::number")]
    limit: Option<u64>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct AuditBody {
    id: AuditId,
    at: Timestamp,
    actor_id: Option<UserId>,
    actor_role: String,
    action: String,
    object_kind: String,
    object_id: String,
    details: BTreeMap<String, String>,
    address: Option<String>,
}

impl From<AuditEntry> for AuditBody {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, actor, actor_role, action, object_kind, object_id, details, address } =
            entry;
        Self { id, at, actor_id: actor, actor_role, action, object_kind, object_id, details, address }
    }
}

async fn audit(_admin: Admin, app: Data<Pitlane>, wanted: Query<Wanted>) -> ApiResult<HttpResponse> {
    let Wanted { actor_id: actor, action, object_kind, object_id, limit, cursor } = wanted.into_inner();
    let (limit, before) = (list::limit(limit), list::cursor(cursor.as_deref())?);
    for (name, text) in [("action", &action), ("object_kind", &object_kind), ("object_id", &object_id)] {
        list::text(name, text.as_deref())?;
    }
    let filter = AuditFilter { actor, action, object_kind, object_id };
    let entries = mechanics::audit_page(&app, filter, before, limit + 1).await?;
    Ok(HttpResponse::Ok().json(List::of(entries, limit, |entry| entry.id, AuditBody::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_searched_for_is_not_written_down() {
        for (asked, kept) in [
            ("/admin", "/admin"),
            ("/admin/users?q=dana%40example.com&role=customer", "/admin/users?q=…&role=customer"),
            ("/admin/users?role=customer&q=dana", "/admin/users?role=customer&q=…"),
            ("/admin/users?q=&status=active", "/admin/users?q=&status=active"),
            ("/api/admin/audit?action=user.suspend", "/api/admin/audit?action=user.suspend"),
        ] {
            assert_eq!(without_search(asked), kept);
        }
    }

    #[test]
    fn a_page_that_renews_itself_is_one_look() {
        let (looks, start) = (Looks::default(), Instant::now());
        let (robin, sam) = (UserId::new(uuid::Uuid::from_u128(1)), UserId::new(uuid::Uuid::from_u128(2)));
        assert!(looks.is_new(robin, "/admin", start));
        assert!(!looks.is_new(robin, "/admin", start + Duration::from_secs(15)));
        assert!(looks.is_new(robin, "/admin?q=dana", start));
        assert!(looks.is_new(sam, "/admin", start));
        assert!(looks.is_new(robin, "/admin", start + ONE_LOOK));
    }
}
