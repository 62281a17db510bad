//! A workshop's mechanics and invitations, and joining one.

use accounts::{Invitation, Mechanic, User};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use kernel::Timestamp;
use kernel::id::{InvitationId, ProviderId, UserId};
use serde::{Deserialize, Serialize};

use super::auth::{self, UserBody, Visitor, Workshop};
use super::idempotency::Keyed;
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use super::{Body, NoBody};
use crate::state::Pitlane;
use crate::usecases::workshop::{self, Team};

type App = Data<Pitlane>;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/workshops/me", Access::Workshop, mine);
    router.delete("/api/workshops/me/mechanics/{id}", Access::Workshop, remove);
    router.post("/api/workshops/me/invitations", Access::Workshop, invite);
    router.delete("/api/workshops/me/invitations/{id}", Access::Workshop, revoke);
    router.post("/api/workshops/join", Access::Public, join);
}

#[derive(Debug, Serialize)]
struct MemberBody {
    id: UserId,
    name: String,
    email: String,
    approval: &'static str,
    account_status: &'static str,
    on_duty: bool,
}

#[derive(Debug, Serialize)]
struct InvitationBody {
    id: InvitationId,
    email: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email.as_str().to_owned(),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

#[derive(Debug, Serialize)]
struct WorkshopBody {
    provider_id: ProviderId,
    name: String,
    mechanics: Vec<MemberBody>,
    invitations: Vec<InvitationBody>,
}

impl From<Team> for WorkshopBody {
    fn from(team: Team) -> Self {
        let member = |(mechanic, person): (Mechanic, User)| MemberBody {
            id: person.id(),
            name: person.name().to_owned(),
            email: person.email().as_str().to_owned(),
            approval: mechanic.approval().state.as_str(),
            account_status: person.status().as_str(),
            on_duty: mechanic.on_duty(),
        };
        Self {
            provider_id: team.workshop.id,
            name: team.workshop.name,
            mechanics: team.members.into_iter().map(member).collect(),
            invitations: team.invitations.into_iter().map(InvitationBody::from).collect(),
        }
    }
}

async fn mine(owner: Workshop, app: App) -> ApiResult<Json<WorkshopBody>> {
    let team = workshop::team(&app, owner.id()).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(team.into()))
}

async fn remove(owner: Workshop, id: Path<UserId>, app: App, _: NoBody) -> ApiResult<HttpResponse> {
    workshop::remove(&app, owner.actor(), *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteRequest {
    email: String,
}

async fn invite(owner: Workshop, sent: Keyed<InviteRequest>, app: App) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = sent;
    let actor = owner.actor();
    key.once(app, owner.id(), move |app| async move {
        let invited = workshop::invite(&app, actor, &value.email).await?;
        Ok(HttpResponse::Created().json(InvitationBody::from(invited)))
    })
    .await
}

async fn revoke(owner: Workshop, id: Path<InvitationId>, app: App, _: NoBody) -> ApiResult<HttpResponse> {
    workshop::revoke(&app, owner.id(), *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinRequest {
    token: String,
    name: Option<String>,
    password: Option<String>,
    time_zone: Option<String>,
}

#[derive(Debug, Serialize)]
struct JoinedBody {
    provider_id: ProviderId,
    workshop_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserBody>,
}

/// Signed in: joins with that account. Not signed in: makes one with the invited address, a name and a password.
async fn join(
    visitor: Visitor,
    request: HttpRequest,
    app: App,
    body: Body<JoinRequest>,
) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let JoinRequest { token, name, password, time_zone } = body.0;
    if let Some(person) = &visitor.0 {
        let joined = workshop::join(&app, person.id(), &token).await?;
        let (provider_id, workshop_name) = (joined.workshop.id, joined.workshop.name);
        return Ok(HttpResponse::Ok().json(JoinedBody { provider_id, workshop_name, user: None }));
    }
    let (Some(name), Some(password)) = (name, password) else {
        let message = "Sign in, or send a name and a password for a new account.";
        let missing = |field: &str| FieldError::new(field, "required", message);
        return Err(Problem::invalid(vec![missing("name"), missing("password")]));
    };
    let device = auth::device(&request, &app);
    let (opened, joined) =
        workshop::join_as_new(&app, &token, &name, password, time_zone.as_deref(), device).await?;
    let (provider_id, workshop_name) = (joined.workshop.id, joined.workshop.name);
    let body = JoinedBody { provider_id, workshop_name, user: Some(UserBody::from(&opened.user)) };
    Ok(HttpResponse::Created().cookie(auth::cookie(&opened.token, &app)).json(body))
}
