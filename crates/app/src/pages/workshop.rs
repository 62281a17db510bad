//! `/workshop`: a workshop's mechanics and invitations; `/workshop/join/{token}`: accepting one.

use accounts::{ApprovalState, Error as AccountsError, Mechanic, Status, User};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use web::form::Errors;
use web::frame::Nav;
use web::workshop::{InvitationRow, JoinPage, JoinState, Member, WorkshopPage};

use super::frame::{frame, go, show};
use super::start::{enter, faults};
use crate::http::auth::{self, Visitor, Workshop};
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::workshop::{self, Offered, Team};

type App = Data<Pitlane>;

/// Adds the pages and what their forms post to.
pub fn routes(router: &mut Router) {
    router.get("/workshop", Access::Workshop, open);
    router.get("/workshop/join/{token}", Access::Public, invited);
    router.post("/workshop/join/{token}", Access::Public, join);
}

async fn open(owner: Workshop, app: App) -> ApiResult<HttpResponse> {
    page(&app, &owner.0).await
}

/// The first page of who runs a workshop.
///
/// # Errors
/// 404 without a workshop, or a failure of the storage.
pub(super) async fn page(app: &Pitlane, owner: &accounts::Principal) -> ApiResult<HttpResponse> {
    let team = workshop::team(app, owner.id()).await?.ok_or_else(Problem::not_found)?;
    let Team { workshop, members, invitations } = team;
    let page = WorkshopPage {
        frame: frame(app, Some(owner), Nav::Home),
        name: workshop.name,
        members: members.iter().map(member).collect(),
        invitations: invitations
            .into_iter()
            .map(|invitation| InvitationRow {
                id: invitation.id.to_string(),
                email: invitation.email.as_str().to_owned(),
                expires_at: invitation.expires_at.to_string(),
            })
            .collect(),
    };
    show(&page, StatusCode::OK)
}

fn member((mechanic, person): &(Mechanic, User)) -> Member {
    let trouble = match (person.status(), mechanic.approval().state) {
        (Status::Suspended, _) | (_, ApprovalState::Suspended) => Some("Suspended"),
        (Status::Erased, _) => Some("Account erased"),
        (Status::Active, ApprovalState::Refused) => Some("Refused"),
        (Status::Active, ApprovalState::Pending) => Some("Waits for Pitlane"),
        (Status::Active, ApprovalState::Approved) => None,
    };
    Member {
        id: person.id().to_string(),
        name: person.name().to_owned(),
        email: person.email().as_str().to_owned(),
        on_duty: mechanic.on_duty(),
        trouble: trouble.map(str::to_owned),
    }
}

fn state(visitor: &Visitor, offered: Option<Offered>) -> JoinState {
    let Some(Offered { workshop, email, has_account }) = offered else { return JoinState::Over };
    let (workshop, address) = (workshop.name, email.as_str().to_owned());
    match &visitor.0 {
        Some(person) if *person.user.email() == email => JoinState::Ready { workshop },
        Some(_) => JoinState::SignIn { workshop, email: address, other: true },
        None if has_account => JoinState::SignIn { workshop, email: address, other: false },
        None => JoinState::Register { workshop, email: address },
    }
}

async fn shown(
    app: &Pitlane,
    visitor: &Visitor,
    token: String,
    (name, errors, code): (String, Errors, StatusCode),
) -> ApiResult<HttpResponse> {
    let state = state(visitor, workshop::peek(app, &token).await?);
    let code = if state == JoinState::Over { StatusCode::GONE } else { code };
    let frame = frame(app, visitor.0.as_ref(), Nav::None);
    show(&JoinPage { frame, token, state, name, errors }, code)
}

async fn invited(visitor: Visitor, app: App, token: Path<String>) -> ApiResult<HttpResponse> {
    let plain = (String::new(), Errors::default(), StatusCode::OK);
    shown(&app, &visitor, token.into_inner(), plain).await
}

#[derive(Debug, Deserialize)]
struct JoinForm {
    name: Option<String>,
    password: Option<String>,
    time_zone: Option<String>,
}

async fn join(
    visitor: Visitor,
    request: HttpRequest,
    app: App,
    token: Path<String>,
    form: Option<Form<JoinForm>>,
) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let token = token.into_inner();
    let form = form.map(Form::into_inner);
    let (name, password, zone) = match form {
        Some(JoinForm { name, password, time_zone }) => {
            (name.unwrap_or_default(), password.unwrap_or_default(), time_zone)
        }
        None => (String::new(), String::new(), None),
    };
    let outcome = match &visitor.0 {
        Some(person) => workshop::join(&app, person.id(), &token).await.map(|_| go("/mechanic")),
        None => {
            let zone = zone.filter(|zone| !zone.is_empty());
            let device = auth::device(&request, &app);
            let joined = workshop::join_as_new(&app, &token, &name, password, zone.as_deref(), device).await;
            joined.map(|(opened, _)| enter(&app, &opened, None))
        }
    };
    let failure = match outcome {
        Ok(response) => return Ok(response),
        Err(failure) => failure,
    };
    if matches!(failure, Error::Accounts(AccountsError::InvalidToken)) {
        return shown(&app, &visitor, token, (name, Errors::default(), StatusCode::GONE)).await;
    }
    let (problem, errors) = faults(&failure)?;
    shown(&app, &visitor, token, (name, errors, problem.status)).await
}
