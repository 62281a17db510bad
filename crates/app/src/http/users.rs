//! `/api/admin/users`: looking people up, closing an account for now and opening it again.

use accounts::{ApplicationStore, Mechanic, ProviderStore, Status, Suspension, User, UserStore};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Query};
use kernel::id::{ApplicationId, ProviderId, SessionId, UserId};
use kernel::{Role, Timestamp};
use notifications::{Channel, Suppression};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::views::staff::{self, OpenSession, UserFilter};

use super::applications::unknown;
use super::auth::{Admin, Staff, UserBody};
use super::list::{self, List};
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use super::{Body, NoBody, address};
use crate::state::Pitlane;
use crate::usecases::note_read::{Read, note_read};
use crate::usecases::write_again::write_again;
use crate::usecases::{Error, suspend_user};

type App = Data<Pitlane>;

/// The most characters of a search.
const SEARCH_MAX_CHARS: usize = 254;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/admin/users", Access::Staff, search);
    router.get("/api/admin/users/{id}", Access::Staff, one);
    router.post("/api/admin/users/{id}/suspend", Access::Admin, suspend);
    router.post("/api/admin/users/{id}/restore", Access::Admin, restore);
    router.delete("/api/admin/users/{id}/suppression", Access::Admin, write_to_again);
}

/// What a search asks for, as it was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The beginning of an address, a part of a name, or an id.
    pub q: Option<String>,
    /// Only in this role.
    pub role: Option<String>,
    /// Only in this status.
    pub status: Option<String>,
    /// How many people on a page.
    #[serde(default, deserialize_with = "list::number")]
    pub limit: Option<u64>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

impl Asked {
    /// The checked filter. A role or status that is empty, as a form sends it, asks for nothing.
    ///
    /// # Errors
    /// 422 for what is no role, status or cursor, or too long.
    pub fn filter(&self) -> ApiResult<UserFilter> {
        let search = self.q.clone().unwrap_or_default();
        if search.chars().count() > SEARCH_MAX_CHARS {
            let message = format!("Use at most {SEARCH_MAX_CHARS} characters.");
            return Err(Problem::invalid(vec![FieldError::new("q", "too_long", message)]));
        }
        list::text("q", self.q.as_deref())?;
        let chosen = |text: &Option<String>| text.clone().filter(|name| !name.is_empty());
        let role = chosen(&self.role)
            .map(|name| Role::parse(&name).ok_or_else(|| unknown("role", "There is no role of that name.")));
        let status = chosen(&self.status).map(|name| {
            Status::parse(&name).ok_or_else(|| unknown("status", "There is no status of that name."))
        });
        Ok(UserFilter {
            search,
            role: role.transpose()?,
            status: status.transpose()?,
            before: list::cursor(self.cursor.as_deref())?,
        })
    }
}

#[derive(Debug, Serialize)]
struct ListedBody {
    #[serde(flatten)]
    user: UserBody,
    status: &'static str,
    created_at: Timestamp,
}

impl From<&User> for ListedBody {
    fn from(user: &User) -> Self {
        Self { user: UserBody::from(user), status: user.status().as_str(), created_at: user.created_at() }
    }
}

async fn search(_staff: Staff, asked: Query<Asked>, app: App) -> ApiResult<Json<List<ListedBody>>> {
    let (filter, limit) = (asked.filter()?, list::limit(asked.limit));
    let read = app.db.read(move |tx| staff::users(tx, &filter, limit + 1).map_err(Error::from)).await?;
    Ok(Json(List::of(read, limit, User::id, |user| ListedBody::from(&user))))
}

/// What an admin sees of a person.
#[derive(Debug, Clone)]
pub struct Known {
    /// The person.
    pub user: User,
    /// What they are as a mechanic.
    pub mechanic: Option<Mechanic>,
    /// Why the account is closed, while it is.
    pub suspension: Option<Suspension>,
    /// Their newest application.
    pub application: Option<ApplicationId>,
    /// Why mail to their address is stopped, while it is.
    pub suppression: Option<Suppression>,
    /// In how many sessions they took part.
    pub sessions: i64,
    /// Those that are not over.
    pub open: Vec<OpenSession>,
}

/// What an admin sees of a person; `None` when there is none.
///
/// # Errors
/// A failure of the storage.
pub fn known(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Known>, Error> {
    let Some(user) = tx.user_by_id(id)? else { return Ok(None) };
    let (sessions, open) = staff::sessions_of(tx, id)?;
    let suppression = notifications::Store::suppression_by_address(tx, Channel::Mail, user.email().as_str())?;
    Ok(Some(Known {
        user,
        mechanic: tx.mechanic_by_user(id)?,
        suspension: tx.suspension_of(id)?,
        application: tx.application_latest(id)?.map(|application| application.id()),
        suppression,
        sessions,
        open,
    }))
}

#[derive(Debug, Serialize)]
struct MechanicBody {
    provider_id: ProviderId,
    approval: &'static str,
    on_duty: bool,
}

#[derive(Debug, Serialize)]
struct SuspensionBody {
    at: Timestamp,
    by_id: UserId,
    reason: String,
}

#[derive(Debug, Serialize)]
struct SuppressionBody {
    at: Timestamp,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct OpenBody {
    session_id: SessionId,
    status: &'static str,
    role: &'static str,
}

#[derive(Debug, Serialize)]
struct KnownBody {
    #[serde(flatten)]
    user: ListedBody,
    mechanic: Option<MechanicBody>,
    suspension: Option<SuspensionBody>,
    suppression: Option<SuppressionBody>,
    application_id: Option<ApplicationId>,
    session_count: i64,
    open_sessions: Vec<OpenBody>,
}

impl From<Known> for KnownBody {
    fn from(known: Known) -> Self {
        let open = |session: OpenSession| OpenBody {
            session_id: session.id,
            status: session.status.as_str(),
            role: if session.as_mechanic { "mechanic" } else { "customer" },
        };
        Self {
            user: ListedBody::from(&known.user),
            mechanic: known.mechanic.map(|mechanic| MechanicBody {
                provider_id: mechanic.provider(),
                approval: mechanic.approval().state.as_str(),
                on_duty: mechanic.on_duty(),
            }),
            suspension: known.suspension.map(|it| SuspensionBody {
                at: it.at,
                by_id: it.by,
                reason: it.reason,
            }),
            suppression: known
                .suppression
                .map(|it| SuppressionBody { at: it.created_at, reason: it.reason.as_str() }),
            application_id: known.application,
            session_count: known.sessions,
            open_sessions: known.open.into_iter().map(open).collect(),
        }
    }
}

async fn described(app: &Pitlane, id: UserId) -> ApiResult<Json<KnownBody>> {
    let found = app.db.read(move |tx| known(tx, id)).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// What this member of the staff asks to see of a person, and the line in the audit log that they did; `None` when there
/// is nobody of that id.
///
/// # Errors
/// A failure of the storage; then they must not see it.
pub async fn looked_at(app: &Pitlane, staff: &Staff, id: UserId) -> Result<Option<Known>, Error> {
    let found = app.db.read(move |tx| known(tx, id)).await?;
    if found.is_some() && id != staff.id() {
        note_read(app, staff.actor(), Read::Person(id)).await?;
    }
    Ok(found)
}

async fn one(staff: Staff, id: Path<UserId>, app: App) -> ApiResult<Json<KnownBody>> {
    let found = looked_at(&app, &staff, *id).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuspendRequest {
    reason: String,
}

async fn suspend(
    admin: Admin,
    id: Path<UserId>,
    request: HttpRequest,
    app: App,
    body: Body<SuspendRequest>,
) -> ApiResult<Json<KnownBody>> {
    let address = address::of(&request, &app);
    suspend_user::suspend(&app, *id, &body.0.reason, admin.actor(), address).await?;
    described(&app, *id).await
}

async fn write_to_again(
    admin: Admin,
    id: Path<UserId>,
    request: HttpRequest,
    app: App,
    _: NoBody,
) -> ApiResult<Json<KnownBody>> {
    let address = address::of(&request, &app);
    write_again(&app, *id, admin.actor(), address).await?;
    described(&app, *id).await
}

async fn restore(
    admin: Admin,
    id: Path<UserId>,
    request: HttpRequest,
    app: App,
    _: NoBody,
) -> ApiResult<Json<KnownBody>> {
    let address = address::of(&request, &app);
    suspend_user::restore(&app, *id, admin.actor(), address).await?;
    described(&app, *id).await
}
